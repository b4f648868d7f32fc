#include "h5/file.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <hdf5.h>

#include "core/error.hpp"
#include "h5/attribute.hpp"

namespace evd::h5 {
namespace {

constexpr hsize_t kMostLinks = 200;

[[noreturn]] void refuse(const Place& place, const std::string& why) {
  throw DataError(place.path + ": " + (place.object.empty() ? "" : place.object + ": ") + why);
}

// HDF5 would search for its mark at 512, 1024, ... too; ours is at 0.
void check_magic(const std::string& path) {
  static constexpr std::array<char, 8> kMagic = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_errno("open", path);
  std::array<char, 8> start{};
  file.read(start.data(), start.size());
  // A file system that fails says nothing about the file.
  if (file.bad()) throw_errno("read", path);
  if (!file || start != kMagic) refuse({path}, "not an HDF5 file (its first 8 bytes say so)");
}

Handle read_access(const Place& place) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, Failure::io, place, "H5Pcreate");
#if H5_VERSION_GE(1, 10, 7)
  // Published files never change, and locks fail on file systems without flock.
  check(H5Pset_file_locking(access.id(), false, true), Failure::io, place, "H5Pset_file_locking");
#endif
  return access;
}

struct Links {
  std::vector<std::string> names;
  std::string refused;
};

herr_t collect(hid_t, const char* name, const H5L_info_t* info, void* out) {
  auto& links = *static_cast<Links*>(out);
  if (info->type != H5L_TYPE_HARD || links.names.size() >= kMostLinks) {
    links.refused = name;
    return 1;
  }
  links.names.emplace_back(name);
  return 0;
}

}  // namespace

File::File(const std::filesystem::path& path) : path_(path.string()) {
  check_magic(path_);
  const Lock lock;
  const Place here = place("");
  const Handle access = read_access(here);
  file_ = Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose, Failure::data, here,
                 "H5Fopen");
  hsize_t bytes = 0;
  check(H5Fget_filesize(file_.id(), &bytes), Failure::data, here, "H5Fget_filesize");
  bytes_ = std::min<std::uint64_t>(bytes, std::filesystem::file_size(path));
  check_widths();
  check_attributes(file_.id(), place("/"));
  check_links();
}

// Addresses and lengths of 8 bytes: what read_variable_texts counts on.
void File::check_widths() const {
  const Place here = place("");
  const Handle creation(H5Fget_create_plist(file_.id()), H5Pclose, Failure::data, here,
                        "H5Fget_create_plist");
  std::size_t address = 0;
  std::size_t length = 0;
  check(H5Pget_sizes(creation.id(), &address, &length), Failure::data, here, "H5Pget_sizes");
  if (address != 8 || length != 8) refuse(here, "addresses or lengths are not of 8 bytes");
}

void File::check_links() {
  Links links;
  hsize_t index = 0;
  check(H5Literate(file_.id(), H5_INDEX_NAME, H5_ITER_NATIVE, &index, collect, &links),
        Failure::data, place("/"), "H5Literate");
  if (links.names.size() >= kMostLinks)
    refuse(place("/"), "more than " + std::to_string(kMostLinks) + " objects");
  if (!links.refused.empty())
    refuse(place("/" + links.refused.substr(0, 64)),
           "a soft, external or user-defined link (only plain datasets are read)");
  names_ = std::move(links.names);
}

bool File::has(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

Dataset File::dataset(const std::string& name) const {
  const Lock lock;
  const Place here = place("/" + name);
  if (!has(name)) refuse(here, "missing");
  Handle object(H5Oopen(file_.id(), name.c_str(), H5P_DEFAULT), H5Oclose, Failure::data, here,
                "H5Oopen");
  if (H5Iget_type(object.id()) != H5I_DATASET) refuse(here, "not a dataset");
  Type type = Type::adopt(H5Dget_type(object.id()), here);
  return {std::move(object), std::move(type), here, bytes_};
}

std::optional<std::string> File::text_attribute(const std::string& key) const {
  return read_text(file_.id(), key, place("/"));
}

std::optional<std::vector<std::int32_t>> File::numbers_attribute(const std::string& key) const {
  return read_i32s(file_.id(), key, place("/"));
}

}  // namespace evd::h5
