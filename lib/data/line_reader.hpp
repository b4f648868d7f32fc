#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace evd::data {

/// One line of a file, without its end.
struct Line {
  std::int64_t number = 0;  ///< from 1
  std::string text;
  bool cut = false;  ///< was longer than kMaxLineBytes; the rest is left out
};

/// Reads a file line by line in bounded memory, whatever is in it. A byte order mark at its begin
/// and carriage returns at line ends are taken away.
class LineReader {
 public:
  static constexpr std::size_t kMaxLineBytes = 1 << 20;

  /// IoError when the file cannot be opened.
  explicit LineReader(const std::filesystem::path& path);
  [[nodiscard]] std::optional<Line> next();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace evd::data
