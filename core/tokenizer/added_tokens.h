// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_ADDED_TOKENS_H_
#define STATELIB_CORE_TOKENIZER_ADDED_TOKENS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/history.h"
#include "core/base/json.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/pattern.h"

namespace statelib::tokenizer {

/// A token that is found in the text before anything else looks at it.
struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;  ///< only where no word character stands beside it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space behind it along
  bool normalized = false;   ///< looked for in the normalised text, not in the text as given
  bool special = false;      ///< left out of decoded text on request
};

/// Reads the list "added_tokens". Tokens without content are dropped, as they can never be found.
/// Errors: kCorrupt.
std::vector<AddedToken> ReadAddedTokens(const std::optional<JsonValue>& json);

/// Errors: kUnsupported, with `location` as the place, for a content that is too long to be looked
/// for.
void RequireContentLength(const AddedToken& token, const std::string& location);

/// Finds added tokens in text: leftmost, the longest where several begin. Immutable, thread-safe.
class AddedTokenMatcher {
 public:
  /// Of `tokens`, those whose `normalized` is as given; their contents are normalised first.
  AddedTokenMatcher(const std::vector<AddedToken>& tokens, bool normalized,
                    const Normalizer& normalizer);

  /// A part of a text: an added token, or the text between two.
  struct Part {
    Span span;
    std::optional<TokenId> token;
  };
  /// Cuts valid UTF-8 into its parts, in order; empty ones are left out.
  std::vector<Part> Split(std::string_view text) const;

 private:
  struct Entry {
    TokenId id;
    bool single_word;
    bool lstrip;
    bool rstrip;
  };
  /// A byte of a content in the tree of all contents; 0 stands for "none" in links.
  struct Node {
    uint32_t child = 0;
    uint32_t sibling = 0;
    uint32_t entry_and_one = 0;
    char byte = 0;
  };
  struct Found {
    Span span;
    const Entry* entry;
  };

  void Add(const AddedToken& token, const Normalizer& normalizer);
  void Insert(std::string_view content, const Entry& entry);
  uint32_t ChildOf(uint32_t node, char byte) const;
  std::optional<Found> FindFrom(std::string_view text, size_t from) const;
  bool StandsAlone(std::string_view text, const Span& span) const;

  std::vector<Entry> entries_;
  std::vector<Node> nodes_;
  std::optional<Pattern> word_character_;  // only when a token is single_word
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_ADDED_TOKENS_H_
