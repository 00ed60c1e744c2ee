// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/bpe.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/component.h"

namespace statelib::tokenizer {

namespace {

constexpr TokenId kNoToken = -1;
constexpr size_t kQuotedBytesMax = 64;

// Options that change the tokens of a text and have no counterpart here: off, or refused.
void RefuseUnsupportedOptions(const JsonValue& json) {
  if (const auto dropout = json.Find("dropout"); dropout && dropout->Number() != 0) {
    Throw(ErrorKind::kUnsupported, "{}: unsupported value {}; supported: null, 0", dropout->Path(),
          dropout->Number());
  }
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (const std::string_view affix = StringOr(json, key, ""); !affix.empty()) {
      Throw(ErrorKind::kUnsupported, "{}: unsupported value \"{}\"; supported: null",
            json[key].Path(), affix);
    }
  }
}

void RequireBpe(const JsonValue& json) {
  // Files from before the member "type" are recognised by their merges.
  if (!json.Find("type") && json.Find("merges")) return;
  if (const std::string_view type = json["type"].String(); type != "BPE") {
    Throw(ErrorKind::kUnsupported, "{}: unsupported type \"{}\"; supported: BPE", json.Path(),
          type);
  }
}

struct MergeParts {
  std::string_view left;
  std::string_view right;
};

// "left right" of older files, or ["left", "right"].
MergeParts ReadMergeParts(const JsonValue& json) {
  if (json.IsString()) {
    const std::string_view text = json.String();
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      Throw(ErrorKind::kCorrupt, "{}: expected two tokens with one space between, found \"{}\"",
            json.Path(), text.substr(0, kQuotedBytesMax));
    }
    return {text.substr(0, space), text.substr(space + 1)};
  }
  MergeParts parts;
  size_t count = 0;
  json.ForEach([&](const JsonValue& part) {
    (count == 0 ? parts.left : parts.right) = part.String();
    ++count;
  });
  if (count != 2) {
    Throw(ErrorKind::kCorrupt, "{}: expected two tokens, found {}", json.Path(), count);
  }
  return parts;
}

TokenId RequireToken(const Vocabulary& vocabulary, std::string_view text, const JsonValue& merge,
                     std::string_view role) {
  if (const auto id = vocabulary.Find(text)) return *id;
  const MergeParts parts = ReadMergeParts(merge);
  Throw(ErrorKind::kCorrupt,
        "{}: expected the {} of the merge \"{}\" + \"{}\" in the vocabulary, found no token \"{}\"",
        merge.Path(), role, parts.left.substr(0, kQuotedBytesMax),
        parts.right.substr(0, kQuotedBytesMax), text.substr(0, 2 * kQuotedBytesMax));
}

MergeTable ReadMerges(const Vocabulary& vocabulary, const JsonValue& json) {
  MergeTable merges(json.size());
  uint32_t rank = 0;
  std::string joined;
  TokenId guess = 0;
  json.ForEach([&](const JsonValue& merge) {
    if (merge.IsString() && merge.String().starts_with("#version")) return;
    const MergeParts parts = ReadMergeParts(merge);
    joined.assign(parts.left).append(parts.right);
    const TokenId left = RequireToken(vocabulary, parts.left, merge, "left part");
    const TokenId right = RequireToken(vocabulary, parts.right, merge, "right part");
    // Training gives out ids in the order of merges: the next id mostly is the one.
    const bool guessed = vocabulary.Text(guess) == joined;
    const TokenId result = guessed ? guess : RequireToken(vocabulary, joined, merge, "result");
    merges.Set(left, right, {rank++, result});
    guess = result + 1;
  });
  return merges;
}

}  // namespace

Bpe::Bpe(Ingredients ingredients)
    : vocabulary_(std::move(ingredients.vocabulary)),
      merges_(std::move(ingredients.merges)),
      unknown_(ingredients.unknown),
      fuse_unknown_(ingredients.fuse_unknown),
      ignore_merges_(ingredients.ignore_merges) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] =
        vocabulary_.Find(CharacterOfByte(static_cast<uint8_t>(byte))).value_or(kNoToken);
  }
  if (!ingredients.byte_fallback) return;
  ByteIds& ids = fallback_.emplace();
  for (unsigned byte = 0; byte < 256; ++byte)
    ids[byte] = vocabulary_.Find(fmt::format("<0x{:02X}>", byte)).value_or(kNoToken);
}

