#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/// A preloaded library that lets a disk fail: the n-th operation of a stage's process on files
/// below a directory ends with an error instead of being done.
///
///   EVD_FAIL_BELOW  the directory (absolute); without it nothing happens
///   EVD_FAIL_RANK   the rank that it happens to
///   EVD_FAIL_AT     n; 0 = never, only count
///   EVD_FAIL_WITH   EIO, ESTALE: this operation alone. ENOSPC: it and all that need space after it
///   EVD_FAIL_TRACE  each rank appends to EVD_FAIL_TRACE.RANK a line "n operation path" for each of
///                   its operations, with "FAILED " before those that were made to fail
namespace {

const char* variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

struct Plan {
  std::string below = variable("EVD_FAIL_BELOW");
  std::string trace = variable("EVD_FAIL_TRACE");
  long at = std::atol(variable("EVD_FAIL_AT"));
  std::string with = variable("EVD_FAIL_WITH");
  bool counts = false;
  bool mine = false;

  Plan() {
    const std::string program = program_invocation_short_name;
    const std::string rank = variable("OMPI_COMM_WORLD_RANK");
    counts = !below.empty() && program != "evd-rehearsal" && program.starts_with("evd-");
    mine = at > 0 && rank == variable("EVD_FAIL_RANK");
    below += "/";
    trace += "." + rank;
  }
  [[nodiscard]] int code() const {
    if (with == "ESTALE") return ESTALE;
    return with == "ENOSPC" ? ENOSPC : EIO;
  }
};

const Plan& plan() {
  static const Plan once;
  return once;
}

std::atomic<long> count{0};

void note(const std::string& line) {
  if (plan().trace.front() == '.') return;
  const long file = ::syscall(SYS_openat, AT_FDCWD, plan().trace.c_str(),
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  static_cast<void>(::syscall(SYS_write, file, line.data(), line.size()));
  ::syscall(SYS_close, file);
}

enum class Needs { space, nothing };

// Whether this one is to fail; errno says how.
bool fails(const char* operation, const std::string& path, Needs needs) {
  const int before = errno;
  if (!plan().counts || !path.starts_with(plan().below)) return false;
  const long number = ++count;
  const bool lasting = plan().code() == ENOSPC;
  const bool hit =
      plan().mine && (lasting ? number >= plan().at && needs == Needs::space : number == plan().at);
  note((hit ? "FAILED " : "") + std::to_string(number) + " " + operation + " " + path + "\n");
  errno = hit ? plan().code() : before;
  return hit;
}

bool fails(const char* operation, int descriptor, Needs needs) {
  if (!plan().counts) return false;
  const int before = errno;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  char path[4096];
  const auto length = ::readlink(link.c_str(), path, sizeof path);
  errno = before;
  return length > 0 && fails(operation, std::string(path, static_cast<std::size_t>(length)), needs);
}

std::string absolute(int directory, const char* path) {
  if (path[0] == '/' || directory != AT_FDCWD) return path;
  char here[4096];
  return ::getcwd(here, sizeof here) == nullptr ? path : std::string(here) + "/" + path;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_or_fail(int directory, const char* path, int flags, mode_t mode) {
  const bool makes = (flags & O_CREAT) != 0;
  if (fails(makes ? "create" : "open", absolute(directory, path),
            makes ? Needs::space : Needs::nothing))
    return -1;
  return static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
}

mode_t mode_of(int flags, std::va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_or_fail(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_or_fail(AT_FDCWD, path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (fails("write", descriptor, Needs::space)) return -1;
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  return next(descriptor, bytes, size);
}

ssize_t writev(int descriptor, const iovec* pieces, int pieces_count) {
  if (fails("writev", descriptor, Needs::space)) return -1;
  static auto* const next = real<ssize_t(int, const iovec*, int)>("writev");
  return next(descriptor, pieces, pieces_count);
}

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  if (fails("fallocate", descriptor, Needs::space)) return -1;
  static auto* const next = real<int(int, int, off_t, off_t)>("fallocate");
  return next(descriptor, mode, offset, size);
}

int fsync(int descriptor) {
  if (fails("fsync", descriptor, Needs::space)) return -1;
  static auto* const next = real<int(int)>("fsync");
  return next(descriptor);
}

int fdatasync(int descriptor) {
  if (fails("fdatasync", descriptor, Needs::space)) return -1;
  static auto* const next = real<int(int)>("fdatasync");
  return next(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  if (fails("rename", absolute(AT_FDCWD, to), Needs::nothing)) return -1;
  static auto* const next = real<int(const char*, const char*)>("rename");
  return next(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (fails("mkdir", absolute(AT_FDCWD, path), Needs::space)) return -1;
  static auto* const next = real<int(const char*, mode_t)>("mkdir");
  return next(path, mode);
}

}  // extern "C"
