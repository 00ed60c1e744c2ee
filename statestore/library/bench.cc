// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/bench.h"

#include <algorithm>
#include <chrono>

#include "statestore/library/load.h"
#include "statestore/library/save.h"

namespace statelib::library {

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

StateSpeed MeasureStateSpeed(const LoadedModel& model, const std::filesystem::path& folder,
                             double seconds, const CancelFlag* cancel) {
  constexpr size_t kFirstTokens = 64;
  Library library = Library::Open(folder, Library::Access::kCreate);
  const auto vocabulary = static_cast<size_t>(model.runtime->info().vocabulary_size);
  std::vector<TokenId> history;
  engine::State state = model.runtime->Empty();
  const auto read = [&](size_t count) {
    std::vector<TokenId> tokens(count);
    for (TokenId& token : tokens) {
      token = static_cast<TokenId>(history.size() * 37 % vocabulary);
      history.push_back(token);
    }
    model.runtime->Advance(state, tokens);
  };
  read(kFirstTokens);

  StateSpeed speed;
  std::vector<double> saves, loads, first_tokens;
  for (const auto start = Clock::now(); saves.empty() || SecondsSince(start) < seconds; read(1)) {
    if (cancel != nullptr) cancel->Check();
    SaveRequest request;
    request.reference.name = "bench";
    request.tokens = history;
    const SavedState saved = SaveState(library, model, state, request);
    speed.stored_bytes = saved.state.stored_bytes;
    saves.push_back(saved.seconds);
    const auto load_start = Clock::now();
    const LoadedState loaded = LoadState(library, model, library.Resolve("bench"));
    loads.push_back(loaded.seconds);
    model.runtime->Logits(loaded.state);
    first_tokens.push_back(SecondsSince(load_start));
  }
  speed.save_seconds = Median(std::move(saves));
  speed.load_seconds = Median(std::move(loads));
  speed.first_token_seconds = Median(std::move(first_tokens));
  speed.raw_bytes = TotalBytes(model.runtime->SpecFor(state.token_count()));
  return speed;
}

}  // namespace statelib::library
