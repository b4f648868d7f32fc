#include "teacher/retry.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace evd::teacher {
namespace {

constexpr double kBase_s = 1;
constexpr double kCap_s = 30;
constexpr double kLongest_s = 31 * 86400.0;  // beyond that a hint means: not now

std::optional<double> parse_number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> parse_date(const std::string& text) {
  std::tm parts = {};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<double>(timegm(&parts));
}

WaitHint judge(double seconds) {
  if (!(seconds > 0)) return {};
  return {std::min(seconds, kLongest_s)};
}

}  // namespace

WaitHint retry_after(const std::string& retry_after_ms, const std::string& retry_after,
                     double now_unix_s) {
  if (const auto milliseconds = parse_number(retry_after_ms)) return judge(*milliseconds / 1000);
  if (const auto seconds = parse_number(retry_after)) return judge(*seconds);
  if (const auto date = parse_date(retry_after)) return judge(*date - now_unix_s);
  return {};
}

double backoff_s(int failures, const WaitHint& hint, Random random) {
  const double limit_s = std::min(kCap_s, kBase_s * std::exp2(std::clamp(failures, 0, 16)));
  const double pause_s = random.uniform() * limit_s;
  return std::max(pause_s, hint.seconds) + 0.1 * hint.seconds * random.uniform();
}

}  // namespace evd::teacher
