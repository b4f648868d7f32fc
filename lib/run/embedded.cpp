#include "run/embedded.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/random.h>
#include <unistd.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "run/child_service.hpp"

namespace evd::run {
namespace {

constexpr std::string_view kAddress = "rehearsal";

bool wants(const teacher::ServiceOptions& service) { return service.base_url == kAddress; }

std::string random_token() {
  std::array<std::uint8_t, 24> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw_errno("getrandom", "the embedded services' token");
  return to_hex(bytes.data(), bytes.size());
}

std::filesystem::path program_beside_us() {
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "evd-rehearsal";
  if (::access(path.c_str(), X_OK) != 0)
    throw ConfigurationError("base_url = \"rehearsal\" needs " + path.string() +
                             ", which is not there (build or install evd-rehearsal, or give the "
                             "address of a service)");
  return path;
}

// An address of this node that the job's other nodes can reach.
std::string node_address() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) throw_errno("getifaddrs", "address of this node");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, &::freeifaddrs);
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    const bool usable = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET &&
                        (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    if (::inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr)
      return text.data();
  }
  throw ConfigurationError(
      "this node has no address that the job's other nodes could reach "
      "(run the embedded services on one node)");
}

// A name that no earlier life has used.
std::filesystem::path free_name(const std::filesystem::path& directory, const std::string& stem,
                                const std::string& extension) {
  auto path = directory / (stem + extension);
  for (int i = 2; std::filesystem::exists(path); ++i)
    path = directory / (stem + "." + std::to_string(i) + extension);
  return path;
}

}  // namespace

class EmbeddedServices::Child {
 public:
  Child(const Setup& setup, const std::string& address) : token_(random_token()) {
    const auto directory = setup.campaign / "rehearsal";
    fs::make_directory(directory);
    const auto config = free_name(directory, "config-" + setup.job, ".toml");
    fs::publish(config, to_toml(setup.config));
    service_ = std::make_unique<ChildService>(
        program_beside_us(),
        std::vector<std::string>{"serve", "--config", config.string(), "--bind", address,
                                 "--ledger",
                                 free_name(directory, "ledger-" + setup.job, ".jsonl").string()},
        token_);
    base_url_ = "http://" + address + ":" + std::to_string(service_->port()) + "/v1";
  }

  [[nodiscard]] const std::string& token() const { return token_; }
  [[nodiscard]] const std::string& base_url() const { return base_url_; }
  void check() {
    if (const auto how = service_->ended())
      throw ServiceError("the embedded services ended (" + *how +
                         "); every answer that came is recorded: start the stage again");
  }

 private:
  std::string token_;
  std::string base_url_;
  std::unique_ptr<ChildService> service_;
};

EmbeddedServices::EmbeddedServices(const Setup& setup, mpi::Communicator& world, const Log& log)
    : teachers_(setup.config.teachers), vlm_(setup.config.vlm) {
  const bool wanted = wants(vlm_) || std::any_of(teachers_.begin(), teachers_.end(), wants);
  if (!wanted) return;
  if (!setup.config.rehearsal.enabled)
    throw ConfigurationError("base_url = \"rehearsal\" needs rehearsal.enabled = true");
  const bool one_node = world.node().size() == world.size();
  nlohmann::json words;
  if (world.rank() == 0) {
    child_ = std::make_unique<Child>(setup, one_node ? "127.0.0.1" : node_address());
    words = {{"base_url", child_->base_url()}, {"token", child_->token()}};
    log.info("the embedded services listen at " + child_->base_url());
  }
  words = nlohmann::json::parse(world.broadcast(words.dump(), 0));
  for (auto& service : teachers_) adopt(service, words["base_url"], words["token"]);
  adopt(vlm_, words["base_url"], words["token"]);
}

EmbeddedServices::~EmbeddedServices() = default;

void EmbeddedServices::check() const {
  if (child_) child_->check();
}

void EmbeddedServices::adopt(teacher::ServiceOptions& service, const std::string& base_url,
                             const std::string& token) {
  if (!wants(service)) return;
  service.base_url = base_url;
  keys_[service.name] = token;
}

}  // namespace evd::run
