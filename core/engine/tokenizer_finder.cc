// SPDX-License-Identifier: Apache-2.0
#include "core/engine/tokenizer_finder.h"

#include <algorithm>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/engine/embedded_vocabulary_reader.h"
#include "core/engine/tokenizer_mistakes.h"
#include "core/model_files/statelib_model.h"

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

// What the rows of published models are a multiple of.
constexpr int64_t kMultiples[] = {1, 8, 16, 32, 64, 128};

bool Pads(int64_t tokens, int64_t rows) {
  return std::any_of(std::begin(kMultiples), std::end(kMultiples), [&](int64_t multiple) {
    return rows == (tokens + multiple - 1) / multiple * multiple;
  });
}

fs::path PathOf(const Shipped& shipped, const fs::path& directory) {
  return directory / shipped.name / "tokenizer.json";
}

fs::path ShippedFor(int64_t rows, const fs::path& directory) {
  if (directory.empty()) return {};
  for (const Shipped& shipped : kShipped)
    if (Pads(shipped.tokens, rows)) return PathOf(shipped, directory);
  return {};
}

FoundTokenizer Load(const fs::path& path) { return {Tokenizer::Load(path), path}; }

/// Whether an embedded vocabulary's tokens are those of a tokenizer, with nothing but padding
/// behind them, which converters have written as unused rows or as tokens "[PAD50277]".
bool HasTokensOf(const tokenizer::EmbeddedVocabulary& vocabulary, const Tokenizer& tokenizer) {
  const size_t count = tokenizer.vocabulary_size();
  if (vocabulary.tokens.size() < count) return false;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string_view token = vocabulary.tokens[id];
    const bool same = id < count ? tokenizer.Content(static_cast<TokenId>(id)) == token
                                 : token.empty() || token.starts_with("[PAD");
    if (!same) return false;
  }
  return true;
}

/// The shipped tokenizer with the tokens of a byte-level vocabulary that does not say how a text is
/// cut, as files written before llama.cpp had names for that.
std::optional<FoundTokenizer> ShippedWith(const tokenizer::EmbeddedVocabulary& vocabulary,
                                          const fs::path& directory) {
  if (directory.empty() || vocabulary.kind != "gpt2" || !vocabulary.pre.empty()) return {};
  const auto rows = static_cast<int64_t>(vocabulary.tokens.size());
  std::error_code ignored;
  for (const Shipped& shipped : kShipped) {
    const fs::path path = PathOf(shipped, directory);
    if (rows < shipped.tokens || !fs::exists(path, ignored)) continue;
    FoundTokenizer found = Load(path);
    if (HasTokensOf(vocabulary, *found.tokenizer)) return found;
  }
  return {};
}

/// What a GGUF file carries: its tokenizer.json whole, or arrays.
std::optional<FoundTokenizer> EmbeddedIn(const model_files::GgufFile& file,
                                         const fs::path& shipped) {
  const std::string name = file.path().string();
  if (const auto* json = file.metadata().Find("tokenizer.huggingface.json"))
    return FoundTokenizer{Tokenizer::Parse(AsBytes(json->String()), name), file.path()};
  const auto vocabulary = ReadEmbeddedVocabulary(file.metadata());
  if (!vocabulary) return {};
  if (auto found = ShippedWith(*vocabulary, shipped)) return found;
  return FoundTokenizer{Tokenizer::Build(*vocabulary, name), file.path()};
}

/// What statelib's own model file carries, if it is one.
std::optional<FoundTokenizer> InContainer(const fs::path& path) {
  try {
    const model_files::StatelibModel container = model_files::OpenStatelibModel(path);
    if (container.tokenizer.empty()) return {};
    return FoundTokenizer{Tokenizer::Parse(AsBytes(container.tokenizer), path.string()), path};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalidArgument) throw;
    RefuseAsTokenizer(path, "weights (safetensors)");
  }
}

FoundTokenizer Find(const model_files::ModelFiles& model_files, int64_t rows,
                    const TokenizerPlaces& places) {
  if (!places.given.empty()) return OpenTokenizerFile(places);
  std::error_code ignored;
  const fs::path beside = model_files.path() / "tokenizer.json";
  if (fs::exists(beside, ignored)) return Load(beside);
  if (model_files.gguf() != nullptr) {
    if (auto embedded = EmbeddedIn(*model_files.gguf(), places.shipped))
      return std::move(*embedded);
  } else if (const Bytes own = model_files.TokenizerJson(); !own.empty()) {
    return {Tokenizer::Parse(own, model_files.path().string()), model_files.path()};
  }
  const fs::path shipped = ShippedFor(rows, places.shipped);
  if (fs::exists(shipped, ignored)) return Load(shipped);
  Throw(ErrorKind::kNotFound,
        "{}: no tokenizer: the model carries none, and none of those that come with statelib fits "
        "its {} tokens; name a tokenizer.json with --tokenizer FILE",
        model_files.path().string(), rows);
}

}  // namespace

FoundTokenizer OpenTokenizerFile(const TokenizerPlaces& places) {
  const fs::path& path = places.given;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) RefuseAsTokenizer(path, "a folder");
  const MappedFile file = MappedFile::Open(path);
  std::optional<FoundTokenizer> embedded;
  if (model_files::BeginsAsGguf(file.bytes())) {
    embedded = EmbeddedIn(model_files::GgufFile::Open(path), places.shipped);
  } else if (model_files::BeginsAsSafetensors(file.bytes())) {
    embedded = InContainer(path);
  } else {
    try {
      return {Tokenizer::Parse(file.bytes(), path.string()), path};
    } catch (const Error&) {
      const std::string what = OtherThanTokenizer(file.bytes());
      if (what.empty()) throw;
      RefuseAsTokenizer(path, what);
    }
  }
  if (embedded) return std::move(*embedded);
  Throw(ErrorKind::kNotFound, "{}: the model file carries no tokenizer; name another file",
        path.string());
}

FoundTokenizer FindTokenizer(const model_files::ModelFiles& model_files, int64_t vocabulary_size,
                             const TokenizerPlaces& places) {
  FoundTokenizer found = Find(model_files, vocabulary_size, places);
  const auto used = static_cast<int64_t>(found.tokenizer->vocabulary_size());
  if (used > vocabulary_size) {
    Throw(ErrorKind::kMismatch,
          "{}: expected at most the model's {} tokens, found {}; it belongs to another model",
          found.path.string(), vocabulary_size, used);
  }
  return found;
}

}  // namespace statelib::engine
