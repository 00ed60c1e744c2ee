// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/tokenized_documents.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/tokenizer/stream_encoder.h"

namespace statelib::library {

namespace {

/// Where a document lies, so that `status` finds it from any folder; empty when it is not a file.
std::string PathOf(const std::string& name) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(name, error)) return "";
  const auto path = std::filesystem::absolute(name, error);
  return error ? "" : path.lexically_normal().string();
}

/// Finds with which token each passage of a document begins. Exact where the tokens' bytes are the
/// text's; else, as with a tokenizer that changes text, in proportion within a part.
class PassageTokens {
 public:
  PassageTokens(const tokenizer::Tokenizer& tokenizer, const Document& document)
      : tokenizer_(tokenizer) {
    storage::ForEachPassage(document.text, [&](const storage::Passage& passage) {
      places_.push_back(document.before.size() + passage.first_byte);
    });
    first_tokens_.reserve(places_.size());
  }

  /// The next part of what is read of the document, and its tokens.
  void Add(std::string_view part, std::span<const TokenId> tokens) {
    size_t bytes = 0;
    for (const TokenId token : tokens) bytes += tokenizer_.BytesOf(token).size();
    const double scale = static_cast<double>(bytes) / static_cast<double>(part.size());
    size_t token = 0, end = 0;  // of the tokens before it
    for (; first_tokens_.size() < places_.size();
         first_tokens_.push_back(tokens_ + static_cast<uint32_t>(token))) {
      size_t place = places_[first_tokens_.size()] - bytes_;
      if (place >= part.size()) break;
      if (bytes != part.size()) place = static_cast<size_t>(static_cast<double>(place) * scale);
      for (; token < tokens.size(); ++token) {
        const size_t next = end + tokenizer_.BytesOf(tokens[token]).size();
        if (next > place) break;
        end = next;
      }
    }
    bytes_ += part.size();
    tokens_ += static_cast<uint32_t>(tokens.size());
  }

  std::vector<uint32_t> Take() { return std::move(first_tokens_); }

 private:
  const tokenizer::Tokenizer& tokenizer_;
  std::vector<uint64_t> places_;  // where passages begin in what is read
  std::vector<uint32_t> first_tokens_;
  uint64_t bytes_ = 0;   // of the parts so far
  uint32_t tokens_ = 0;  // the same
};

/// How many of the first tokens are those that a tokenizer puts before a text.
size_t SpecialsBefore(const tokenizer::Tokenizer& tokenizer, const RunOf<TokenId>& tokens) {
  const std::span<const TokenId> specials = tokenizer.Specials().before;
  const std::vector<TokenId> first = tokens.First(specials.size()).Values();
  return std::equal(first.begin(), first.end(), specials.begin(), specials.end()) ? first.size()
                                                                                  : 0;
}

/// Calls back with a piece of the text and its tokens after the other.
template <typename Visit>
void ForEachPiece(const tokenizer::Tokenizer& tokenizer, const RunOf<TokenId>& tokens,
                  const Visit& visit) {
  tokens.ForEach([&](std::span<const TokenId> piece) {
    std::string bytes;
    for (const TokenId token : piece) bytes += tokenizer.BytesOf(token);
    if (!bytes.empty()) visit(std::string_view(bytes), piece);
  });
}

}  // namespace

storage::SourceText TextAgain(const tokenizer::Tokenizer& tokenizer, const std::string& before,
                              const RunOf<TokenId>& tokens, size_t position) {
  const size_t specials = SpecialsBefore(tokenizer, tokens);
  const RunOf<TokenId> read = tokens.Part(specials);
  Spool<char> text;
  ForEachPiece(tokenizer, read,
               [&](std::string_view bytes, std::span<const TokenId>) { text.Append(bytes); });
  const std::vector<char> first = text.All().First(before.size()).Values();
  const bool begins = std::equal(first.begin(), first.end(), before.begin(), before.end());
  const Document document{.name = "",
                          .text = Text(text.All().Part(begins ? before.size() : 0)),
                          .before = begins ? before : ""};
  PassageTokens passages(tokenizer, document);
  ForEachPiece(tokenizer, read, [&](std::string_view bytes, std::span<const TokenId> ids) {
    passages.Add(bytes, ids);
  });
  storage::SourceText again{position, document.text, passages.Take()};
  for (uint32_t& token : again.first_tokens) token += static_cast<uint32_t>(specials);
  return again;
}

TokenizedDocuments Tokenize(const Library& library, const LoadedModel& model,
                            std::span<const Document> documents, tokenizer::AddSpecial add_special,
                            const CancelFlag* cancel, Spool<TokenId>& tokens) {
  if (documents.empty()) Throw(ErrorKind::kInvalidArgument, "there is no document to read");
  const auto start = std::chrono::steady_clock::now();
  const tokenizer::Tokenizer& tokenizer = model.runtime->tokenizer();
  TokenizedDocuments all;
  for (const Document& document : documents) {
    const uint64_t before = tokens.size();
    PassageTokens passages(tokenizer, document);
    tokenizer::StreamEncoder stream(tokenizer, add_special,
                                    [&](std::string_view part, std::span<const TokenId> ids) {
                                      if (cancel != nullptr) cancel->Check();
                                      passages.Add(part, ids);
                                      tokens.Append(ids);
                                    });
    stream.Push(document.before);
    document.text.ForEach([&](std::span<const char> piece) {
      stream.Push({piece.data(), piece.size()});
    });
    stream.Finish();
    const uint64_t count = tokens.size() - before;
    const SourceFile file = document.file
                                ? *document.file
                                : SourceFile{document.text.size(), HashOfText(document.text)};
    // Names go to terminals and into bundles: what is not plain text is written out.
    all.sources.push_back({Escaped(document.name), file.size_bytes, file.digest, count,
                           library.now_ms(),
                           PathOf(document.path.empty() ? document.name : document.path)});
    all.texts.push_back({all.texts.size(), document.text, passages.Take()});
    all.token_count += count;
    add_special = tokenizer::AddSpecial::kNo;  // those belong to the beginning of the whole history
  }
  if (all.token_count == 0) {
    Throw(ErrorKind::kInvalidArgument, "{}: there is no text to read", Escaped(documents[0].name));
  }
  all.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return all;
}

}  // namespace statelib::library
