#include "shard/verify.hpp"

#include "core/error.hpp"
#include "fs/file.hpp"
#include "shard/instances.hpp"
#include "shard/manifest.hpp"

namespace evd::shard {
namespace {

class Verifier {
 public:
  Verifier(std::filesystem::path directory, Depth depth, const DecodePicture& decode)
      : directory_(std::move(directory)), depth_(depth), decode_(decode) {}

  Verified run() {
    guarded([&] {
      const auto manifest = read_manifest(directory_);
      if (!manifest)
        throw DataError(directory_.string() + ": no MANIFEST.json (the stage is not finished)");
      if (content_of(manifest->files) != manifest->content)
        report(directory_ / "MANIFEST.json", "its content digest is not that of its files");
      for (const auto& file : manifest->files) guarded([&] { check(file); });
    });
    return std::move(result_);
  }

 private:
  // A problem in one file never hides those of the next.
  template <class Check>
  void guarded(Check check) {
    try {
      check();
    } catch (const std::exception& error) {
      result_.problems.emplace_back(error.what());
    }
  }
  void report(const std::filesystem::path& path, const std::string& what) {
    result_.problems.push_back(path.string() + ": " + what);
  }

  void check(const FileEntry& file) {
    const auto path = directory_ / file.name;
    if (!std::filesystem::exists(path)) return report(path, "missing");
    ++result_.files;
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
    result_.bytes += bytes;
    if (bytes != file.bytes)
      return report(
          path, std::to_string(bytes) + " bytes, the manifest says " + std::to_string(file.bytes));
    if (fs::sha256_file(path) != file.sha256)
      report(path, "its SHA-256 is not that of the manifest (the file is damaged or was replaced)");
    if (!file.table.empty()) check_as_listed(path, file);
  }

  void check_as_listed(const std::filesystem::path& path, const FileEntry& file) {
    bool is_known = false;
#define EVD_CASE(Row)                    \
  if (file.table == table_name<Row>()) { \
    is_known = true;                     \
    check_table<Row>(path, file);        \
  }
    EVD_SHARD_ROWS(EVD_CASE)
#undef EVD_CASE
    if (!is_known) report(path, "the manifest lists an unknown table " + file.table.substr(0, 64));
  }

  template <class Row>
  void check_table(const std::filesystem::path& path, const FileEntry& file) {
    const Table<Row> table(path);
    if (table.rows() != file.rows)
      report(path, std::to_string(table.rows()) + " rows, the manifest says " +
                       std::to_string(file.rows));
    if (depth_ != Depth::deep) return;
    const auto rows = table.read();
    result_.rows += table.rows();
    if (content_digest<Row>(rows) != file.content)
      report(path, "its content digest is not that of the manifest");
    if constexpr (std::is_same_v<Row, Image>)
      for (std::size_t i = 0; i < rows.size(); ++i)
        guarded([&] { check_picture(path, table, rows[i], static_cast<std::int64_t>(i)); });
  }

  void check_picture(const std::filesystem::path& path, const Table<Image>& table, const Image& row,
                     std::int64_t number) {
    const Blob bytes = table.blob(number);
    const std::string where = "row " + std::to_string(number) + ": ";
    if ((row.outcome == Outcome::ok) == bytes.empty())
      return report(path, where + (bytes.empty() ? "no picture although its outcome is ok"
                                                 : "a picture although its outcome is not ok"));
    if (bytes.empty()) return;
    ++result_.pictures;
    if (sha256(Bytes(bytes)) != row.sha256)
      return report(path, where + "its sha256 is not that of its bytes");
    try {
      if (decode_) decode_(row, bytes);
    } catch (const std::exception& error) {
      report(path, where + error.what());
    }
  }

  std::filesystem::path directory_;
  Depth depth_;
  const DecodePicture& decode_;
  Verified result_;
};

}  // namespace

Verified verify_directory(const std::filesystem::path& directory, Depth depth,
                          const DecodePicture& decode) {
  return Verifier(directory, depth, decode).run();
}

}  // namespace evd::shard
