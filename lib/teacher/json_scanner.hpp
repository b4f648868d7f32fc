#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace evd::teacher {

/// Walks over JSON text and gives the places of values without building them: an answer of
/// 100 KB that is one base64 string is passed at the speed of memchr. Deeper than 64 levels counts
/// as damaged. After the first fault every call gives nothing.
///
///   scanner.open('{');
///   while (auto key = scanner.key()) { if (*key == "data") ... else scanner.value(); }
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  /// The next value's first character: '{', '[', '"', a digit, '-', 't', 'f', 'n'; '\0' at a fault.
  [[nodiscard]] char peek();
  /// Enters an object ('{') or array ('['); false and a fault when the next value is another.
  bool open(char bracket);
  /// Next key of the open object, as it is written (escapes kept); nothing at its end.
  [[nodiscard]] std::optional<std::string_view> key();
  /// Whether the open array has another element, which must then be read or skipped.
  [[nodiscard]] bool element();
  /// Inside of a string value, as it is written (escapes kept).
  [[nodiscard]] std::optional<std::string_view> string();
  /// Passes one value of any kind and gives its text.
  std::string_view value();
  /// No fault, and nothing but white space is left.
  [[nodiscard]] bool complete();
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void skip_space();
  bool fail();
  bool skip_nested();
  bool separator(char close);

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
  bool after_open_ = false;
};

/// Whether `text` is one value with its brackets closed in order and at most 64 levels deep: fit to
/// be parsed. Numbers, words and commas are not looked at.
[[nodiscard]] bool is_whole_json(std::string_view text);

/// The text that an escaped JSON string stands for; nothing when an escape or its UTF-8 is damaged.
[[nodiscard]] std::optional<std::string> unescape_json(std::string_view raw);

}  // namespace evd::teacher
