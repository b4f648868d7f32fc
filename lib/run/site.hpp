#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "run/campaign.hpp"

namespace evd::run {

/// One key of a site file.
struct SiteKey {
  std::string_view name;
  std::string_view flag;  ///< of sbatch; empty = read by the job scripts
  std::string_view help;
};
/// All of them, in the order in which sbatch is given them.
[[nodiscard]] const std::vector<SiteKey>& site_keys();

/// What differs between clusters: configs/sites/NAME.toml, frozen as DIR/site.toml. Lines
/// `key = "value"`, for all stages at first, then for one below `[harvest]`, `[judge]`, `[train]`,
/// `[evaluate]` or `[score]` (which takes what `[judge]` says where it says nothing itself). The
/// job scripts read the same file line by line, hence the narrow form.
class Site {
 public:
  /// ConfigurationError for any other line, an unknown key (with the nearest known one), and for a
  /// key of the job scripts below a stage.
  [[nodiscard]] static Site parse(std::string_view text, std::string_view where);

  /// Value of a key of the job scripts, such as `prefix`; "" when it is not there.
  [[nodiscard]] std::string value(std::string_view key) const;
  /// Options of sbatch for a stage: "--partition=gpu", then the words of `sbatch_options`.
  [[nodiscard]] std::vector<std::string> sbatch_options(Stage stage) const;

 private:
  using Values = std::map<std::string, std::string, std::less<>>;
  std::map<std::string, Values, std::less<>> tables_;  // "" = for all stages
};

}  // namespace evd::run
