// SPDX-License-Identifier: Apache-2.0
#include "core/engine/tokenizer_finder.h"

#include <algorithm>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/engine/embedded_vocabulary_reader.h"

namespace statelib::engine {

namespace {

namespace fs = std::filesystem;
using tokenizer::Tokenizer;

/// A tokenizer that comes with the program: its folder's name and its tokens.
struct Shipped {
  const char* name;
  int64_t tokens;
};
constexpr Shipped kShipped[] = {{"gpt-neox-20b", 50277}};

// What the rows of published checkpoints are a multiple of.
constexpr int64_t kMultiples[] = {1, 8, 16, 32, 64, 128};

bool Pads(int64_t tokens, int64_t rows) {
  return std::any_of(std::begin(kMultiples), std::end(kMultiples), [&](int64_t multiple) {
    return rows == (tokens + multiple - 1) / multiple * multiple;
  });
}

fs::path ShippedFor(int64_t rows, const fs::path& directory) {
  if (directory.empty()) return {};
  for (const Shipped& shipped : kShipped) {
    if (Pads(shipped.tokens, rows)) return directory / shipped.name / "tokenizer.json";
  }
  return {};
}

FoundTokenizer Load(const fs::path& path) { return {Tokenizer::Load(path), path}; }

FoundTokenizer Find(const checkpoint::Checkpoint& checkpoint, int64_t rows,
                    const TokenizerPlaces& places) {
  if (!places.given.empty()) return Load(places.given);
  std::error_code ignored;
  const fs::path beside = checkpoint.path() / "tokenizer.json";
  if (fs::exists(beside, ignored)) return Load(beside);
  if (const Bytes own = checkpoint.TokenizerJson(); !own.empty()) {
    return {Tokenizer::Parse(own, checkpoint.path().string()), checkpoint.path()};
  }
  if (checkpoint.gguf() != nullptr) {
    const checkpoint::GgufFile& file = *checkpoint.gguf();
    if (const auto vocabulary = ReadEmbeddedVocabulary(file.metadata())) {
      return {Tokenizer::Build(*vocabulary, file.path().string()), file.path()};
    }
  }
  const fs::path shipped = ShippedFor(rows, places.shipped);
  if (fs::exists(shipped, ignored)) return Load(shipped);
  Throw(ErrorKind::kNotFound,
        "{}: no tokenizer: the model carries none, and none of those that come with statelib fits "
        "its {} tokens; name a tokenizer.json with --tokenizer FILE",
        checkpoint.path().string(), rows);
}

}  // namespace

FoundTokenizer FindTokenizer(const checkpoint::Checkpoint& checkpoint, int64_t vocabulary_size,
                             const TokenizerPlaces& places) {
  FoundTokenizer found = Find(checkpoint, vocabulary_size, places);
  const auto used = static_cast<int64_t>(found.tokenizer->vocabulary_size());
  if (used > vocabulary_size) {
    Throw(ErrorKind::kMismatch,
          "{}: expected at most the model's {} tokens, found {}; it belongs to another model",
          found.path.string(), vocabulary_size, used);
  }
  return found;
}

}  // namespace statelib::engine
