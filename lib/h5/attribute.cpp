#include "h5/attribute.hpp"

#include <hdf5.h>

#include "core/error.hpp"
#include "h5/type.hpp"

namespace evd::h5 {
namespace {

constexpr hsize_t kMostAttributeBytes = 1U << 16;
constexpr unsigned kMostAttributes = 64;

struct Tally {
  unsigned count = 0;
  std::string too_large;
};

herr_t weigh(hid_t, const char* name, const H5A_info_t* info, void* out) {
  auto& tally = *static_cast<Tally*>(out);
  if (info->data_size > kMostAttributeBytes) tally.too_large = name;
  return !tally.too_large.empty() || ++tally.count > kMostAttributes ? 1 : 0;
}

[[noreturn]] void refuse(const Place& place, const std::string& key, const std::string& why) {
  throw DataError(place.path + ": " + (place.object.empty() ? "" : place.object + ": ") +
                  "attribute " + key + " " + why);
}

struct Opened {
  Handle handle;
  Type type;
  std::uint64_t count;
};

std::optional<Opened> open(hid_t object, const std::string& key, const Place& place) {
  const htri_t exists = check(H5Aexists(object, key.c_str()), Failure::data, place, "H5Aexists");
  if (exists == 0) return std::nullopt;
  Handle handle(H5Aopen(object, key.c_str(), H5P_DEFAULT), H5Aclose, Failure::data, place,
                "H5Aopen");
  const Handle space(H5Aget_space(handle.id()), H5Sclose, Failure::data, place, "H5Aget_space");
  const auto count = check(H5Sget_simple_extent_npoints(space.id()), Failure::data, place,
                           "H5Sget_simple_extent_npoints");
  Type type = Type::adopt(H5Aget_type(handle.id()), place);
  // A size of 64 KiB bounds both, and their product cannot overflow.
  if (static_cast<hsize_t>(count) > kMostAttributeBytes || type.bytes() > kMostAttributeBytes ||
      static_cast<hsize_t>(count) * type.bytes() > kMostAttributeBytes)
    refuse(place, key, "is larger than 64 KiB");
  return Opened{std::move(handle), std::move(type), static_cast<std::uint64_t>(count)};
}

void read(const Opened& attribute, void* out, const Place& place) {
  check(H5Aread(attribute.handle.id(), attribute.type.id(), out), Failure::data, place, "H5Aread");
}

}  // namespace

void check_attributes(std::int64_t object, const Place& place) {
  const Lock lock;
  Tally tally;
  hsize_t index = 0;
  check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, &index, weigh, &tally), Failure::data,
        place, "H5Aiterate");
  if (!tally.too_large.empty())
    refuse(place, tally.too_large.substr(0, 64), "is larger than 64 KiB");
  if (tally.count > kMostAttributes)
    throw DataError(place.path + ": " + place.object + " has more than " +
                    std::to_string(kMostAttributes) + " attributes");
}

std::optional<std::string> read_text(std::int64_t object, const std::string& key,
                                     const Place& place) {
  const Lock lock;
  const auto attribute = open(object, key, place);
  if (!attribute) return std::nullopt;
  const auto bytes = attribute->type.fixed_text_bytes();
  if (!bytes || attribute->count != 1)
    refuse(place, key, "is " + attribute->type.describe() + ", expected a text of fixed length");
  std::string text(*bytes, '\0');
  read(*attribute, text.data(), place);
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  return text;
}

std::optional<std::uint64_t> read_u64(std::int64_t object, const std::string& key,
                                      const Place& place) {
  const Lock lock;
  const auto attribute = open(object, key, place);
  if (!attribute) return std::nullopt;
  if (!(attribute->type == Type::u64()) || attribute->count != 1)
    refuse(place, key, "is " + attribute->type.describe() + ", expected one uint64");
  std::uint64_t number = 0;
  read(*attribute, &number, place);
  return number;
}

std::optional<std::vector<std::int32_t>> read_i32s(std::int64_t object, const std::string& key,
                                                   const Place& place) {
  const Lock lock;
  const auto attribute = open(object, key, place);
  if (!attribute) return std::nullopt;
  if (!(attribute->type == Type::i32()))
    refuse(place, key, "is " + attribute->type.describe() + ", expected int32");
  std::vector<std::int32_t> numbers(attribute->count);
  if (!numbers.empty()) read(*attribute, numbers.data(), place);
  return numbers;
}

}  // namespace evd::h5
