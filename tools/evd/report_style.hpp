#pragma once

#include <string_view>

namespace evd::report {

/// The page's style sheet: one column on a phone, a grid on a desk, light and dark.
extern const std::string_view kStyle;

}  // namespace evd::report
