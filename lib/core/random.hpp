#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace evd {

/// What a random number is for. The value is part of the key, so never renumber.
enum class Purpose : std::uint32_t {
  start_set = 1,     ///< which pool prompts start
  heldout = 2,       ///< which prompts are held out
  data_order = 3,    ///< permutation of a round's training stream
  timestep = 4,      ///< diffusion timestep of a training sample
  noise = 5,         ///< diffusion noise of a training sample
  caption_drop = 6,  ///< classifier-free guidance: which captions are dropped
  weights = 7,       ///< initial weights
  render_share = 8,  ///< which members are rendered for the judge
  render_noise = 9,  ///< start noise of a rendered picture
  pair_order = 10,   ///< which image is shown first, tournament order
  mutation = 11,     ///< whether a deleted prompt mutates, and its length style
  choose = 12,       ///< judge.choose = random(p)
  draw_policy = 13,  ///< bandit draws
  size_bucket = 14,  ///< size of a new prompt
  word_vector = 15,  ///< frozen hashed word vectors
  backoff = 16,      ///< jitter; never part of a result
  rehearsal = 17,    ///< painter, reader and faults of the embedded services
  score_share = 18,  ///< which held-out prompts score uses
  latent = 19,       ///< posterior of a picture's latents, anew at each visit
  stratum = 20,      ///< which stretch of the schedule each sample of a step gets
  held_out = 21,     ///< which samples are never trained on
  test = 1000,       ///< tests
};

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), keyed by (campaign seed,
/// purpose, global id, step). Nothing is carried over between calls of other keys, so the numbers
/// are the same whatever the rank, the world size or the order of work.
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::uint64_t id = 0, std::uint64_t step = 0);

  [[nodiscard]] std::uint32_t next_u32();
  [[nodiscard]] std::uint64_t next_u64();
  /// Uniform in [0, 1), 53 bits.
  [[nodiscard]] double uniform();
  /// Uniform in [0, bound), without modulo bias; bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// Standard normal (Box-Muller).
  [[nodiscard]] double normal();
  /// Fills with standard normals.
  void fill_normal(std::span<float> out);

 private:
  void refill();
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
  double spare_ = 0.0;
  bool has_spare_ = false;
};

/// One Philox4x32-10 block, for known-answer tests.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

/// Fisher-Yates permutation of 0..count-1.
[[nodiscard]] std::vector<std::uint32_t> permutation(Random random, std::uint32_t count);

}  // namespace evd
