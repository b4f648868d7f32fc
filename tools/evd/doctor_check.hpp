#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum.hpp"
#include "core/error.hpp"

namespace evd::hands {

/// unknown = it could not be found out here; nothing is concluded from it.
enum class Health : std::uint8_t { ok, warning, failed, unknown };

/// One thing that was looked at.
struct Check {
  Health health = Health::ok;
  std::string name;
  std::string what;                         ///< what was found
  std::string next;                         ///< what to do about it; empty when it is ok
  ExitCode code = ExitCode::configuration;  ///< what the program ends with when this failed
};

/// One line a check, and a second one for what to do.
[[nodiscard]] std::string to_text(const std::vector<Check>& checks);
/// The code of the first that failed; done when none did.
[[nodiscard]] ExitCode exit_code_of(const std::vector<Check>& checks);

}  // namespace evd::hands

namespace evd {
template <>
struct EnumNames<hands::Health> {
  static constexpr std::array<std::string_view, 4> value = {"ok", "warning", "failed", "unknown"};
};
}  // namespace evd
