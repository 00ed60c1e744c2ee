// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/tokenized_documents.h"

#include <gmock/gmock.h>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using tokenizer::AddSpecial;

class TokenizedDocumentsTest : public DemoLibrary {
 protected:
  TokenizedDocuments Take(const std::vector<Document>& documents) {
    return Tokenize(library_, model_, documents, AddSpecial::kYes, nullptr, tokens_);
  }
  const tokenizer::Tokenizer& tokenizer() const { return model_.runtime->tokenizer(); }

  Spool<TokenId> tokens_;
};

/// Longer than what is encoded at a time and what is held in memory.
std::string LongText() {
  std::string text;
  for (int i = 0; text.size() < 4 * ByteSpool::kMemoryBytesMax; ++i)
    text += "Line " + std::to_string(i) + " of a caf\u00e9's ledger: " + std::to_string(i * i) +
            (i % 7 == 0 ? " crowns.\n\n" : " crowns paid\n");
  return text;
}

TEST_F(TokenizedDocumentsTest, ALongDocumentHasTheTokensOfTheWhole) {
  const std::string text = LongText();
  const TokenizedDocuments all = Take({{"long", text}});
  EXPECT_EQ(tokens_.All().Values(), tokenizer().Encode(text));
  EXPECT_EQ(all.token_count, tokens_.size());
  EXPECT_EQ(all.sources[0].size_bytes, text.size());
  EXPECT_EQ(all.sources[0].digest, HashOf(AsBytes(text)));
}

TEST_F(TokenizedDocumentsTest, EveryPassageBeginsInItsFirstToken) {
  const std::string before = "# A heading\n\n", text = LongText();
  const TokenizedDocuments all = Take({{"long", text, {}, before}});
  const std::vector<TokenId> tokens = tokens_.All().Values();
  const std::vector<uint32_t>& first_tokens = all.texts[0].first_tokens;
  std::vector<size_t> ends;
  for (const TokenId token : tokens)
    ends.push_back((ends.empty() ? 0 : ends.back()) + tokenizer().BytesOf(token).size());
  ASSERT_EQ(ends.back(), before.size() + text.size());
  size_t passages = 0;
  storage::ForEachPassage(all.texts[0].text, [&](const storage::Passage& passage) {
    ASSERT_LT(passages, first_tokens.size());
    const size_t token = first_tokens[passages++], place = before.size() + passage.first_byte;
    EXPECT_GT(ends[token], place);
    EXPECT_LE(token == 0 ? 0 : ends[token - 1], place);
  });
  EXPECT_EQ(passages, first_tokens.size());
  EXPECT_GT(passages, 100u);
}

TEST_F(TokenizedDocumentsTest, WhatStandsBeforeADocumentIsReadWithIt) {
  const TokenizedDocuments all = Take({{"a", "One."}, {"b", "Two.", {}, "\n--\n"}});
  std::vector<TokenId> expected = tokenizer().Encode("One.");
  const auto second = tokenizer().Encode("\n--\nTwo.", AddSpecial::kNo);
  EXPECT_EQ(all.sources[0].token_count, expected.size());
  EXPECT_EQ(all.sources[1].token_count, second.size());
  EXPECT_EQ(all.sources[1].size_bytes, 4u) << "what stands before it is not of the file";
  expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_EQ(tokens_.All().Values(), expected);
}

TEST_F(TokenizedDocumentsTest, NothingToReadIsRefused) {
  ExpectError(ErrorKind::kInvalidArgument, "there is no document to read", [&] { Take({}); });
  ExpectError(ErrorKind::kInvalidArgument, "empty: there is no text to read", [&] {
    Take({{"empty", ""}});
  });
}

}  // namespace
}  // namespace statelib::library
