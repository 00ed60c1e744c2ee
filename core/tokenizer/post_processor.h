// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_POST_PROCESSOR_H_
#define STATELIB_CORE_TOKENIZER_POST_PROCESSOR_H_

#include <optional>
#include <vector>

#include "core/base/history.h"
#include "core/base/json.h"

namespace statelib::tokenizer {

/// The special tokens that a model expects around a whole text, such as one for its beginning.
struct PostProcessor {
  std::vector<TokenId> before;
  std::vector<TokenId> after;

  /// Without `json`, none. Errors: kUnsupported, kCorrupt.
  static PostProcessor FromJson(const std::optional<JsonValue>& json);
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_POST_PROCESSOR_H_
