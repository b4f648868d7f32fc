#include "h5/type.hpp"

#include <hdf5.h>

namespace evd::h5 {
namespace {

const Place kType{"HDF5 type"};

Handle copy(hid_t type) { return {H5Tcopy(type), H5Tclose, Failure::io, kType, "H5Tcopy"}; }

Handle text(std::size_t bytes, H5T_cset_t set) {
  Handle type = copy(H5T_C_S1);
  check(H5Tset_size(type.id(), bytes), Failure::io, kType, "H5Tset_size");
  check(H5Tset_cset(type.id(), set), Failure::io, kType, "H5Tset_cset");
  const auto padding = bytes == H5T_VARIABLE ? H5T_STR_NULLTERM : H5T_STR_NULLPAD;
  check(H5Tset_strpad(type.id(), padding), Failure::io, kType, "H5Tset_strpad");
  return type;
}

std::string enum_members(hid_t type) {
  std::string members;
  const int count = H5Tget_nmembers(type);
  for (int i = 0; i < count && i < 16; ++i) {
    char* member = H5Tget_member_name(type, static_cast<unsigned>(i));
    if (member == nullptr) continue;
    members += (i == 0 ? "" : ", ") + std::string(member).substr(0, 64);
    H5free_memory(member);
  }
  return members;
}

std::string number(hid_t type, std::string_view kind) {
  std::string name = std::string(kind) + std::to_string(8 * H5Tget_size(type));
  if (H5Tget_order(type) == H5T_ORDER_BE) name += " big-endian";
  return name;
}

}  // namespace

Type Type::i32() {
  const Lock lock;
  return Type(copy(H5T_STD_I32LE));
}
Type Type::i64() {
  const Lock lock;
  return Type(copy(H5T_STD_I64LE));
}
Type Type::u8() {
  const Lock lock;
  return Type(copy(H5T_STD_U8LE));
}
Type Type::u64() {
  const Lock lock;
  return Type(copy(H5T_STD_U64LE));
}
Type Type::f32() {
  const Lock lock;
  return Type(copy(H5T_IEEE_F32LE));
}
Type Type::f64() {
  const Lock lock;
  return Type(copy(H5T_IEEE_F64LE));
}
Type Type::ascii(std::size_t bytes) {
  const Lock lock;
  return Type(text(bytes, H5T_CSET_ASCII));
}
Type Type::utf8(std::size_t bytes) {
  const Lock lock;
  return Type(text(bytes, H5T_CSET_UTF8));
}
Type Type::utf8_variable() {
  const Lock lock;
  return Type(text(H5T_VARIABLE, H5T_CSET_UTF8));
}

Type Type::enumeration(std::span<const std::string_view> names) {
  const Lock lock;
  Handle type(H5Tenum_create(H5T_STD_U8LE), H5Tclose, Failure::io, kType, "H5Tenum_create");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto value = static_cast<std::uint8_t>(i);
    check(H5Tenum_insert(type.id(), std::string(names[i]).c_str(), &value), Failure::io, kType,
          "H5Tenum_insert");
  }
  return Type(std::move(type));
}

Type Type::adopt(std::int64_t id, const Place& place) {
  return Type(Handle(id, H5Tclose, Failure::data, place, "reading the type"));
}

std::size_t Type::bytes() const {
  const Lock lock;
  return H5Tget_size(id());
}

bool Type::operator==(const Type& other) const {
  const Lock lock;
  return H5Tequal(id(), other.id()) > 0;
}

std::optional<std::size_t> Type::fixed_text_bytes() const {
  const Lock lock;
  if (H5Tget_class(id()) != H5T_STRING || H5Tis_variable_str(id()) != 0) return std::nullopt;
  return H5Tget_size(id());
}

bool Type::is_variable() const {
  const Lock lock;
  return H5Tis_variable_str(id()) > 0;
}

std::string Type::describe() const {
  const Lock lock;
  switch (H5Tget_class(id())) {
    case H5T_INTEGER:
      return number(id(), H5Tget_sign(id()) == H5T_SGN_NONE ? "uint" : "int");
    case H5T_FLOAT:
      return number(id(), "float");
    case H5T_ENUM:
      return "enum (" + enum_members(id()) + ")";
    case H5T_STRING: {
      const std::string set = H5Tget_cset(id()) == H5T_CSET_UTF8 ? "UTF-8" : "ASCII";
      if (H5Tis_variable_str(id()) > 0) return "variable-length " + set;
      return set + " of " + std::to_string(H5Tget_size(id())) + " bytes";
    }
    default:
      return "another type";
  }
}

}  // namespace evd::h5
