// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/mapped_file.h"
#include "core/base/printable.h"
#include "core/base/utf8.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/components.h"
#include "core/tokenizer/embedded_vocabulary.h"
#include "core/tokenizer/stream_decoder.h"
#include "core/tokenizer/vocabulary.h"

namespace statelib::tokenizer {

namespace {

// The largest tokenizer.json in use have some 35 MB.
constexpr size_t kFileBytesMax = size_t{256} << 20;

/// The added tokens by id and content, checked against the model's vocabulary.
Vocabulary IndexAddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& model,
                            const std::string& name) {
  Vocabulary added;
  for (const AddedToken& token : tokens) {
    const auto id = model.Find(token.content);
    const auto text = model.Text(token.id);
    if (id.value_or(token.id) != token.id || text.value_or(token.content) != token.content) {
      Throw(ErrorKind::kCorrupt,
            "{}: added_tokens: expected the id {} and the token \"{}\" to belong together in the "
            "vocabulary, found the id {} and the token \"{}\"",
            name, token.id, token.content, id ? fmt::to_string(*id) : "of none",
            text.value_or("of none"));
    }
    if (!added.Add(token.content, token.id)) {
      Throw(ErrorKind::kCorrupt, "{}: added_tokens: expected the token \"{}\" once, found it twice",
            name, token.content);
    }
  }
  if (const auto twice = added.Seal()) {
    Throw(ErrorKind::kCorrupt, "{}: added_tokens: expected one token for an id, found two with {}",
          name, *twice);
  }
  return added;
}

std::vector<TokenId> SpecialIdsOf(const std::vector<AddedToken>& tokens) {
  std::vector<TokenId> ids;
  for (const AddedToken& token : tokens) {
    if (token.special) ids.push_back(token.id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Whether a token may be found otherwise when the text is cut where a word ends.
bool CrossesWordEnd(const AddedToken& token) {
  const std::string& text = token.content;
  for (size_t i = 1; i < text.size(); ++i)
    if (IsWordEnd(text[i - 1], text[i])) return true;
  return (token.rstrip && IsWordEnd(text.back(), ' ')) ||
         (token.single_word && IsWordEnd('a', text.front()));
}

void RequireVersion(const JsonValue& root) {
  const std::string_view version = StringOr(root, "version", "1.0");
  if (version == "1.0") return;
  Throw(ErrorKind::kUnsupported, "{}: expected version \"1.0\", found \"{}\"; save it again as 1.0",
        root.Path(), version);
}

Components ReadComponents(const JsonValue& root, const Digest& fingerprint) {
  Components components;
  components.fingerprint = fingerprint;
  components.added_tokens = ReadAddedTokens(root.Find("added_tokens"));
  components.normalizer = Normalizer::FromJson(root.Find("normalizer"));
  components.pre_tokenizer = PreTokenizer::FromJson(root.Find("pre_tokenizer"));
  components.model = Bpe::FromJson(root["model"]);
  components.post_processor = PostProcessor::FromJson(root.Find("post_processor"));
  components.decoder = Decoder::FromJson(root.Find("decoder"));
  return components;
}

// Messages quote what a file says, which may hold line breaks.
template <typename Build>
std::unique_ptr<Tokenizer> WithOneLineErrors(Build build) {
  try {
    return build();
  } catch (const Error& error) {
    throw Error(error.kind(), Printable(error.what()));
  }
}

}  // namespace

struct Tokenizer::Parts : Components {
  Parts(Components components, const std::string& name)
      : Components(std::move(components)),
        given_tokens(added_tokens, false, *normalizer),
        normalized_tokens(added_tokens, true, *normalizer),
        added(IndexAddedTokens(added_tokens, model.vocabulary(), name)),
        special_ids(SpecialIdsOf(added_tokens)),
        cuts_after_words(pre_tokenizer.CutsAfterWords() && normalizer->KeepsWordEnds() &&
                         std::none_of(added_tokens.begin(), added_tokens.end(), CrossesWordEnd)) {}

  void EncodeGiven(std::string_view text, std::vector<TokenId>& out) const;
  void EncodeBetween(std::string_view text, bool at_input_begin, Bpe::Workspace& workspace,
                     std::vector<TokenId>& out) const;

  AddedTokenMatcher given_tokens;
  AddedTokenMatcher normalized_tokens;
  Vocabulary added;
  std::vector<TokenId> special_ids;  // sorted
  bool cuts_after_words;
};

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;

std::unique_ptr<Tokenizer> Tokenizer::Load(const std::filesystem::path& tokenizer_json) {
  const MappedFile file = MappedFile::Open(tokenizer_json);
  return Parse(file.bytes(), tokenizer_json.string());
}

std::unique_ptr<Tokenizer> Tokenizer::Parse(ByteSpan json, const std::string& name) {
  if (json.size() > kFileBytesMax) {
    Throw(ErrorKind::kUnsupported, "{}: expected a tokenizer.json of at most {} bytes, found {}",
          name, kFileBytesMax, json.size());
  }
  return WithOneLineErrors([&] {
    const JsonDocument document = JsonDocument::Parse(json, name);
    const JsonValue root = document.root();
    RequireVersion(root);
    return std::make_unique<Tokenizer>(
        std::make_unique<const Parts>(ReadComponents(root, HashOf(json)), name));
  });
}

std::unique_ptr<Tokenizer> Tokenizer::Build(const EmbeddedVocabulary& vocabulary,
                                            const std::string& name) {
  return WithOneLineErrors([&] {
    return std::make_unique<Tokenizer>(
        std::make_unique<const Parts>(ComponentsOf(vocabulary, name), name));
  });
}

void Tokenizer::Parts::EncodeGiven(std::string_view text, std::vector<TokenId>& out) const {
  Bpe::Workspace workspace;
  for (const AddedTokenMatcher::Part& part : given_tokens.Split(text)) {
    if (part.token) {
      out.push_back(*part.token);
    } else {
      const auto& [begin, end] = part.span;
      EncodeBetween(text.substr(begin, end - begin), begin == 0, workspace, out);
    }
  }
}

void Tokenizer::Parts::EncodeBetween(std::string_view text, bool at_input_begin,
                                     Bpe::Workspace& workspace, std::vector<TokenId>& out) const {
  std::string normalized(text);
  normalizer->Apply(normalized);
  for (const AddedTokenMatcher::Part& part : normalized_tokens.Split(normalized)) {
    if (part.token) {
      out.push_back(*part.token);
      continue;
    }
    const auto& [begin, end] = part.span;
    const PreTokens tokens =
        pre_tokenizer.Cut(normalized.substr(begin, end - begin), at_input_begin && begin == 0);
    for (const Span& piece : tokens.pieces) {
      model.Encode(std::string_view(tokens.text).substr(piece.begin, piece.end - piece.begin),
                   pre_tokenizer.leaves_bytes(), workspace, out);
    }
  }
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text, AddSpecial add_special) const {
  if (text.size() > kWholeTextBytesMax) {
    Throw(ErrorKind::kInvalidArgument,
          "expected a text of at most {} bytes, found {} bytes; encode it in parts",
          kWholeTextBytesMax, text.size());
  }
  std::string repaired;
  if (ValidPrefixLength(text) != text.size()) {
    AppendLossy(text, repaired);
    text = repaired;
  }
  std::vector<TokenId> ids;
  if (add_special == AddSpecial::kYes) ids = parts_->post_processor.before;
  parts_->EncodeGiven(text, ids);
  if (add_special == AddSpecial::kYes) {
    const std::vector<TokenId>& after = parts_->post_processor.after;
    ids.insert(ids.end(), after.begin(), after.end());
  }
  return ids;
}

bool Tokenizer::CutsAfterWords() const { return parts_->cuts_after_words; }

Tokenizer::SpecialsAround Tokenizer::Specials() const {
  return {parts_->post_processor.before, parts_->post_processor.after};
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special) const {
  StreamDecoder stream(*this, skip_special);
  std::string text;
  for (const TokenId id : ids) text += stream.Push(id);
  text += stream.Flush();
  return text;
}

size_t Tokenizer::vocabulary_size() const {
  return std::max(parts_->model.vocabulary().size(), parts_->added.size());
}

bool Tokenizer::IsSpecial(TokenId id) const {
  return std::binary_search(parts_->special_ids.begin(), parts_->special_ids.end(), id);
}

std::optional<TokenId> Tokenizer::Find(std::string_view content) const {
  if (const auto id = parts_->added.Find(content)) return id;
  return parts_->model.vocabulary().Find(content);
}

std::optional<std::string_view> Tokenizer::Content(TokenId id) const {
  if (const auto text = parts_->added.Text(id)) return text;
  return parts_->model.vocabulary().Text(id);
}

std::string Tokenizer::BytesOf(TokenId id) const {
  const auto content = Content(id);
  return content ? parts_->decoder.BytesOf(*content) : std::string();
}

const Digest& Tokenizer::fingerprint() const { return parts_->fingerprint; }

const Decoder& Tokenizer::decoder() const { return parts_->decoder; }

}  // namespace statelib::tokenizer
