#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace evd::nn {

/// Shape of a T5 v1.1 encoder (gated GELU, no biases, one table of relative positions). The
/// defaults are those of T5 v1.1 XXL.
struct T5Options {
  int d_model = 4096;  ///< channels of a token
  int d_kv = 64;       ///< channels of a head
  int heads = 64;
  int d_ff = 10240;  ///< hidden channels of the feed-forward part
  int layers = 24;
  int vocab = 32128;
  int buckets = 32;        ///< of relative positions, half of them for each direction
  int max_distance = 128;  ///< from here on all distances share the last bucket
  double eps = 1e-6;
};

/// The shape that transformers' config.json states; `path` is that file, or the folder or the
/// weights' file that it lies beside. DataError, one line: what is no T5 v1.1, or a number that is
/// missing or makes no sense.
[[nodiscard]] T5Options read_t5_options(const std::filesystem::path& path);

/// DataError with `where` when sizes make no sense.
void check(const T5Options& options, const std::string& where);

/// Bucket of the distance key - query, 0 to buckets - 1 (transformers, _relative_position_bucket,
/// bidirectional; in float as there, since rounding decides where a bucket begins).
[[nodiscard]] int relative_bucket(std::int64_t distance, const T5Options& options);

}  // namespace evd::nn
