#include "site.hpp"

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "run/site.hpp"

namespace evd::hands {
namespace {

namespace stdfs = std::filesystem;

stdfs::path sites_directory() {
  return program_prefix() / "share" / "evolvedirector" / "configs" / "sites";
}

std::vector<std::string> known_sites() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : stdfs::directory_iterator(sites_directory(), ignored))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

stdfs::path site_file(const std::string& name) {
  std::error_code ignored;
  if (name.find('/') != std::string::npos || name.ends_with(".toml")) {
    if (stdfs::exists(name, ignored)) return name;
    throw ConfigurationError("there is no site file " + name);
  }
  const auto file = sites_directory() / (name + ".toml");
  if (stdfs::exists(file, ignored)) return file;
  const auto known = known_sites();
  const auto best = nearest(name, known);
  throw ConfigurationError(
      "there is no site " + name + (best ? " (did you mean " + *best + "?)" : "") +
      "; sites: " + (known.empty() ? "none in " + sites_directory().string() : join(known, ", ")) +
      "; a path of your own file will do too");
}

}  // namespace

stdfs::path program_prefix() {
  std::error_code trouble;
  const auto self = stdfs::read_symlink("/proc/self/exe", trouble);
  if (trouble) throw IoError("read /proc/self/exe: " + trouble.message());
  return self.parent_path().parent_path();
}

stdfs::path sibling_program(const std::string& name) {
  const auto path = program_prefix() / "bin" / name;
  std::error_code ignored;
  if (!stdfs::exists(path, ignored))
    throw ConfigurationError(path.string() + " is not there (it is built and installed with evd)");
  return path;
}

std::string site_text(const std::string& name) {
  const auto file = site_file(name);
  const std::string given = fs::read_text(file, 1 << 20);
  static_cast<void>(run::Site::parse(given, file.string()));
  // The prefix comes first: what follows a [stage] belongs to that stage.
  std::string text = "prefix = \"" + program_prefix().string() + "\"\n";
  for (const auto& line : split(given, '\n'))
    if (!line.starts_with("prefix")) text += line + "\n";
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace evd::hands
