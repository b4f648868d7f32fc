#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace evd::h5 {

/// Held around calls of the library: not every build of HDF5 locks by itself. Also silences HDF5's
/// printing of errors and forbids it to load plug-ins. Recursive.
class Lock {
 public:
  Lock();

 private:
  std::lock_guard<std::recursive_mutex> guard_;
};

/// Which error a failed call becomes when HDF5 does not name an errno (then it is an IoError).
enum class Failure { data, io };

/// Where a call was aimed: a file, and a dataset or attribute in it ("" for the file itself).
struct Place {
  std::string path;
  std::string object = {};
};

/// Throws `path: object: call: HDF5's own deepest reason`.
[[noreturn]] void fail(Failure kind, const Place& place, std::string_view call);

/// Gives `result` back; throws as fail() does when it is negative, as HDF5 marks failure.
template <class T>
T check(T result, Failure kind, const Place& place, std::string_view call) {
  if (result < 0) fail(kind, place, call);
  return result;
}

}  // namespace evd::h5
