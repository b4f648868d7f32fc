#include <array>

#include <hdf5.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/attribute.hpp"
#include "h5/file.hpp"

namespace evd::h5 {
namespace {

constexpr std::uint64_t kMostElementBytes = 1U << 16;
constexpr std::uint64_t kMostChunkBytes = 1U << 26;
constexpr std::uint64_t kMostRows = 1ULL << 40;
// What deflate can reach; a file that declares more is a trap.
constexpr std::uint64_t kMostRatio = 1032;
constexpr std::uint64_t kMostInflatedBytes = 1ULL << 32;

[[noreturn]] void refuse(const Place& place, const std::string& why) {
  throw DataError(place.path + ": " + place.object + ": " + why);
}

bool is_known(H5Z_filter_t filter) {
  return filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_DEFLATE ||
         filter == H5Z_FILTER_FLETCHER32;
}

}  // namespace

Dataset::Dataset(Handle handle, Type type, Place place, std::uint64_t file_bytes)
    : handle_(std::move(handle)), type_(std::move(type)), place_(std::move(place)) {
  check_attributes(handle_.id(), place_);
  const Handle space(H5Dget_space(handle_.id()), H5Sclose, Failure::data, place_, "H5Dget_space");
  if (H5Sget_simple_extent_ndims(space.id()) != 1) refuse(place_, "not one-dimensional");
  hsize_t rows = 0;
  check(H5Sget_simple_extent_dims(space.id(), &rows, nullptr), Failure::data, place_,
        "H5Sget_simple_extent_dims");
  if (rows > kMostRows || type_.bytes() == 0 || type_.bytes() > kMostElementBytes)
    refuse(place_, "declares an impossible size");
  rows_ = rows;
  check_layout(file_bytes);
  check_stored(file_bytes);
}

void Dataset::check_layout(std::uint64_t file_bytes) {
  const Handle list(H5Dget_create_plist(handle_.id()), H5Pclose, Failure::data, place_,
                    "H5Dget_create_plist");
  if (check(H5Pget_external_count(list.id()), Failure::data, place_, "H5Pget_external_count") != 0)
    refuse(place_, "its values lie in another file (external storage is not read)");
  check_filters(list.id());
  const H5D_layout_t layout = H5Pget_layout(list.id());
  if (layout == H5D_CONTIGUOUS) {
    const haddr_t offset = H5Dget_offset(handle_.id());
    if (rows_ == 0) return;
    if (offset == HADDR_UNDEF) refuse(place_, "has no values");
    // Not rows times type: a reference to a text has 16 bytes here and 8 in memory.
    extent_ = {offset, H5Dget_storage_size(handle_.id())};
    if (extent_.bytes < rows_ * type_.bytes()) refuse(place_, "has fewer bytes than it declares");
    if (offset > file_bytes || extent_.bytes > file_bytes - offset)
      refuse(place_, "reaches beyond the end of the file");
    return;
  }
  if (layout != H5D_CHUNKED)
    refuse(place_, layout == H5D_VIRTUAL ? "a virtual dataset (only plain ones are read)"
                                         : "neither contiguous nor chunked");
  layout_ = Layout::chunked;
  hsize_t chunk = 0;
  check(H5Pget_chunk(list.id(), 1, &chunk), Failure::data, place_, "H5Pget_chunk");
  if (chunk == 0 || chunk > kMostChunkBytes / type_.bytes())
    refuse(place_, "chunks of more than 64 MiB");
}

void Dataset::check_filters(std::int64_t list) {
  const int filters = check(H5Pget_nfilters(list), Failure::data, place_, "H5Pget_nfilters");
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    unsigned configuration = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        check(H5Pget_filter2(list, static_cast<unsigned>(i), &flags, &values, nullptr, name.size(),
                             name.data(), &configuration),
              Failure::data, place_, "H5Pget_filter");
    if (!is_known(filter))
      refuse(place_, "filter " + std::to_string(filter) +
                         " (only shuffle, deflate and Fletcher32 are read)");
    is_compressed_ = is_compressed_ || filter == H5Z_FILTER_DEFLATE;
  }
}

void Dataset::check_stored(std::uint64_t file_bytes) {
  if (rows_ == 0 || layout_ == Layout::contiguous) return;
  const std::uint64_t declared = rows_ * type_.bytes();
  const std::uint64_t stored = H5Dget_storage_size(handle_.id());
  if (stored > file_bytes) refuse(place_, "its chunks are larger than the file");
  const bool fits = is_compressed_
                        ? declared <= kMostInflatedBytes && declared / kMostRatio <= stored
                        : declared <= stored;
  if (!fits)
    refuse(place_, "declares " + human_bytes(static_cast<double>(declared)) + " but stores " +
                       human_bytes(static_cast<double>(stored)));
}

void Dataset::read(std::span<std::byte> out) const {
  const Lock lock;
  if (out.size() != rows_ * type_.bytes())
    throw InternalError("h5::Dataset::read of " + place_.object + ": buffer of another size");
  if (rows_ == 0) return;
  check(H5Dread(handle_.id(), type_.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()), Failure::data,
        place_, "H5Dread");
}

std::optional<std::uint64_t> Dataset::number_attribute(const std::string& key) const {
  return read_u64(handle_.id(), key, place_);
}

}  // namespace evd::h5
