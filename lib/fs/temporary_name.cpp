#include "fs/temporary_name.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>

#include <unistd.h>

#include "fs/descriptor.hpp"
#include "fs/publish.hpp"

namespace evd::fs {
namespace {

constexpr std::string_view kMark = ".tmp.";
constexpr auto kForgotten = std::chrono::hours(24);

// The number behind the last dot, which is taken off `text`; nothing when there is none.
std::optional<long long> take_number(std::string_view& text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(dot + 1);
  long long number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  text = text.substr(0, dot);
  return number;
}

bool is_abandoned(const TemporaryOwner& owner, const std::filesystem::path& path) {
  if (owner.host == host_name() && ::kill(owner.pid, 0) != 0 && errno == ESRCH) return true;
  std::error_code error;
  const auto touched = std::filesystem::last_write_time(path, error);
  return !error && std::filesystem::file_time_type::clock::now() - touched > kForgotten;
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<std::uint64_t> counter{0};
  std::string name = "." + path.filename().string() + std::string(kMark) + host_name();
  name += "." + std::to_string(::getpid()) + "." + std::to_string(++counter);
  return directory_of(path) / name;
}

std::optional<TemporaryOwner> parse_temporary_name(std::string_view file_name) {
  if (!file_name.starts_with('.')) return std::nullopt;
  const auto counter = take_number(file_name);
  const auto pid = take_number(file_name);
  const auto mark = file_name.rfind(kMark);
  if (!counter || !pid || *pid <= 0 || mark == std::string_view::npos) return std::nullopt;
  return TemporaryOwner{std::string(file_name.substr(mark + kMark.size())),
                        static_cast<pid_t>(*pid)};
}

std::vector<std::filesystem::path> leftovers(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const auto owner = parse_temporary_name(at->path().filename().string());
    std::error_code ignored;
    const bool is_ours = at->is_regular_file(ignored) || at->is_directory(ignored);
    if (owner && is_ours && is_abandoned(*owner, at->path())) found.push_back(at->path());
  }
  return found;
}

std::size_t remove_leftovers(const std::filesystem::path& directory) {
  std::size_t removed = 0;
  std::error_code ignored;
  for (const auto& path : leftovers(directory))
    removed += std::filesystem::remove_all(path, ignored) > 0 ? 1 : 0;
  return removed;
}

}  // namespace evd::fs
