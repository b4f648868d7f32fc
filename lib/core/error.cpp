#include "core/error.hpp"

#include <cerrno>
#include <cstring>

namespace evd {

ExitCode exit_code(const std::exception& error) noexcept {
  const auto* ours = dynamic_cast<const Error*>(&error);
  return ours != nullptr ? ours->code() : ExitCode::internal;
}

void throw_errno(const std::string& operation, const std::string& path) {
  const int reason = errno;
  throw IoError(operation + " " + path + ": " + std::strerror(reason));
}

}  // namespace evd
