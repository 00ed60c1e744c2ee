// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_GOLDEN_FILE_H_
#define STATELIB_CORE_ENGINE_GOLDEN_FILE_H_

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/history.h"
#include "core/base/segment.h"
#include "core/model_files/tensor_file.h"

namespace statelib::engine {

/// One part of a state in a golden file.
struct GoldenCache {
  int32_t layer = 0;
  SegmentKind kind = SegmentKind::kConv;
  const model_files::TensorRef* tensor = nullptr;
};

/// What another implementation recorded, as tests/golden/README.md has it. Move-only.
class GoldenFile {
 public:
  /// Errors: those of OpenSafetensors; kCorrupt for a prompt without a token, or ids outside the
  /// vocabulary.
  static GoldenFile Open(const std::filesystem::path& path, int64_t vocabulary);

  const std::vector<TokenId>& prompt() const { return prompt_; }
  const std::vector<TokenId>& greedy() const { return greedy_; }  ///< empty: not recorded
  /// A tensor's values; empty where it is not recorded. Errors: kCorrupt for another number of
  /// them.
  std::vector<float> Values(const char* name, size_t elements) const;
  /// The parts of states that may be compared with a segment.
  const std::vector<GoldenCache>& caches() const { return caches_; }
  /// The names of the parts of states whose kinds no segment here has ("cache.1.keys"), and of
  /// tensors that are none of a golden file.
  const std::vector<std::string>& without_place() const { return without_place_; }
  const std::vector<std::string>& unknown() const { return unknown_; }
  /// The names of what was recorded with a NaN or an infinity.
  const std::vector<std::string>& not_finite() const { return not_finite_; }

 private:
  explicit GoldenFile(model_files::TensorFile file) : file_(std::move(file)) {}
  void Sort(const model_files::TensorRef& tensor);

  model_files::TensorFile file_;
  std::vector<TokenId> prompt_;
  std::vector<TokenId> greedy_;
  std::vector<GoldenCache> caches_;
  std::vector<std::string> without_place_;
  std::vector<std::string> unknown_;
  std::vector<std::string> not_finite_;
};

/// Whether no value is NaN or infinite.
bool IsFinite(std::span<const float> values);

/// A recorded part of a state in the order of its segment, [(head,) column, channel]; recorded is
/// [1, (head,) channel, column], a convolution window also with the oldest column in front, which
/// no later token sees and which is left out here. Errors: kCorrupt for any other shape.
std::vector<float> ReadAsSegment(const model_files::TensorRef& tensor, const SegmentSpec& spec);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_GOLDEN_FILE_H_
