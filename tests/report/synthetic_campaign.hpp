#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "image/image.hpp"
#include "run/campaign.hpp"
#include "run/create.hpp"
#include "shard/rows.hpp"

namespace evd::report::test {

/// A campaign made of tables alone, without any stage having run: the shape of real ones, with
/// hostile prompts, a refusal, a damaged answer and a prompt in every state.
class SyntheticCampaign {
 public:
  struct Shape {
    int rounds = 3;
    bool scored = true;     ///< score stages and yardstick
    bool evaluated = true;  ///< renders
    bool imported = false;  ///< held-out pictures of nobody that the configuration names, too
  };
  SyntheticCampaign(const std::filesystem::path& root, const Shape& shape);

  static constexpr const char* kHostile = "<script>alert('x')</script> & \"two\" red dogs";

 private:
  void make_prompts();
  void harvest(int round);
  void judge(int round);
  [[nodiscard]] std::vector<shard::Metric> rates(int round);
  void train(int round);
  void evaluate(int round);
  void score(int round);
  void yardstick(int rounds);

  void expand(int round);
  void discriminate(int round, std::vector<shard::Pair>& pairs);
  [[nodiscard]] shard::FileHeader header(const run::StageRef& ref) const;
  [[nodiscard]] std::filesystem::path directory(const run::StageRef& ref) const;
  void publish(const run::StageRef& ref, std::vector<shard::FileEntry> files,
               std::int64_t done) const;
  [[nodiscard]] shard::Image image_row(const shard::Sample& sample, const std::string& teacher,
                                       int round, const image::Rgb& picture) const;

  std::filesystem::path root_;
  run::NewCampaign campaign_;
  std::vector<shard::Sample> set_;
  std::vector<shard::FileEntry> init_files_;
  bool imported_;
  Random random_{1, Purpose::test};
};

}  // namespace evd::report::test
