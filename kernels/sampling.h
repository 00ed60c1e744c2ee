// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_SAMPLING_H_
#define STATELIB_KERNELS_SAMPLING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/memory.h"

/// How one token is chosen from one row of logits. A choice depends on its row and its parameters
/// alone, on every backend, in any batch and on any number of threads: sums are sums of integers,
/// so they have no order, and the random number belongs to (seed, position). Each step, in order:
///
///  1. Penalties, in f32. x[i] = logits[i] for every id i that is a token. If it was seen,
///       x = x > 0 ? x / repetition_penalty : x * repetition_penalty.
///     If it stands in the answer n > 0 times,
///       x = x - (presence_penalty + frequency_penalty * n).
///  2. Biases: x = x + value.
///  3. Tokens that are not allowed leave, and those whose x is not a number.
///     A token is likelier than another one if its x is larger, or equal and its id smaller.
///     Temperature 0 ends here: the likeliest token is the choice.
///  4. Temperature. The weight of a token is the integer
///       w = floor(exp((x - largest x) * (1 / temperature)) * 2^38),
///     where exp and everything in it is f32 (exact/math.h); the weight of an x that equals the
///     largest is 2^38, also where that is infinite.
///  5. Top-k keeps the top_k likeliest tokens.
///  6. Top-p keeps the fewest likeliest tokens whose weights together reach
///       max(1, ceil(floor(top_p * 2^63) * total / 2^63)),
///     total being the weight of what step 5 kept.
///  7. Min-p keeps tokens whose weight is at least ceil(min_p * 2^38), min_p of the likeliest's.
///  8. The draw takes the first kept token, in the order of ids, with which the sum of the kept
///     weights exceeds floor(random * total / 2^64), total being the weight of what step 7 kept and
///     random 64 bits of Philox4x32-10 (exact/philox.h).
///
/// Steps 5 to 7 have the order of Hugging Face's generate(); the penalties are those of its
/// repetition_penalty and of OpenAI's presence_penalty and frequency_penalty, which count the
/// answer alone.
///
/// Log-probabilities are those of the model itself: of the logits as they come, before step 1, of
/// all tokens whose logit is a number, by the weights of temperature 1:
///   log p[i] = (logits[i] - largest logit) - log(sum of w / 2^38).
namespace statelib::kernels {

/// More tokens than this could have weights whose sum does not fit 63 bits.
inline constexpr size_t kSampleTokensMax = size_t{1} << 24;

/// A token that the sequence has read or chosen.
struct SeenToken {
  int32_t id = 0;
  uint32_t in_answer = 0;  ///< how often it was chosen; 0: it stands before the answer alone
};

struct TokenBias {
  int32_t id = 0;
  float value = 0;
};

/// The parameters of one sequence's next choice. Everything is in host memory and the caller's. Ids
/// that are no tokens are left out; none stands in a list twice. The parameters are valid: finite
/// numbers in the ranges that are said here.
struct SampleRow {
  float temperature = 0;         ///< 0, or normal and above 0
  uint32_t top_k = 0;            ///< 0 keeps all
  double top_p = 1;              ///< (0, 1]
  double min_p = 0;              ///< [0, 1]
  float repetition_penalty = 1;  ///< normal and above 0
  float presence_penalty = 0;
  float frequency_penalty = 0;
  std::span<const SeenToken> seen = {};
  std::span<const TokenBias> biases = {};
  /// Bit i % 32 of word i / 32 says whether token i may be chosen. Empty: every token.
  std::span<const uint32_t> allowed = {};
  uint64_t seed = 0;
  uint64_t position = 0;  ///< of the choice in its answer, from 0
  /// Asks for log-probabilities: of the chosen token and of so many likeliest ones.
  std::optional<uint32_t> log_probabilities = {};
};

/// A token and the natural logarithm of its probability.
struct TokenLogProbability {
  int32_t token = 0;
  double value = 0;

  bool operator==(const TokenLogProbability&) const = default;
};

struct SampleResult {
  /// The chosen token; below 0 where no token that is allowed has an x that is a number. Nothing
  /// else is set then.
  int32_t id = -1;
  double log_probability = 0;  ///< where it was asked for
  /// The likeliest tokens, likeliest first, by id where they are equal. Fewer than were asked for
  /// where there are fewer.
  std::vector<TokenLogProbability> best = {};

  bool operator==(const SampleResult&) const = default;
};

struct SampleArgs {
  ConstRows logits;  // [sequences, vocabulary], f32, in the backend's memory
  size_t tokens;     // ids from there on are no tokens; 1 to vocabulary and to kSampleTokensMax
  std::span<const SampleRow> rows;  // [sequences]
  std::span<SampleResult> results;  // [sequences], written
};

/// Aborts unless the shapes fit together.
void Check(const SampleArgs& args);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_SAMPLING_H_
