// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_TOKENIZER_H_
#define STATELIB_CORE_TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "core/base/history.h"

namespace statelib::tokenizer {

class Decoder;
struct EmbeddedVocabulary;

/// Whether Encode() adds the tokens that the file's post-processor puts around a whole text (a
/// beginning-of-text token). GPT-NeoX's file asks for none.
enum class AddSpecial { kNo, kYes };

/// Text to token ids and back, as a Hugging Face tokenizer.json or a GGUF file describes it. The
/// same text gives the same ids as the published library, token for token. Immutable; thread-safe
/// once loaded.
class Tokenizer {
  struct Parts;

 public:
  /// Reads a tokenizer.json. Errors: kNotFound, kIo; kCorrupt for a file that contradicts itself;
  /// kUnsupported, with the place and what is supported, for components that this build lacks.
  static std::unique_ptr<Tokenizer> Load(const std::filesystem::path& tokenizer_json);
  /// The same from memory; `name` stands for the file in messages.
  static std::unique_ptr<Tokenizer> Parse(ByteSpan json, const std::string& name);
  /// From the arrays that a GGUF file embeds. Errors: those of ComponentsOf().
  static std::unique_ptr<Tokenizer> Build(const EmbeddedVocabulary& vocabulary,
                                          const std::string& name);
  explicit Tokenizer(std::unique_ptr<const Parts> parts);  ///< for the functions above
  ~Tokenizer();

  /// Token ids of any bytes. Every maximal sequence that is not UTF-8 is read as U+FFFD. The text
  /// of a special token becomes that token. O(n log n) in bytes. Errors: kInvalidArgument for more
  /// than 64 MiB.
  std::vector<TokenId> Encode(std::string_view text,
                              AddSpecial add_special = AddSpecial::kYes) const;

  /// Whether a text may be cut after words, each an ASCII letter before a space or line feed: the
  /// ids of the parts, without specials, are then those of the whole. So with GPT-NeoX's and most
  /// byte-level tokenizers.
  bool CutsAfterWords() const;

  /// What AddSpecial::kYes puts before and behind a whole text.
  struct SpecialsAround {
    std::span<const TokenId> before, after;
  };
  SpecialsAround Specials() const;

  /// The text of token ids, always valid UTF-8. Ids without a token decode to nothing; so do
  /// special tokens with `skip_special`.
  std::string Decode(std::span<const TokenId> ids, bool skip_special = false) const;

  /// The highest id and one. A model's embedding may have more rows.
  size_t vocabulary_size() const;
  bool IsSpecial(TokenId id) const;
  /// The token with exactly this text as it stands in the file ("Ġthe", "<|endoftext|>").
  std::optional<TokenId> Find(std::string_view content) const;
  /// A token's text as it stands in the file; empty for an id without a token. Valid while the
  /// tokenizer lives.
  std::optional<std::string_view> Content(TokenId id) const;
  /// The bytes that a token adds to decoded text: maybe part of a character; none for an id without
  /// a token.
  std::string BytesOf(TokenId id) const;

  /// The hash of the whole file or, for embedded ones, of their arrays and flags.
  const Digest& fingerprint() const;

 private:
  friend class StreamDecoder;

  const Decoder& decoder() const;

  std::unique_ptr<const Parts> parts_;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_TOKENIZER_H_
