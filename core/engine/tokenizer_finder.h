// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_TOKENIZER_FINDER_H_
#define STATELIB_CORE_ENGINE_TOKENIZER_FINDER_H_

#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/model_files/model_files.h"
#include "core/tokenizer/tokenizer.h"

namespace statelib::engine {

/// Where a model's tokenizer may come from besides the model itself.
struct TokenizerPlaces {
  std::filesystem::path given;    ///< a file, taken before the model's own; empty: none
  std::filesystem::path shipped;  ///< the folder of those that come with the program; empty: none
};

struct FoundTokenizer {
  std::unique_ptr<tokenizer::Tokenizer> tokenizer;
  std::filesystem::path path;  ///< its tokenizer.json, or the file that embeds it
};

/// The tokenizer of the file `places.given`: a tokenizer.json, or a GGUF or statelib-model file of
/// whatever model. Errors: kInvalidArgument, with what it is instead, for a folder and for the
/// files that lie beside a tokenizer.json; kNotFound for no file, or a model file without a
/// tokenizer; those of Tokenizer.
FoundTokenizer OpenTokenizerFile(const TokenizerPlaces& places);

/// The tokenizer of a model whose head has `vocabulary_size` rows. In this order: the given one;
/// tokenizer.json in the model's folder, or whole in its file; what a GGUF file embeds, or the
/// shipped one with the same tokens where the file does not say how they are used; a
/// shipped one whose number of tokens, padded as published models pad it, is that of the rows:
/// the original state-spaces files carry none. Errors: kNotFound, which names --tokenizer;
/// kMismatch for a tokenizer of more tokens than the model has; those of OpenTokenizerFile.
FoundTokenizer FindTokenizer(const model_files::ModelFiles& model_files, int64_t vocabulary_size,
                             const TokenizerPlaces& places);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_TOKENIZER_FINDER_H_
