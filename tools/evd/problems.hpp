#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace evd::hands {

/// What was wrong with the files of a campaign, one line each, while the rest was used.
class Problems {
 public:
  void note(std::string line) {
    if (std::find(lines_.begin(), lines_.end(), line) == lines_.end())
      lines_.push_back(std::move(line));
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace evd::hands
