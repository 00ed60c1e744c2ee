// SPDX-License-Identifier: Apache-2.0
// Guesses that are taken back: whatever was guessed beside the right tokens, every state and every
// output of a right token has the bits that it has without a guess.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "kernels/backends.h"
#include "tests/synthetic_hybrid.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

constexpr size_t kTokens = 330, kPagesEach = 2, kWidest = 6;

/// A sequence in the memory of a host backend.
struct Sequence {
  Sequence(kernels::Backend& backend, const StateLayout& layout)
      : slot(backend.Allocate(layout.slot_bytes() / sizeof(float))),
        rooms{backend.Allocate(layout.room_bytes() / sizeof(float)),
              backend.Allocate(layout.room_bytes() / sizeof(float))} {
    backend.ZeroBytes(slot.bytes(), slot.size_bytes());
    for (size_t group = 0; group < layout.groups(); ++group) {
      for (size_t i = 0; i < kPagesEach; ++i) {
        pages.push_back(backend.Allocate(layout.page_bytes(group) / sizeof(float)));
        pointers.push_back(pages.back().bytes());
      }
    }
  }

  kernels::Buffer slot;
  kernels::Buffer rooms[2];
  std::vector<kernels::Buffer> pages;
  std::vector<std::byte*> pointers;
  uint64_t settled = 0;
  std::vector<std::vector<float>> hidden = {};  // after each right token
};

/// What a sequence does in one pass.
struct Turn {
  Sequence* sequence;
  std::vector<TokenId> tokens;
  uint32_t kept;  // of the pass before, that were right
  bool is_guess;  // all rows are open
  size_t right;   // rows whose outputs count
};

class KeptInputsTest : public testing::TestWithParam<const char*> {
 protected:
  KeptInputsTest() {
    WriteSyntheticHybrid(folder_.path());
    files_ = OpenModelFiles(folder_.path());
    backend_ = std::string_view(GetParam()) == "cpu" ? kernels::MakeCpuBackend(2)
                                                     : kernels::MakeReferenceBackend();
    model_ = LoadModel(*files_, *backend_, ArchitecturesWithHybrid());
  }

  void Pass(std::vector<Turn>& turns) {
    std::vector<kernels::SequenceEntry> entries;
    std::vector<TokenId> tokens;
    kernels::SequenceTable table;
    for (const Turn& turn : turns) {
      Sequence& sequence = *turn.sequence;
      const auto rows = static_cast<uint32_t>(turn.tokens.size());
      entries.push_back({static_cast<uint32_t>(table.rows), rows, sequence.settled + turn.kept,
                         sequence.slot.bytes(), sequence.pointers.data(), turn.is_guess ? rows : 0,
                         turn.kept, sequence.rooms[0].bytes(), sequence.rooms[1].bytes()});
      tokens.insert(tokens.end(), turn.tokens.begin(), turn.tokens.end());
      table.rows += rows;
      table.rows_longest = std::max<size_t>(table.rows_longest, rows);
    }
    table.entries = entries.data();
    table.count = entries.size();
    table.page_stride = kPagesEach;
    table.kept_rows_max = StateLayout::kKeptRowsMax;
    const auto width = static_cast<size_t>(model_->info().hidden_size);
    std::vector<float> memory(table.rows * width);
    const kernels::Rows hidden{memory.data(), table.rows, width, width};
    model_->Advance(tokens.data(), table, {&hidden});
    for (size_t i = 0; i < turns.size(); ++i) {
      Sequence& sequence = *turns[i].sequence;
      for (size_t row = 0; row < turns[i].right; ++row) {
        const auto begin =
            memory.begin() + static_cast<std::ptrdiff_t>((entries[i].first_row + row) * width);
        sequence.hidden.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
      }
      sequence.settled += turns[i].kept + (turns[i].is_guess ? 0 : turns[i].tokens.size());
      std::swap(sequence.rooms[0], sequence.rooms[1]);
    }
  }

