// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/diff.h"

#include <gmock/gmock.h>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"
#include "tests/statestore/sample_library.h"

namespace statelib::library {
namespace {

class Differences : public DemoLibrary {
 protected:
  StateDifference Compare(const std::string& a, const std::string& b) {
    const tokenizer::Tokenizer& tokenizer = model_.runtime->tokenizer();
    return Diff(library_, library_.Resolve(a), library_.Resolve(b), &tokenizer, &tokenizer);
  }
  /// A state of another model.
  void PublishOther(const std::string& name, const std::vector<TokenId>& tokens) {
    storage::SampleNewState sample;
    sample.tokens = tokens;
    sample.state.description.history = History();
    sample.state.description.history.Append(tokens);
    sample.state.tokens_after = sample.tokens;
    storage::Publish(library_.repository(), sample.state, {}, storage::Reference::Parse(name), 1);
  }
};

TEST_F(Differences, AStateIsEqualToItself) {
  IngestText("a", "The meeting is on Monday.");
  const StateDifference same = Compare("a", "a");
  EXPECT_TRUE(same.equal_content && same.same_model && same.same_profile && same.history.equal);
  EXPECT_EQ(same.history.common_tokens, same.history.tokens_a);
  EXPECT_EQ(same.segments.size(), model_.runtime->SpecFor(0).size());
  for (const SegmentDifference& segment : same.segments) {
    EXPECT_TRUE(segment.equal_bytes);
    EXPECT_EQ(segment.relative_l2, 0);
  }
}

TEST_F(Differences, HistoriesPartWhereTheTextsDo) {
  IngestText("a", "The meeting is on Monday at nine.");
  IngestText("b", "The meeting is on Friday at nine.");
  const StateDifference difference = Compare("a", "b");
  EXPECT_FALSE(difference.equal_content);
  EXPECT_FALSE(difference.history.equal);
  ASSERT_TRUE(difference.history.common_tokens);
  EXPECT_EQ(*difference.history.common_tokens,
            model_.runtime->tokenizer().Encode("The meeting is on").size());
  EXPECT_EQ(difference.history.before_text, "The meeting is on");
  EXPECT_EQ(difference.history.after_text_a, " Monday at nine.");
  EXPECT_EQ(difference.history.after_text_b, " Friday at nine.");
}

TEST_F(Differences, SegmentsComeWithTheLargestFirstAndWithRightNumbers) {
  IngestText("a", "The meeting is on Monday at nine.");
  IngestText("b", "Sales rose.");
  const StateDifference difference = Compare("a", "b");
  ASSERT_EQ(difference.segments.size(), model_.runtime->SpecFor(0).size());
  for (size_t i = 1; i < difference.segments.size(); ++i)
    EXPECT_GE(difference.segments[i - 1].relative_l2, difference.segments[i].relative_l2);

  const auto values = [&](const std::string& name) {
    const auto segments =
        model_.runtime->Snapshot(LoadState(library_, model_, library_.Resolve(name)).state);
    std::vector<float> floats(segments.back().size() / 4);
    std::memcpy(floats.data(), segments.back().data(), segments.back().size());
    return floats;
  };
  const auto a = values("a");
  const auto b = values("b");
  double aa = 0, bb = 0, ab = 0, dd = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
    ab += double{a[i]} * b[i];
    dd += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  }
  for (const SegmentDifference& segment : difference.segments) {
    if (segment.spec.kind != SegmentKind::kHidden) continue;
    EXPECT_NEAR(segment.cosine, ab / std::sqrt(aa * bb), 1e-12);
    EXPECT_NEAR(segment.relative_l2, std::sqrt(dd / aa), 1e-12);
  }
}

TEST_F(Differences, WithoutTokensThePartingIsUnknown) {
  IngestOptions without;
  without.keep_tokens = false;
  IngestText("a", "One thing.", without);
  IngestText("b", "Another thing.");
  EXPECT_EQ(Compare("a", "b").history.common_tokens, std::nullopt);
}

TEST_F(Differences, OfTwoModelsTheHistoriesAreComparedAndNoValues) {
  IngestText("a", "The meeting is on Monday.");
  IngestText("same", "One thing.");
  model_ = LoadModel(library_, {OtherModel(), "other"}, {});
  IngestText("b", "The meeting is on Friday.");
  IngestText("same:other", "One thing.");
  const StateDifference difference = Compare("a", "b");
  EXPECT_FALSE(difference.same_model);
  EXPECT_FALSE(difference.history.equal);
  EXPECT_EQ(difference.history.common_tokens,
            model_.runtime->tokenizer().Encode("The meeting is on").size());
  EXPECT_EQ(difference.history.after_text_b, " Friday.");
  EXPECT_TRUE(difference.segments.empty());
  const StateDifference same = Compare("same", "same:other");
  EXPECT_TRUE(same.history.equal);
  EXPECT_TRUE(same.equal_content);  // the same weights, after all
  EXPECT_TRUE(same.segments.empty());
}

TEST_F(Differences, HistoriesOfTwoTokenizersAreComparedAsTexts) {
  const auto neox = tokenizer::Tokenizer::Load(std::filesystem::path(STATELIB_SOURCE_DIR) /
                                               "examples/tokenizers/gpt-neox-20b/tokenizer.json");
  ASSERT_NE(neox->fingerprint(), model_.runtime->tokenizer().fingerprint());
  IngestText("a", "The meeting is on Monday.");
  PublishOther("same", neox->Encode("The meeting is on Monday."));
  PublishOther("other", neox->Encode("The meeting is on Friday."));
  const auto compare = [&](const std::string& name, const tokenizer::Tokenizer* theirs) {
    return Diff(library_, library_.Resolve("a"), library_.Resolve(name),
                &model_.runtime->tokenizer(), theirs);
  };
  EXPECT_TRUE(compare("same", neox.get()).history.equal);
  const HistoryDifference parted = compare("other", neox.get()).history;
  EXPECT_FALSE(parted.equal);
  EXPECT_EQ(parted.common_tokens, std::nullopt);
  EXPECT_EQ(parted.common_bytes, std::string("The meeting is on ").size());
  EXPECT_EQ(parted.after_text_a, " Monday.");
  EXPECT_EQ(parted.after_text_b, " Friday.");
  const HistoryDifference unknown = compare("other", nullptr).history;
  EXPECT_TRUE(unknown.tokens_kept);
  EXPECT_EQ(unknown.common_bytes, std::nullopt);
  EXPECT_EQ(unknown.common_tokens, std::nullopt);
}

}  // namespace
}  // namespace statelib::library
