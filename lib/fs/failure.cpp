#include "fs/failure.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.hpp"

namespace evd::fs {

std::string_view suggestion(int code) {
  switch (code) {
    case ENOSPC:
      return "the file system is full: free space, then start again";
    case EDQUOT:
      return "your quota is used up: free space or files, then start again";
    case EFBIG:
      return "the limit on the size of a file is reached: see ulimit -f";
    case EROFS:
      return "the file system is read-only: use another directory or remount it";
    case EACCES:
    case EPERM:
      return "check the owner, group and mode of the directory";
    case EMFILE:
    case ENFILE:
      return "too many open files: raise ulimit -n";
    case ENOENT:
      return "check the path";
    case ENOTDIR:
      return "a part of the path is a file";
    case EEXIST:
    case ENOTEMPTY:
      return "it exists already";
    case EIO:
    case ESTALE:
      return "the file system is failing: try again later or ask its administrators";
    case EXDEV:
      return "both names must be on one file system";
    default:
      return "";
  }
}

void fail(std::string_view operation, const std::filesystem::path& path, int code) {
  std::string what = std::string(operation) + " " + path.string() + ": " + std::strerror(code);
  const auto hint = suggestion(code);
  if (!hint.empty()) what += " (" + std::string(hint) + ")";
  throw IoError(what);
}

void fail(std::string_view operation, const std::filesystem::path& path) {
  const int code = errno;
  fail(operation, path, code);
}

}  // namespace evd::fs
