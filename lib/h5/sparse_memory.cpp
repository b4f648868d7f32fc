#include "h5/sparse_memory.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <new>
#include <utility>

#include <hdf5.h>
#include <sys/mman.h>

#if H5_VERSION_GE(1, 14, 0)
#include <H5FDdevelop.h>
#endif

namespace evd::h5 {

SparseMemory::~SparseMemory() {
  if (data_ != nullptr) ::munmap(data_, capacity_);
}

SparseMemory::SparseMemory(SparseMemory&& other) noexcept { *this = std::move(other); }

SparseMemory& SparseMemory::operator=(SparseMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

bool SparseMemory::resize(std::uint64_t bytes) {
  constexpr std::size_t kLeastBytes = 64U << 10;
  if (bytes > capacity_) {
    const std::size_t wanted = std::max<std::size_t>({bytes, 2 * capacity_, kLeastBytes});
    // Moved by its page tables: what was never touched stays untouched.
    void* data = data_ == nullptr ? ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                  : ::mremap(data_, capacity_, wanted, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) return false;
    data_ = static_cast<std::byte*>(data);
    capacity_ = wanted;
  }
  size_ = std::max<std::size_t>(size_, bytes);
  return true;
}

namespace {

/// An open file, as HDF5 sees it.
struct OpenFile {
  H5FD_t base;  // first: HDF5 hands back a pointer to it
  SparseMemory* memory;
  haddr_t allotted;
};

OpenFile& of(H5FD_t* file) { return *reinterpret_cast<OpenFile*>(file); }
const OpenFile& of(const H5FD_t* file) { return *reinterpret_cast<const OpenFile*>(file); }

H5FD_t* open_file(const char*, unsigned, hid_t access, haddr_t) {
  const void* info = H5Pget_driver_info(access);
  if (info == nullptr) return nullptr;
  auto* file = new (std::nothrow) OpenFile{};
  if (file == nullptr) return nullptr;
  std::memcpy(&file->memory, info, sizeof file->memory);
  return &file->base;
}

herr_t close_file(H5FD_t* file) {
  delete &of(file);
  return 0;
}

// Never the same file twice.
int compare(const H5FD_t* a, const H5FD_t* b) {
  return std::less<>()(a, b) ? -1 : static_cast<int>(a != b);
}

herr_t query(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

haddr_t allotted(const H5FD_t* file, H5FD_mem_t) { return of(file).allotted; }

herr_t allot(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file).allotted = end;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) { return of(file).memory->bytes().size(); }

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes, void* out) {
  const auto all = of(file).memory->bytes();
  const std::size_t there = at < all.size() ? std::min<std::size_t>(bytes, all.size() - at) : 0;
  if (there > 0) std::memcpy(out, all.data() + at, there);
  std::memset(static_cast<std::byte*>(out) + there, 0, bytes - there);
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes, const void* in) {
  SparseMemory& memory = *of(file).memory;
  if (!memory.resize(at + bytes)) return -1;
  std::memcpy(memory.bytes().data() + at, in, bytes);
  return 0;
}

herr_t truncate(H5FD_t* file, hid_t, hbool_t) {
  return of(file).memory->resize(of(file).allotted) ? 0 : -1;
}

H5FD_class_t driver_class() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 14, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(H5_VFD_RESERVED + 0x76);
#endif
  driver.name = "evolvedirector sparse memory";
  driver.maxaddr = haddr_t{1} << 62;
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.fapl_size = sizeof(SparseMemory*);
  driver.open = open_file;
  driver.close = close_file;
  driver.cmp = compare;
  driver.query = query;
  driver.get_eoa = allotted;
  driver.set_eoa = allot;
  driver.get_eof = end_of_file;
  driver.read = read;
  driver.write = write;
  driver.truncate = truncate;
  constexpr H5FD_mem_t kMap[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(kMap), std::end(kMap), std::begin(driver.fl_map));
  return driver;
}

// HDF5 keeps the pointer. Registered once a process, and given back when HDF5 ends.
hid_t driver(const Place& place) {
  static const H5FD_class_t the_class = driver_class();
  static const hid_t id = H5FDregister(&the_class);
  return check(id, Failure::io, place, "H5FDregister");
}

}  // namespace

Handle access_to(SparseMemory& memory, const Place& place) {
  const Lock lock;
  Handle list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, Failure::io, place, "H5Pcreate");
  SparseMemory* address = &memory;
  check(H5Pset_driver(list.id(), driver(place), &address), Failure::io, place, "H5Pset_driver");
  return list;
}

}  // namespace evd::h5
