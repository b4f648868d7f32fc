#pragma once

#include <filesystem>

#include "run/config.hpp"

namespace evd::hands {

/// Takes away what a failed `init` made of a directory; keep() when it succeeded.
class NewDirectory {
 public:
  explicit NewDirectory(std::filesystem::path root);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  void keep() { keep_ = true; }

 private:
  std::filesystem::path root_;
  bool was_there_ = false;
  bool was_empty_ = false;
  bool keep_ = false;
};

/// With base.init = file: looks at the weights, makes their path absolute and notes their digest.
/// DataError when they are not those that base.sha256 names.
void fix_base_weights(run::Config& config);

}  // namespace evd::hands
