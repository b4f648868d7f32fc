#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "mpi/communicator.hpp"
#include "run/config.hpp"

namespace evd::run {

/// The embedded services. When the configuration enables them and a service
/// has base_url = "rehearsal", rank 0 starts `evd-rehearsal serve`, found beside the running
/// program, on an ephemeral port with a random token; every rank gets address and token. The child
/// dies with its parent, whatever the parent dies of: it watches a pipe.
class EmbeddedServices {
 public:
  struct Setup {
    const Config& config;
    std::filesystem::path campaign;  ///< ledgers go to campaign/rehearsal
    std::string job;                 ///< names the ledger of this life
  };
  /// Collective. Starts nothing when no service wants it. ConfigurationError on every rank when
  /// `rehearsal.enabled` is off; on rank 0, while the others wait for its words, when the program
  /// is missing, and ServiceError when it ends or says nothing.
  EmbeddedServices(const Setup& setup, mpi::Communicator& world, const Log& log);
  /// Ends the child.
  ~EmbeddedServices();
  EmbeddedServices(const EmbeddedServices&) = delete;
  EmbeddedServices& operator=(const EmbeddedServices&) = delete;

  /// The configured services, with addresses that can be asked.
  [[nodiscard]] const std::vector<teacher::ServiceOptions>& teachers() const { return teachers_; }
  [[nodiscard]] const teacher::ServiceOptions& vlm() const { return vlm_; }
  /// For Caller::Setup::ready_keys: the token, for the services that run here.
  [[nodiscard]] const std::map<std::string, std::string>& ready_keys() const { return keys_; }
  /// ServiceError when the child has ended on its own: nobody would answer any more, and waiting
  /// for a service to come back is for services that can. For every turn of an event loop; only
  /// rank 0 has the child, the others end with the job.
  void check() const;
  /// Whether anything was started.
  [[nodiscard]] bool running() const { return !keys_.empty(); }

 private:
  class Child;
  void adopt(teacher::ServiceOptions& service, const std::string& base_url,
             const std::string& token);
  std::vector<teacher::ServiceOptions> teachers_;
  teacher::ServiceOptions vlm_;
  std::map<std::string, std::string> keys_;
  std::unique_ptr<Child> child_;
};

}  // namespace evd::run
