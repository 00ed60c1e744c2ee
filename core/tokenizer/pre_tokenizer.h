// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_PRE_TOKENIZER_H_
#define STATELIB_CORE_TOKENIZER_PRE_TOKENIZER_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/pattern.h"

namespace statelib::tokenizer {

/// How GPT-2 cuts text (Radford et al. 2019), as ByteLevel uses it.
inline constexpr std::string_view kGpt2Expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// The later ones of Llama 3, Qwen 2 and Mistral (tekken).
inline constexpr std::string_view kLlama3Expression =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwen2Expression =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kTekkenExpression =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// A text and the pieces of it that are still to be read, in order. Steps that change the text
/// rewrite all of it; what lies between pieces is gone.
struct PreTokens {
  std::string text;
  std::vector<Span> pieces;
  bool at_input_begin = false;  ///< the text's first byte is the first of the whole input
};

/// Whether a word ends between two bytes: an ASCII letter and a space or line feed.
constexpr bool IsWordEnd(char before, char after) {
  const bool letter = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z');
  return letter && (after == ' ' || after == '\n');
}

/// What a step does where a word ends.
enum class AtWordEnds {
  kCuts,     ///< always cuts there, and cuts both sides as if each stood alone
  kPasses,   ///< never cuts there, and cuts both sides as if each stood alone
  kDepends,  ///< nothing is known
};

/// One step that cuts pieces further or rewrites them. Immutable, thread-safe.
class PreTokenizerStep {
 public:
  virtual ~PreTokenizerStep() = default;
  virtual void Apply(PreTokens& tokens) const = 0;
  virtual AtWordEnds at_word_ends() const { return AtWordEnds::kDepends; }
};

/// Cuts normalised text into the pieces that the model reads one by one. Every component of
/// tokenizer.json becomes one or more steps. Immutable, thread-safe.
class PreTokenizer {
 public:
  using Steps = std::vector<std::unique_ptr<const PreTokenizerStep>>;

  /// Without `json`, the whole text is one piece. Errors: kUnsupported, kCorrupt.
  static PreTokenizer FromJson(const std::optional<JsonValue>& json);
  /// Byte-level: each expression cuts what those before it left together; matches stand alone.
  static PreTokenizer ByteLevel(std::span<const std::string_view> expressions);

  PreTokens Cut(std::string text, bool at_input_begin) const;

  /// Whether a text that is cut after some words, each an ASCII letter before a space or line feed,
  /// gives the same pieces part by part.
  bool CutsAfterWords() const;

  /// The pieces are plain bytes whose characters in the byte alphabet the model is to read: the
  /// last step of most byte-level tokenizers, left to the model because it is a table look-up
  /// there.
  bool leaves_bytes() const { return leaves_bytes_; }

 private:
  Steps steps_;
  bool leaves_bytes_ = false;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_PRE_TOKENIZER_H_
