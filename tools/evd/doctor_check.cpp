#include "doctor_check.hpp"

#include <algorithm>

#include "text_table.hpp"

namespace evd::hands {

std::string to_text(const std::vector<Check>& checks) {
  std::string text;
  for (const auto& check : checks) {
    text += padded(std::string(name(check.health)), 9) + padded(check.name, 16) + check.what + "\n";
    if (!check.next.empty()) text += std::string(25, ' ') + "-> " + check.next + "\n";
  }
  return text;
}

ExitCode exit_code_of(const std::vector<Check>& checks) {
  const auto failed = std::find_if(checks.begin(), checks.end(), [](const auto& check) {
    return check.health == Health::failed;
  });
  return failed == checks.end() ? ExitCode::done : failed->code;
}

}  // namespace evd::hands
