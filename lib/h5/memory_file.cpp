#include "h5/memory_file.hpp"

#include <algorithm>

#include <hdf5.h>

namespace evd::h5 {

namespace {

constexpr std::size_t kChunkBytes = 1U << 18;
// Links and attributes stay in one checksummed object header: no heap or tree to damage.
constexpr unsigned kCompactLinks = 200;
constexpr unsigned kCompactAttributes = 64;

Handle properties(hid_t kind, const Place& place) {
  return {H5Pcreate(kind), H5Pclose, Failure::io, place, "H5Pcreate"};
}

Handle dataset_properties(const Place& place) {
  Handle list = properties(H5P_DATASET_CREATE, place);
  check(H5Pset_obj_track_times(list.id(), false), Failure::io, place, "H5Pset_obj_track_times");
  check(H5Pset_attr_phase_change(list.id(), kCompactAttributes, 0), Failure::io, place,
        "H5Pset_attr_phase_change");
  return list;
}

Handle line(std::uint64_t rows, const Place& place) {
  const hsize_t size = rows;
  return {H5Screate_simple(1, &size, nullptr), H5Sclose, Failure::io, place, "H5Screate_simple"};
}

// Not for texts of variable length: the filter refuses them, and their heap would go unchecked.
void set_chunks(hid_t list, std::uint64_t rows, const Type& type, const Place& place) {
  if (rows == 0 || type.is_variable()) return;
  const hsize_t most = std::max<hsize_t>(1, kChunkBytes / type.bytes());
  const hsize_t chunk = std::min<hsize_t>(rows, most);
  check(H5Pset_chunk(list, 1, &chunk), Failure::io, place, "H5Pset_chunk");
  check(H5Pset_fletcher32(list), Failure::io, place, "H5Pset_fletcher32");
}

Handle create(hid_t file, const std::string& name, hid_t type, std::uint64_t rows, hid_t list,
              const Place& place) {
  const Handle space = line(rows, place);
  return {H5Dcreate2(file, name.c_str(), type, space.id(), H5P_DEFAULT, list, H5P_DEFAULT),
          H5Dclose, Failure::io, place, "H5Dcreate"};
}

}  // namespace

MemoryFile::MemoryFile(std::string name)
    : name_(std::move(name)), memory_(std::make_unique<SparseMemory>()) {
  const Lock lock;
  const Place here = place("");
  const Handle access = access_to(*memory_, here);
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110), Failure::io, here,
        "H5Pset_libver_bounds");
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), Failure::io, here,
        "H5Pset_fclose_degree");
  const Handle creation = properties(H5P_FILE_CREATE, here);
  check(H5Pset_link_phase_change(creation.id(), kCompactLinks, 0), Failure::io, here,
        "H5Pset_link_phase_change");
  check(H5Pset_attr_phase_change(creation.id(), kCompactAttributes, 0), Failure::io, here,
        "H5Pset_attr_phase_change");
  check(H5Pset_obj_track_times(creation.id(), false), Failure::io, here, "H5Pset_obj_track_times");
  file_ = Handle(H5Fcreate(name_.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose,
                 Failure::io, here, "H5Fcreate");
}

MemoryFile::~MemoryFile() { file_.close(); }

void MemoryFile::write(const std::string& name, const Type& type, std::uint64_t rows,
                       std::span<const std::byte> data) {
  const Lock lock;
  const Place here = place("/" + name);
  const Handle list = dataset_properties(here);
  set_chunks(list.id(), rows, type, here);
  const Handle dataset = create(file_.id(), name, type.id(), rows, list.id(), here);
  if (rows == 0) return;
  check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()), Failure::io,
        here, "H5Dwrite");
}

void MemoryFile::write_variable(const std::string& name, std::span<const char* const> texts) {
  write(name, Type::utf8_variable(), texts.size(), std::as_bytes(texts));
}

std::uint64_t MemoryFile::reserve_bytes(const std::string& name, std::uint64_t bytes) {
  const Lock lock;
  const Place here = place("/" + name);
  const Handle list = dataset_properties(here);
  check(H5Pset_alloc_time(list.id(), H5D_ALLOC_TIME_EARLY), Failure::io, here, "H5Pset_alloc_time");
  check(H5Pset_fill_time(list.id(), H5D_FILL_TIME_NEVER), Failure::io, here, "H5Pset_fill_time");
  const Handle dataset = create(file_.id(), name, Type::u8().id(), bytes, list.id(), here);
  if (bytes == 0) return 0;
  const haddr_t offset = H5Dget_offset(dataset.id());
  if (offset == HADDR_UNDEF) fail(Failure::io, here, "H5Dget_offset");
  return offset;
}

void MemoryFile::raw_attribute(const std::string& object, const std::string& key, const Type& type,
                               std::size_t count, const void* data) {
  const Lock lock;
  const Place here = place(object + "@" + key);
  const Handle owner(H5Oopen(file_.id(), object.c_str(), H5P_DEFAULT), H5Oclose, Failure::io, here,
                     "H5Oopen");
  const Handle space = count == 1
                           ? Handle(H5Screate(H5S_SCALAR), H5Sclose, Failure::io, here, "H5Screate")
                           : line(count, here);
  const Handle attribute(
      H5Acreate2(owner.id(), key.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose, Failure::io, here, "H5Acreate");
  check(H5Awrite(attribute.id(), type.id(), data), Failure::io, here, "H5Awrite");
}

void MemoryFile::attribute(const std::string& object, const std::string& key,
                           std::string_view text) {
  const std::string padded = text.empty() ? std::string(1, '\0') : std::string(text);
  raw_attribute(object, key, Type::utf8(padded.size()), 1, padded.data());
}

void MemoryFile::attribute(const std::string& object, const std::string& key,
                           std::uint64_t number) {
  raw_attribute(object, key, Type::u64(), 1, &number);
}

void MemoryFile::attribute(const std::string& object, const std::string& key,
                           std::span<const std::int32_t> numbers) {
  raw_attribute(object, key, Type::i32(), numbers.size(), numbers.data());
}

FileImage MemoryFile::finish() {
  const Lock lock;
  const Place here = place("");
  check(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), Failure::io, here, "H5Fflush");
  hsize_t bytes = 0;
  check(H5Fget_filesize(file_.id(), &bytes), Failure::io, here, "H5Fget_filesize");
  check(file_.close(), Failure::io, here, "H5Fclose");
  if (memory_->bytes().size() != bytes) fail(Failure::io, here, "keeping the file's memory");
  return FileImage(std::move(*memory_));
}

}  // namespace evd::h5
