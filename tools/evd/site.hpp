#pragma once

#include <filesystem>
#include <string>

namespace evd::hands {

/// The prefix that this program was installed under: bin/ is below it.
[[nodiscard]] std::filesystem::path program_prefix();
/// A program of ours beside this one; ConfigurationError when it is not there.
[[nodiscard]] std::filesystem::path sibling_program(const std::string& name);

/// What DIR/site.toml is to hold: the site file (configs/sites/NAME.toml, or a path) with the
/// prefix of the programs. ConfigurationError with the known names when there is no such site, or
/// when the file is none (run/site.hpp).
[[nodiscard]] std::string site_text(const std::string& name);

}  // namespace evd::hands
