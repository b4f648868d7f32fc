#include "data/line_reader.hpp"

#include <cstring>

#include "core/error.hpp"

namespace evd::data {
namespace {

constexpr std::size_t kBlockBytes = 1 << 18;

}  // namespace

LineReader::LineReader(const std::filesystem::path& path)
    : path_(path), file_(std::fopen(path.c_str(), "rbe")) {
  if (!file_ || std::filesystem::is_directory(path)) {
    if (file_) errno = EISDIR;
    throw_errno("open", path.string());
  }
}

std::optional<Line> LineReader::next() {
  Line line;
  bool any = false;
  while (true) {
    if (at_ == buffer_.size()) {
      buffer_.resize(kBlockBytes);
      buffer_.resize(std::fread(buffer_.data(), 1, kBlockBytes, file_.get()));
      at_ = 0;
      if (std::ferror(file_.get()) != 0) throw_errno("read", path_.string());
      if (buffer_.empty()) break;
      if (number_ == 0 && !any && buffer_.starts_with("\xef\xbb\xbf")) at_ = 3;
    }
    any = true;
    const void* found = std::memchr(buffer_.data() + at_, '\n', buffer_.size() - at_);
    const std::size_t end =
        found == nullptr
            ? buffer_.size()
            : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    const std::size_t room = kMaxLineBytes - line.text.size();
    line.cut = line.cut || end - at_ > room;
    line.text.append(buffer_, at_, std::min(end - at_, room));
    at_ = found == nullptr ? end : end + 1;
    if (found != nullptr) break;
  }
  if (!any) return std::nullopt;
  if (!line.cut && line.text.ends_with('\r')) line.text.pop_back();
  line.number = ++number_;
  return line;
}

}  // namespace evd::data
