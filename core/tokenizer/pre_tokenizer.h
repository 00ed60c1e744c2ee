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

/// The later ones of Llama 3, Qwen 2, Qwen 3.5 (whose words hold marks) and Mistral (tekken).
inline constexpr std::string_view kLlama3Expression =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwen2Expression =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwen35Expression =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)"
    R"(|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kTekkenExpression =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// What DeepSeek's tokenizers cut first, one after the other: line breaks, then words.
inline constexpr std::string_view kLineBreak = "[\r\n]";
inline constexpr std::string_view kDeepseekCoderWord = R"(\s?\p{L}+)";
inline constexpr std::string_view kDeepseekLlmWord =
    "\\s?["
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293"
    "\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c"
    "\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5"
    "\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59"
    "\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
    "\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107"
    "\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
    "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee"
    "\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e"
    "\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f"
    "\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2"
    "\U000118a0-\U000118df\U0001e900-\U0001e943"
    "]+";

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
  kPasses,   ///< cuts both sides as if each stood alone; whether there too is not told
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
