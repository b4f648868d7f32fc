#include "core/error.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace evd {

ExitCode exit_code(const std::exception& error) noexcept {
  if (const auto* ours = dynamic_cast<const Error*>(&error)) return ours->code();
  const bool is_disk = dynamic_cast<const std::filesystem::filesystem_error*>(&error) != nullptr;
  return is_disk ? ExitCode::io : ExitCode::internal;
}

void throw_errno(const std::string& operation, const std::string& path) {
  const int reason = errno;
  throw IoError(operation + " " + path + ": " + std::strerror(reason));
}

}  // namespace evd