Bpe Bpe::FromJson(const JsonValue& json) {
  RequireBpe(json);
  RefuseUnsupportedOptions(json);
  Ingredients bpe;
  bpe.vocabulary = Vocabulary::FromJson(json["vocab"]);
  bpe.merges = ReadMerges(bpe.vocabulary, json["merges"]);
  bpe.byte_fallback = BoolOr(json, "byte_fallback", false);
  if (const auto unknown = json.Find("unk_token")) {
    bpe.unknown = bpe.vocabulary.Find(unknown->String());
    if (!bpe.unknown) {
      Throw(ErrorKind::kCorrupt, "{}: expected a token of the vocabulary, found \"{}\"",
            unknown->Path(), unknown->String());
    }
  }
  bpe.fuse_unknown = BoolOr(json, "fuse_unk", false);
  bpe.ignore_merges = BoolOr(json, "ignore_merges", false);
  return Bpe(std::move(bpe));
}

/// Turns characters into tokens, with what the vocabulary lacks as bytes, as the unknown token, or
/// as nothing.
class Bpe::Symbols {
 public:
  Symbols(const Bpe& bpe, std::vector<TokenId>& out) : bpe_(bpe), out_(out) {}

  void Add(std::string_view character, TokenId id) {
    if (id == kNoToken) return AddUnknown(character);
    FlushUnknown();
    out_.push_back(id);
  }
  // An unknown token waits for the next known character, and is not fused beyond it.
  void FlushUnknown() {
    if (unknown_waits_) out_.push_back(*bpe_.unknown_);
    unknown_waits_ = false;
  }

 private:
  void AddUnknown(std::string_view character) {
    if (AddBytes(character) || !bpe_.unknown_) return;
    if (!bpe_.fuse_unknown_) FlushUnknown();
    unknown_waits_ = true;
  }

  bool AddBytes(std::string_view character) {
    if (!bpe_.fallback_) return false;
    const auto id_of = [&](char byte) { return (*bpe_.fallback_)[static_cast<uint8_t>(byte)]; };
    if (std::any_of(character.begin(), character.end(),
                    [&](char byte) { return id_of(byte) == kNoToken; })) {
      return false;
    }
    for (const char byte : character) out_.push_back(id_of(byte));
    return true;
  }

  const Bpe& bpe_;
  std::vector<TokenId>& out_;
  bool unknown_waits_ = false;
};

void Bpe::Encode(std::string_view piece, bool as_bytes, Workspace& workspace,
                 std::vector<TokenId>& out) const {
  if (ignore_merges_) {
    std::string& text = workspace.text;
    text.clear();
    for (const char byte : piece) {
      if (!as_bytes) break;
      text += CharacterOfByte(static_cast<uint8_t>(byte));
    }
    if (const auto id = vocabulary_.Find(as_bytes ? std::string_view(text) : piece)) {
      out.push_back(*id);
      return;
    }
  }
  workspace.tokens.clear();
  Symbols symbols(*this, workspace.tokens);
  if (as_bytes) {
    for (const char c : piece) {
      const auto byte = static_cast<uint8_t>(c);
      symbols.Add(CharacterOfByte(byte), byte_ids_[byte]);
    }
  } else {
    for (size_t at = 0; at < piece.size();) {
      const std::string_view character = piece.substr(at, FrontUnit(piece.substr(at)).length);
      symbols.Add(character, vocabulary_.Find(character).value_or(kNoToken));
      at += character.size();
    }
  }
  symbols.FlushUnknown();
  workspace.merging.Run(merges_, workspace.tokens);
  out.insert(out.end(), workspace.tokens.begin(), workspace.tokens.end());
}

}  // namespace statelib::tokenizer
