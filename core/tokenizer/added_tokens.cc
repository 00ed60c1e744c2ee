// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/vocabulary.h"

namespace statelib::tokenizer {

namespace {

// Bounds the cost of looking for a token at every byte of a text.
constexpr size_t kContentBytesMax = 4096;

constexpr std::string_view kWordCharacter = R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}])";

AddedToken ReadAddedToken(const JsonValue& json) {
  AddedToken token;
  token.id = static_cast<TokenId>(json["id"].Int(0, kIdsMax - 1));
  token.content = json["content"].String();
  RequireContentLength(token, json["content"].Path());
  token.single_word = BoolOr(json, "single_word", false);
  token.lstrip = BoolOr(json, "lstrip", false);
  token.rstrip = BoolOr(json, "rstrip", false);
  token.special = BoolOr(json, "special", false);
  token.normalized = BoolOr(json, "normalized", !token.special);
  return token;
}

}  // namespace

void RequireContentLength(const AddedToken& token, const std::string& location) {
  if (token.content.size() <= kContentBytesMax) return;
  Throw(ErrorKind::kUnsupported, "{}: expected at most {} bytes, found {}", location,
        kContentBytesMax, token.content.size());
}

std::vector<AddedToken> ReadAddedTokens(const std::optional<JsonValue>& json) {
  std::vector<AddedToken> tokens;
  if (!json) return tokens;
  json->ForEach([&](const JsonValue& element) {
    AddedToken token = ReadAddedToken(element);
    if (!token.content.empty()) tokens.push_back(std::move(token));
  });
  return tokens;
}

AddedTokenMatcher::AddedTokenMatcher(const std::vector<AddedToken>& tokens, bool normalized,
                                     const Normalizer& normalizer)
    : nodes_(1) {
  // Of contents that normalise to the same text the first one stays, and special tokens go first.
  for (const bool special : {true, false}) {
    for (const AddedToken& token : tokens) {
      if (token.special == special && token.normalized == normalized) Add(token, normalizer);
    }
  }
}

void AddedTokenMatcher::Add(const AddedToken& token, const Normalizer& normalizer) {
  std::string content = token.content;
  if (token.normalized) normalizer.Apply(content);
  Insert(content, {token.id, token.single_word, token.lstrip, token.rstrip});
  if (token.single_word && !word_character_) {
    word_character_ = Pattern::Expression(kWordCharacter, "added_tokens");
  }
}

uint32_t AddedTokenMatcher::ChildOf(uint32_t node, char byte) const {
  uint32_t child = nodes_[node].child;
  while (child != 0 && nodes_[child].byte != byte) child = nodes_[child].sibling;
  return child;
}

void AddedTokenMatcher::Insert(std::string_view content, const Entry& entry) {
  if (content.empty()) return;
  uint32_t node = 0;
  for (const char byte : content) {
    uint32_t child = ChildOf(node, byte);
    if (child == 0) {
      child = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({0, nodes_[node].child, 0, byte});
      nodes_[node].child = child;
    }
    node = child;
  }
  if (nodes_[node].entry_and_one != 0) return;
  entries_.push_back(entry);
  nodes_[node].entry_and_one = static_cast<uint32_t>(entries_.size());
}

std::optional<AddedTokenMatcher::Found> AddedTokenMatcher::FindFrom(std::string_view text,
                                                                    size_t from) const {
  if (entries_.empty()) return std::nullopt;
  for (size_t begin = from; begin < text.size(); ++begin) {
    const Entry* longest = nullptr;
    size_t longest_end = begin;
    uint32_t node = 0;
    for (size_t at = begin; at < text.size(); ++at) {
      node = ChildOf(node, text[at]);
      if (node == 0) break;
      if (nodes_[node].entry_and_one == 0) continue;
      longest = &entries_[nodes_[node].entry_and_one - 1];
      longest_end = at + 1;
    }
    if (longest != nullptr) return Found{{begin, longest_end}, longest};
  }
  return std::nullopt;
}

bool AddedTokenMatcher::StandsAlone(std::string_view text, const Span& span) const {
  const auto is_word_character = [&](std::string_view character) {
    PatternSearch search(*word_character_);
    search.Start(character);
    Span match;
    return search.Next(match);
  };
  if (span.begin > 0) {
    const size_t before = LastCharacterBegin(text.substr(0, span.begin));
    if (is_word_character(text.substr(before, span.begin - before))) return false;
  }
  if (span.end == text.size()) return true;
  return !is_word_character(text.substr(span.end, FrontUnit(text.substr(span.end)).length));
}

std::vector<AddedTokenMatcher::Part> AddedTokenMatcher::Split(std::string_view text) const {
  std::vector<Part> parts;
  size_t done = 0;  // everything before is in `parts`
  size_t from = 0;
  while (const auto found = FindFrom(text, from)) {
    from = found->span.end;
    if (found->entry->single_word && !StandsAlone(text, found->span)) continue;
    Span span = found->span;
    if (found->entry->lstrip) {
      span.begin = std::max(done, span.begin - TrailingWhiteSpace(text.substr(0, span.begin)));
    }
    if (found->entry->rstrip) span.end += LeadingWhiteSpace(text.substr(span.end));
    // A token inside the white space that the one before took along is still a token, so `done` may
    // go back, unless it would take that white space along itself; the published library reads it
    // so.
    if (done < span.begin) parts.push_back({{done, span.begin}, std::nullopt});
    if (span.begin < span.end) parts.push_back({span, found->entry->id});
    done = span.end;
  }
  if (done < text.size()) parts.push_back({{done, text.size()}, std::nullopt});
  return parts;
}

}  // namespace statelib::tokenizer
