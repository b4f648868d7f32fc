#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "intake.hpp"

namespace evd::hands {

/// A caption and the picture that goes with it, both looked at.
struct Picture {
  shard::Prompt prompt;
  std::filesystem::path file;
  image::Info info;
};

struct Captions {
  std::vector<Picture> pictures;
  Intake intake;
  data::Remarks lost;  ///< lines whose picture could not be taken, by why

  /// Several lines for a person.
  [[nodiscard]] std::string summary(const std::filesystem::path& file) const;
};

struct CaptionFiles {
  std::filesystem::path captions;    ///< CSV
  std::filesystem::path images;      ///< folder that the names are below
  std::string file_column = "file";  ///< images' names
  std::string caption_column;        ///< "" = caption, prompt or text
};

/// Reads all captions and decodes all their pictures once. A line that cannot be taken is counted
/// and stops nothing. ConfigurationError when a column is missing.
[[nodiscard]] Captions read_captions(const CaptionFiles& files, const run::SetOptions& set);

}  // namespace evd::hands
