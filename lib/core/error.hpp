#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace evd {

/// Exit codes of every program (sysexits where one fits).
enum class ExitCode : int {
  done = 0,
  usage = 64,          ///< a wrong flag or argument
  data = 65,           ///< a file that does not hold what it should
  service = 69,        ///< a service stayed away; what was got is kept
  internal = 70,       ///< our own mistake
  io = 74,             ///< the filesystem refused
  stopped = 75,        ///< stopped early with its work saved: start me again
  configuration = 78,  ///< a wrong key, value or launch
};

/// The closed set of errors. Libraries throw them, only the program shell catches.
/// Message grammar: problem (why) suggestion; with the path, dataset or operation. Never a key, a
/// signed URL or a text of the size of a prompt.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

struct UsageError : Error {
  explicit UsageError(const std::string& what) : Error(ExitCode::usage, what) {}
};
struct ConfigurationError : Error {
  explicit ConfigurationError(const std::string& what) : Error(ExitCode::configuration, what) {}
};
struct DataError : Error {
  explicit DataError(const std::string& what) : Error(ExitCode::data, what) {}
};
struct ServiceError : Error {
  explicit ServiceError(const std::string& what) : Error(ExitCode::service, what) {}
};
struct IoError : Error {
  explicit IoError(const std::string& what) : Error(ExitCode::io, what) {}
};
struct InternalError : Error {
  explicit InternalError(const std::string& what) : Error(ExitCode::internal, what) {}
};
/// A signal or the time limit asked the stage to save and leave.
struct Stopped : Error {
  explicit Stopped(const std::string& what) : Error(ExitCode::stopped, what) {}
};

/// The exit code that `error` stands for; io for the standard library's filesystem_error, internal
/// for anything else outside the closed set.
[[nodiscard]] ExitCode exit_code(const std::exception& error) noexcept;

/// `operation path: Reason` as an IoError from the current errno.
[[noreturn]] void throw_errno(const std::string& operation, const std::string& path);

}  // namespace evd
