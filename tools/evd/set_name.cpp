#include "set_name.hpp"

#include "core/error.hpp"

namespace evd::hands {

run::StageRef parse_set(const std::string& text) {
  if (text == "init" || text == "start") return {run::Stage::init, 0};
  if (text.find_first_not_of("0123456789") != std::string::npos || text.empty() || text.size() > 6)
    throw UsageError("--set " + text + " is neither a round nor init");
  return {run::Stage::judge, std::stoi(text)};
}

}  // namespace evd::hands
