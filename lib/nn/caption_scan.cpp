#include "nn/caption_scan.hpp"

namespace evd::nn {

bool is_boundary(TextView text, std::size_t at) {
  const bool before = at > 0 && is_word(text[at - 1]);
  const bool after = at < text.size() && is_word(text[at]);
  return before != after;
}

bool stands_at(TextView text, std::size_t at, TextView what) {
  return at <= text.size() && text.substr(at).starts_with(what);
}

CodePoints replaced(TextView text, Rule rule, TextView by) {
  CodePoints result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = rule(text, at);
    if (end > at) {
      result += by;
      at = end;
    } else {
      result += text[at++];
    }
  }
  return result;
}

TextView stripped(TextView text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace evd::nn
