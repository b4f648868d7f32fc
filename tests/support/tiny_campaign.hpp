#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {

/// A campaign of a dozen prompts on the embedded services, in a directory of its own.
class TinyCampaign {
 public:
  /// What `evd init` reads, a prompt a line.
  struct Texts {
    std::string prompts;
    std::string heldout;
  };
  /// Scenes that the embedded services understand, 14 and 6.
  [[nodiscard]] static Texts scenes();
  /// Runs `evd init` with support/tiny.toml and these settings; fails the test when it fails.
  explicit TinyCampaign(const std::vector<std::string>& settings = {},
                        const Texts& texts = scenes());

  /// A copy of another as it is now.
  TinyCampaign(const TinyCampaign& other);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// What `evd init` told.
  [[nodiscard]] const std::string& told() const { return told_; }
  /// `evd VERB DIR arguments...`
  [[nodiscard]] Finished evd(const std::string& verb,
                             const std::vector<std::string>& arguments = {},
                             const std::map<std::string, std::string>& environment = {}) const;
  /// `mpirun -n ranks evd-STAGE DIR arguments...`
  [[nodiscard]] Command stage_command(const std::string& name, int ranks,
                                      const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment) const;
  /// Starts it and waits.
  [[nodiscard]] Finished stage(const std::string& name, int ranks,
                               const std::vector<std::string>& arguments,
                               const std::map<std::string, std::string>& environment = {}) const;
  /// Runs the chain and fails the test, with the log, when it does not end well.
  void run(int rounds, int ranks = 2) const;

  /// The chain of `rounds` rounds as program and arguments, in an order that respects what reads
  /// what.
  struct Step {
    std::string program;
    std::vector<std::string> arguments;
    std::string directory;  ///< relative to the campaign
  };
  [[nodiscard]] static std::vector<Step> chain(int rounds);

  /// Content digest of every finished stage: "rounds/0001/judge" -> hex.
  [[nodiscard]] std::map<std::string, std::string> contents() const;

 private:
  TempDir directory_;
  std::filesystem::path path_;
  std::string told_;
};

}  // namespace evd::test
