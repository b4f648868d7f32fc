#include "doctor_login.hpp"

#include <algorithm>

#include "capture.hpp"
#include "core/text.hpp"
#include "http/trust.hpp"
#include "launcher.hpp"
#include "teacher/secret.hpp"

namespace evd::hands {
namespace {

namespace stdfs = std::filesystem;

std::string first_line(const std::string& text) {
  return std::string(trim(split(trim(text), '\n').front()));
}

bool is_torch(const std::string& program) {
  return program == "evd-train" || program == "evd-evaluate";
}

Check check_trust() {
  const auto trust = http::trust_store();
  if (trust.tls.empty())
    return {Health::failed, "TLS", "this curl speaks none, and a service has an https address",
            "build against a curl with TLS"};
  std::error_code none;
  const bool has_file = !trust.file.empty() && stdfs::exists(trust.file, none) &&
                        stdfs::file_size(trust.file, none) > 0;
  const bool has_directory = !trust.directory.empty() &&
                             stdfs::is_directory(trust.directory, none) &&
                             !stdfs::is_empty(trust.directory, none);
  if (has_file || has_directory)
    return {Health::ok, "TLS",
            trust.tls + ", certificates in " + (has_file ? trust.file : trust.directory)};
  return {Health::failed, "TLS",
          "curl looks for certificates in " + (trust.file.empty() ? trust.directory : trust.file) +
              ", which is not there",
          "install the certificates (ca-certificates on Debian), on every node that asks services"};
}

Check check_key(const std::string& path, const teacher::ServiceOptions& service, bool jobs) {
  const std::string name = "key of " + path;
  if (service.key_env.empty() && service.key_file.empty())
    return {Health::warning, name, "none is configured",
            "none is sent; set " + path + ".key_file if the service wants one"};
  if (jobs && !service.key_env.empty())
    return {Health::failed, name,
            "in the variable " + service.key_env + ", which no job may carry: Slurm stores it",
            "write it into a file of mode 0600 and set " + path + ".key_env= " + path +
                ".key_file=FILE (evd set)"};
  try {
    const auto key = teacher::read_secret(service);
    if (!key.empty())
      return {Health::ok, name,
              service.key_env.empty() ? "in " + service.key_file
                                      : "in the variable " + service.key_env};
    return {Health::failed, name, "it is empty", "put the key where the configuration says"};
  } catch (const Error& error) {
    return {Health::failed, name, error.what(), "put the key where the configuration says"};
  }
}

}  // namespace

std::vector<Check> check_programs(const stdfs::path& prefix) {
  std::vector<Check> checks;
  int started = 0;
  for (const std::string program :
       {"evd-harvest", "evd-judge", "evd-train", "evd-evaluate", "evd-rehearsal", "evd-probe"}) {
    const auto path = prefix / "bin" / program;
    std::error_code none;
    if (!stdfs::exists(path, none)) {
      checks.push_back({Health::failed, "programs", path.string() + " is not there",
                        "install them again: cmake --install BUILD --prefix PREFIX"});
      continue;
    }
    const auto said = capture({path.string(), "--help"});
    if (said.code == 0) {
      ++started;
      continue;
    }
    checks.push_back({Health::failed, is_torch(program) ? "LibTorch" : "programs",
                      path.string() + " does not start: " + first_line(said.err),
                      is_torch(program)
                          ? "LibTorch must lie where the build found it, readable here "
                            "and on every node (README, Installing)"
                          : "load the modules that the programs were built with"});
  }
  if (started == 6)
    checks.push_back({Health::ok, "programs",
                      "all start, from " + (prefix / "bin").string() + "; LibTorch loads"});
  return checks;
}

std::vector<Check> check_services(const run::Config& config, bool jobs) {
  std::vector<std::pair<std::string, teacher::ServiceOptions>> services;
  for (const auto& teacher : config.teachers)
    services.emplace_back("teacher." + teacher.name, teacher);
  services.emplace_back("vlm", config.vlm);
  std::vector<Check> checks;
  bool wants_tls = false;
  std::vector<std::string> asked;
  for (const auto& [path, service] : services) {
    if (service.base_url == "rehearsal" || service.base_url.empty()) continue;
    asked.push_back(path);
    wants_tls = wants_tls || service.base_url.starts_with("https");
    checks.push_back(check_key(path, service, jobs));
  }
  if (wants_tls) checks.push_back(check_trust());
  if (asked.empty())
    return {{Health::ok, "services", "the embedded ones: no key, no certificate is needed"}};
  checks.push_back(
      {Health::unknown, "services",
       "whether " + join(asked, ", ") + " answer is told by the first job: nothing is asked here",
       ""});
  return checks;
}

Check check_mpirun() {
  try {
    const auto command = launch_command(1, {});
    const auto said = capture({command.front(), "--version"});
    if (said.code == 0)
      return {Health::ok, "mpirun", command.front() + ": " + first_line(said.out + said.err)};
    return {Health::failed, "mpirun", command.front() + " does not start: " + first_line(said.err),
            "load your MPI's module, or name another by EVD_MPIRUN"};
  } catch (const Error& error) {
    return {Health::failed, "mpirun", "there is none on PATH",
            "load your MPI's module, or name one by EVD_MPIRUN"};
  }
}

}  // namespace evd::hands
