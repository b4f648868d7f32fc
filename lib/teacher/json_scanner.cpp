#include "teacher/json_scanner.hpp"

#include <nlohmann/json.hpp>

namespace evd::teacher {
namespace {

constexpr std::size_t kMaxDepth = 64;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

void JsonScanner::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

bool JsonScanner::fail() {
  failed_ = true;
  at_ = text_.size();
  return false;
}

char JsonScanner::peek() {
  skip_space();
  if (failed_ || at_ >= text_.size()) {
    fail();
    return '\0';
  }
  return text_[at_];
}

bool JsonScanner::open(char bracket) {
  if (peek() != bracket) return fail();
  ++at_;
  after_open_ = true;
  return true;
}

// Passes the comma before the next member, or the closing bracket; false at the end.
bool JsonScanner::separator(char close) {
  const char c = peek();
  if (failed_) return false;
  if (c == close) {
    ++at_;
    after_open_ = false;
    return false;
  }
  if (after_open_) {
    after_open_ = false;
    return true;
  }
  if (c != ',') return fail();
  ++at_;
  return true;
}

std::optional<std::string_view> JsonScanner::key() {
  if (!separator('}')) return std::nullopt;
  const auto name = string();
  if (!name || peek() != ':') {
    fail();
    return std::nullopt;
  }
  ++at_;
  return name;
}

bool JsonScanner::element() {
  if (!separator(']')) return false;
  return peek() != '\0';
}

std::optional<std::string_view> JsonScanner::string() {
  if (peek() != '"') {
    fail();
    return std::nullopt;
  }
  const std::size_t begin = ++at_;
  for (;;) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      fail();
      return std::nullopt;
    }
    // An odd number of backslashes before it makes the quote part of the string.
    std::size_t backslashes = 0;
    while (quote - backslashes > begin && text_[quote - backslashes - 1] == '\\') ++backslashes;
    at_ = quote + 1;
    if (backslashes % 2 == 0) {
      after_open_ = false;
      return text_.substr(begin, quote - begin);
    }
  }
}

bool JsonScanner::skip_nested() {
  std::string closers;
  do {
    const char c = peek();
    if (failed_) return false;
    if (c == '"') {
      if (!string()) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') closers += c == '{' ? '}' : ']';
    if (closers.size() > kMaxDepth) return fail();
    if (c == '}' || c == ']') {
      if (closers.empty() || closers.back() != c) return fail();
      closers.pop_back();
    }
  } while (!closers.empty());
  return true;
}

std::string_view JsonScanner::value() {
  const char c = peek();
  if (failed_) return {};
  const std::size_t begin = at_;
  if (c == '"') {
    if (!string()) return {};
  } else if (c == '{' || c == '[') {
    if (!skip_nested()) return {};
  } else {
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ',' && text_[at_] != '}' &&
           text_[at_] != ']')
      ++at_;
    if (at_ == begin) {
      fail();
      return {};
    }
  }
  after_open_ = false;
  return text_.substr(begin, at_ - begin);
}

bool JsonScanner::complete() {
  skip_space();
  return !failed_ && at_ == text_.size();
}

bool is_whole_json(std::string_view text) {
  JsonScanner scanner(text);
  scanner.value();
  return scanner.complete();
}

std::optional<std::string> unescape_json(std::string_view raw) {
  std::string quoted;
  quoted.reserve(raw.size() + 2);
  quoted.append("\"").append(raw).append("\"");
  const auto parsed = nlohmann::json::parse(quoted, nullptr, false);
  if (!parsed.is_string()) return std::nullopt;
  return parsed.get<std::string>();
}

}  // namespace evd::teacher
