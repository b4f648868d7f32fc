#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "shard/catalog.hpp"

namespace evd::data {

/// One member of the dynamic set: a caption and where its training target lies.
struct Member {
  SampleId id;
  std::string prompt;  ///< as written
  shard::ImageLocation target;
};

/// The members of a published set, in id order: index i means the same member on every rank and in
/// every life. DataError naming file and sample for a member without a target, or named twice.
[[nodiscard]] std::vector<Member> read_members(const std::filesystem::path& set_file);

}  // namespace evd::data
