#include "h5/library.hpp"

#include <hdf5.h>

#include "core/error.hpp"

namespace evd::h5 {
namespace {

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

// The walk goes from the inside out, so the first message is the nearest to the cause.
herr_t keep_first(unsigned depth, const H5E_error2_t* error, void* out) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
  return 0;
}

std::string reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text.empty() ? "no reason given" : text;
}

}  // namespace

Lock::Lock() : guard_(library_mutex()) {
  // Error printing is a setting of each thread where HDF5 is built for threads.
  thread_local const bool prepared = [] {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    return true;
  }();
  static_cast<void>(prepared);
}

void fail(Failure kind, const Place& place, std::string_view call) {
  const std::string why = reason();
  std::string what = place.path + ": ";
  if (!place.object.empty()) what += place.object + ": ";
  what += std::string(call) + " failed (" + why + ")";
  if (kind == Failure::io || why.find("errno = ") != std::string::npos) throw IoError(what);
  throw DataError(what);
}

}  // namespace evd::h5
