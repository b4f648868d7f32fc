#include "teacher/secret.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::teacher {
namespace {

constexpr std::size_t kLimitBytes = 4096;
// So many of a key's first characters already say something about it.
constexpr std::size_t kTellingChars = 4;

class OpenFile {
 public:
  OpenFile(const std::string& path, const std::string& where)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0)
      throw ConfigurationError(where + " cannot be opened: " +
                               (errno == ELOOP ? "it is a symbolic link" : std::strerror(errno)));
  }
  ~OpenFile() { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int number() const { return descriptor_; }

 private:
  int descriptor_;
};

void require_private(int descriptor, const std::string& where, const std::string& file) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0)
    throw ConfigurationError(where + " cannot be examined: " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw ConfigurationError(where + " is not a regular file");
  if (status.st_uid != ::geteuid())
    throw ConfigurationError(where + " belongs to another user (make one of your own)");
  if ((status.st_mode & 077) != 0)
    throw ConfigurationError(where + " may be read by others (type: chmod 600 " + shell_word(file) +
                             ")");
  if (static_cast<std::size_t>(status.st_size) > kLimitBytes)
    throw ConfigurationError(where + " is larger than 4 KiB: this is no key");
}

std::string read_file(const std::string& path, const std::string& where) {
  const OpenFile file(path, where);
  require_private(file.number(), where, path);
  std::array<char, kLimitBytes> buffer;
  std::string text;
  ssize_t got = 0;
  while ((got = ::read(file.number(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLimitBytes) break;
  }
  explicit_bzero(buffer.data(), buffer.size());
  if (got < 0) throw ConfigurationError(where + " cannot be read: " + std::strerror(errno));
  return text;
}

}  // namespace

Secret::Secret(std::string value, const std::string& where) : value_(std::move(value)) {
  const std::string_view trimmed = trim(value_);
  const std::size_t begin =
      trimmed.empty() ? 0 : static_cast<std::size_t>(trimmed.data() - value_.data());
  const std::size_t length = trimmed.size();
  value_.erase(0, begin);
  value_.resize(length);
  if (value_.empty()) throw ConfigurationError(where + " is empty");
  for (const char c : value_)
    if (c < 0x21 || c > 0x7e)
      throw ConfigurationError(where + " holds bytes that no key has (spaces, line ends, others)");
}

Secret::~Secret() { explicit_bzero(value_.data(), value_.size()); }

Secret::Secret(Secret&& other) noexcept { *this = std::move(other); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  // A short string is copied by a move, so what it leaves behind is overwritten too.
  explicit_bzero(value_.data(), value_.size());
  value_ = other.value_;
  explicit_bzero(other.value_.data(), other.value_.size());
  other.value_.clear();
  return *this;
}

std::string Secret::redact(std::string text) const {
  constexpr std::string_view kInstead = "[key]";
  if (value_.empty()) return text;
  for (std::size_t at = 0; (at = text.find(value_, at)) != std::string::npos; at += kInstead.size())
    text.replace(at, value_.size(), kInstead);
  // A text that was cut to a length may end inside the key.
  for (std::size_t length = value_.size() - 1; length >= kTellingChars; --length)
    if (text.ends_with(std::string_view(value_).substr(0, length)))
      return text.replace(text.size() - length, length, kInstead);
  return text;
}

Secret read_secret(const ServiceOptions& service) {
  if (service.key_env.empty() && service.key_file.empty()) return {};
  // From here on a crash must not write this process's memory to a file.
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!service.key_env.empty()) {
    const std::string where =
        "the key of " + service.name + " (environment variable " + service.key_env + ")";
    const char* value = std::getenv(service.key_env.c_str());
    if (value != nullptr) return Secret(value, where);
    if (service.key_file.empty())
      throw ConfigurationError(where + " is not set (export it, or name a key_file of mode 0600)");
  }
  const std::string where = "the key of " + service.name + " (file " + service.key_file + ")";
  return Secret(read_file(service.key_file, where), where);
}

}  // namespace evd::teacher
