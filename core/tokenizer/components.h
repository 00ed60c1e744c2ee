// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_COMPONENTS_H_
#define STATELIB_CORE_TOKENIZER_COMPONENTS_H_

#include <memory>
#include <vector>

#include "core/base/digest.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/bpe.h"
#include "core/tokenizer/decoder.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/post_processor.h"
#include "core/tokenizer/pre_tokenizer.h"

namespace statelib::tokenizer {

/// All that a tokenizer is made of, whatever format described it.
struct Components {
  Digest fingerprint;  ///< of the description
  std::vector<AddedToken> added_tokens;
  std::unique_ptr<const Normalizer> normalizer;
  PreTokenizer pre_tokenizer;
  Bpe model;
  PostProcessor post_processor;
  Decoder decoder;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_COMPONENTS_H_
