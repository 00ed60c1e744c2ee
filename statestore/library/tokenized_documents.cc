// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/tokenized_documents.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "core/base/error.h"

namespace statelib::library {

namespace {

/// Where a document lies, so that `status` finds it from any folder; empty when it is not a file.
std::string PathOf(const std::string& name) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(name, error)) return "";
  const auto path = std::filesystem::absolute(name, error);
  return error ? "" : path.lexically_normal().string();
}

/// With which of its tokens each passage of a document begins, after `before` bytes of something
/// else. Exact where the tokens' bytes are the text's; else, as with a tokenizer that changes text,
/// in proportion.
std::vector<uint32_t> FirstTokens(const tokenizer::Tokenizer& tokenizer,
                                  std::span<const TokenId> tokens,
                                  const std::vector<storage::Passage>& passages, size_t before,
                                  size_t text_bytes) {
  std::vector<size_t> ends;
  ends.reserve(tokens.size());
  size_t bytes = 0;
  for (const TokenId token : tokens) ends.push_back(bytes += tokenizer.BytesOf(token).size());
  const double scale =
      static_cast<double>(bytes) / static_cast<double>(std::max<size_t>(text_bytes, 1));
  std::vector<uint32_t> first;
  size_t token = 0;
  for (const storage::Passage& passage : passages) {
    size_t place = before + passage.first_byte;
    if (bytes != text_bytes) place = static_cast<size_t>(static_cast<double>(place) * scale);
    while (token < ends.size() && ends[token] <= place) ++token;
    first.push_back(static_cast<uint32_t>(token));
  }
  return first;
}

}  // namespace

TokenizedDocuments Tokenize(const Library& library, const LoadedModel& model,
                            std::span<const Document> documents, tokenizer::AddSpecial add_special,
                            const CancelFlag* cancel) {
  if (documents.empty()) Throw(ErrorKind::kInvalidArgument, "there is no document to read");
  const auto start = std::chrono::steady_clock::now();
  TokenizedDocuments all;
  for (const Document& document : documents) {
    if (cancel != nullptr) cancel->Check();
    const auto tokens = model.runtime->tokenizer().Encode(document.text, add_special);
    all.tokens.insert(all.tokens.end(), tokens.begin(), tokens.end());
    // Names go to terminals and into bundles: what is not plain text is written out.
    const SourceFile file =
        document.file.value_or(SourceFile{document.text.size(), HashOf(AsBytes(document.text))});
    all.sources.push_back({storage::Escaped(document.name), file.size_bytes, file.digest,
                           tokens.size(), library.now_ms(),
                           PathOf(document.path.empty() ? document.name : document.path)});
    const std::string_view searched =
        std::string_view(document.text)
            .substr(std::min(document.before_bytes, document.text.size()));
    all.texts.push_back(
        {all.texts.size(), searched,
         FirstTokens(model.runtime->tokenizer(), tokens, storage::Passages(searched),
                     document.before_bytes, document.text.size())});
    add_special = tokenizer::AddSpecial::kNo;  // those belong to the beginning of the whole history
  }
  if (all.tokens.empty()) {
    Throw(ErrorKind::kInvalidArgument, "{}: there is no text to read",
          storage::Escaped(documents[0].name));
  }
  all.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return all;
}

}  // namespace statelib::library