  /// Reads all of `tokens` without a guess.
  Sequence Plain(const std::vector<TokenId>& tokens) {
    Sequence sequence(*backend_, model_->layout());
    for (size_t done = 0; done < tokens.size(); done += 90) {
      const size_t count = std::min<size_t>(90, tokens.size() - done);
      const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(done);
      std::vector<Turn> turns = {
          {&sequence, {begin, begin + static_cast<std::ptrdiff_t>(count)}, 0, false, count}};
      Pass(turns);
    }
    return sequence;
  }

  void ExpectSame(Sequence& found, Sequence& expected) {
    EXPECT_EQ(found.settled, expected.settled);
    EXPECT_EQ(std::memcmp(found.slot.bytes(), expected.slot.bytes(), found.slot.size_bytes()), 0);
    EXPECT_TRUE(found.hidden == expected.hidden);
  }

  TemporaryDirectory folder_;
  std::unique_ptr<model_files::ModelFiles> files_;
  std::unique_ptr<kernels::Backend> backend_;
  std::unique_ptr<Model> model_;
};

INSTANTIATE_TEST_SUITE_P(All, KeptInputsTest, testing::Values("cpu", "reference"),
                         [](const auto& name) { return std::string(name.param); });

std::vector<TokenId> Tokens(uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<TokenId> tokens(kTokens);
  for (TokenId& token : tokens) token = static_cast<TokenId>(engine() % 83);
  return tokens;
}

TEST_P(KeptInputsTest, AnyGuessesBesideTheRightTokensLeaveEveryBitAsItIs) {
  const std::vector<TokenId> texts[] = {Tokens(1), Tokens(2)};
  Sequence guessing[] = {{*backend_, model_->layout()}, {*backend_, model_->layout()}};
  uint32_t kept[] = {0, 0};
  std::mt19937 engine(5);
  // A guess has a right token and up to kWidest more, of which the first few are right, too: none,
  // some, all.
  const auto turn_of = [&](size_t s) {
    const std::vector<TokenId>& text = texts[s];
    const size_t at = guessing[s].settled + kept[s], left = text.size() - at;
    Turn turn{&guessing[s], {text[at]}, kept[s], left > 1, 1};
    const size_t width = std::min<size_t>(engine() % (kWidest + 1), left - 1),
                 right = width == 0 ? 0 : engine() % (width + 1);
    for (size_t i = 1; i <= width; ++i)
      turn.tokens.push_back(i <= right ? text[at + i] : (text[at + i] + 1) % 83);
    turn.right += right;
    // Now and then none is open.
    if (engine() % 4 == 0) {
      turn.is_guess = false;
      turn.tokens.resize(1);
      turn.right = 1;
    }
    kept[s] = turn.is_guess ? static_cast<uint32_t>(turn.right) : 0;
    return turn;
  };
  while (true) {
    std::vector<Turn> turns;
    for (size_t s = 0; s < 2; ++s)
      if (guessing[s].settled + kept[s] < kTokens) turns.push_back(turn_of(s));
    if (turns.empty()) break;
    Pass(turns);
  }
  for (size_t s = 0; s < 2; ++s) {
    // What is still open at the end is settled by the next token.
    const std::vector<TokenId> last = {7};
    std::vector<Turn> turns = {{&guessing[s], last, kept[s], false, 1}};
    Pass(turns);
    std::vector<TokenId> all = texts[s];
    all.push_back(last[0]);
    Sequence plain = Plain(all);
    ExpectSame(guessing[s], plain);
  }
}

TEST_P(KeptInputsTest, AnOpenPassAloneLeavesTheStateAsItWas) {
  const std::vector<TokenId> text = Tokens(3);
  Sequence sequence = Plain({text.begin(), text.begin() + 50}),
           same = Plain({text.begin(), text.begin() + 50});
  std::vector<Turn> turns = {{&sequence, {text[50], text[51], text[52]}, 0, true, 0}};
  Pass(turns);
  ExpectSame(sequence, same);
}

}  // namespace
}  // namespace statelib::model
