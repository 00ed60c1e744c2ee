// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/vocabulary.h"

#include <algorithm>
#include <bit>

#include "core/base/error.h"

namespace statelib::tokenizer {

namespace {

constexpr size_t kSlotsMin = 16;
constexpr size_t kTypicalTokenBytes = 8;

}  // namespace

void Vocabulary::Reserve(size_t tokens, size_t text_bytes) {
  tokens_.reserve(tokens);
  text_.reserve(text_bytes);
  Grow(std::bit_ceil(std::max(kSlotsMin, tokens * 2)));
}

size_t Vocabulary::FindSlot(std::string_view text, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.token_and_one == 0) return at;
    if (slot.hash == static_cast<uint32_t>(hash >> 32) &&
        TextOf(tokens_[slot.token_and_one - 1]) == text) {
      return at;
    }
  }
}

void Vocabulary::Grow(size_t slots) {
  slots_.assign(slots, Slot{});
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view text = TextOf(tokens_[i]);
    const uint64_t hash = hash_(text);
    slots_[FindSlot(text, hash)] = {static_cast<uint32_t>(i + 1),
                                    static_cast<uint32_t>(hash >> 32)};
  }
}

bool Vocabulary::Add(std::string_view text, TokenId id) {
  if ((tokens_.size() + 1) * 2 > slots_.size()) Grow(std::max(kSlotsMin, slots_.size() * 2));
  const uint64_t hash = hash_(text);
  Slot& slot = slots_[FindSlot(text, hash)];
  if (slot.token_and_one != 0) return false;
  tokens_.push_back({id, static_cast<uint32_t>(text.size()), text_.size()});
  text_.append(text);
  slot = {static_cast<uint32_t>(tokens_.size()), static_cast<uint32_t>(hash >> 32)};
  size_ = std::max(size_, static_cast<size_t>(id) + 1);
  return true;
}

std::optional<TokenId> Vocabulary::Seal() {
  const auto by_id = [](const Token& a, const Token& b) { return a.id < b.id; };
  if (!std::is_sorted(tokens_.begin(), tokens_.end(), by_id)) {
    std::sort(tokens_.begin(), tokens_.end(), by_id);
    Grow(slots_.size());
  }
  const auto twice = std::adjacent_find(
      tokens_.begin(), tokens_.end(), [](const Token& a, const Token& b) { return a.id == b.id; });
  if (twice != tokens_.end()) return twice->id;
  return std::nullopt;
}

std::optional<TokenId> Vocabulary::Find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[FindSlot(text, hash_(text))];
  if (slot.token_and_one == 0) return std::nullopt;
  return tokens_[slot.token_and_one - 1].id;
}

std::optional<std::string_view> Vocabulary::Text(TokenId id) const {
  // Without gaps the token of an id stands at that place; with gaps, before it.
  const auto place = static_cast<size_t>(id);
  if (id >= 0 && place < tokens_.size() && tokens_[place].id == id) return TextOf(tokens_[place]);
  const auto found =
      std::lower_bound(tokens_.begin(), tokens_.end(), id,
                       [](const Token& token, TokenId key) { return token.id < key; });
  if (found == tokens_.end() || found->id != id) return std::nullopt;
  return TextOf(*found);
}

Vocabulary Vocabulary::FromJson(const JsonValue& json) {
  Vocabulary vocabulary;
  const size_t tokens = json.size();
  vocabulary.Reserve(tokens, tokens * kTypicalTokenBytes);
  json.ForEachMemberUnchecked([&](std::string_view text, const JsonValue& id) {
    if (!vocabulary.Add(text, static_cast<TokenId>(id.Int(0, kIdsMax - 1)))) {
      Throw(ErrorKind::kCorrupt, "{}: the token \"{}\" stands there twice", json.Path(), text);
    }
  });
  if (const auto twice = vocabulary.Seal()) {
    Throw(ErrorKind::kCorrupt, "{}: expected one token for an id, found two with the id {}",
          json.Path(), *twice);
  }
  return vocabulary;
}

}  // namespace statelib::tokenizer
