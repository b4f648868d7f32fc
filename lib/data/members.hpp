#pragma once

#include <cstdint>
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
  std::int32_t round_added = 0;  ///< round whose judge wrote it; 0 for the start set
  bool human = false;            ///< categories of the prompt
  bool text = false;
  bool multi = false;
};

/// The members of a published set, in id order: index i means the same member on every rank and in
/// every life. DataError naming file and sample for a member without a target, or named twice.
[[nodiscard]] std::vector<Member> read_members(const std::filesystem::path& set_file);

}  // namespace evd::data
