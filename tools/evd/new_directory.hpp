#pragma once

#include <filesystem>
#include <optional>

#include "core/log.hpp"
#include "run/config.hpp"
#include "run/lease.hpp"

namespace evd::hands {

/// The directory of a campaign in the making, held for this process alone: of two `init` at once
/// one goes on. Takes away what a failed one made of it; keep() when it succeeded.
class NewDirectory {
 public:
  /// ConfigurationError when it is not free (run::NewCampaign) or another init is at it.
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
  Log log_{"evd", 0};
  std::optional<run::Lease> lease_;
};

/// With base.init = file: looks at the weights, makes their path absolute and notes their digest.
/// DataError when they are not those that base.sha256 names.
void fix_base_weights(run::Config& config);

}  // namespace evd::hands
