#pragma once

#include <filesystem>
#include <string>

namespace evd::test {

/// A directory of its own below the system's temporary directory, removed at the end of the test;
/// kept, and named, when EVD_KEEP_TEMP is set.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Writes a text file as a user's editor would.
void write_file(const std::filesystem::path& path, const std::string& text);
/// The whole of a file; throws when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace evd::test
