#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "h5/file.hpp"

namespace evd::h5 {

/// Reads bytes of the file that a dataset belongs to.
using ReadAt = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;

/// All texts of a dataset of variable-length strings. HDF5's own code for them trusts the lengths
/// in the file and can be made to write past a buffer, so the references and heap collections
/// (HDF5 File Format Specification 3.0, III.E) are read here, each against its bounds. DataError.
[[nodiscard]] std::vector<std::string> read_variable_texts(const Dataset& dataset,
                                                           std::uint64_t file_bytes,
                                                           const ReadAt& read_at);

}  // namespace evd::h5
