// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/packed_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "statestore/library/bench.h"
#include "statestore/library/ingest.h"
#include "statestore/library/load.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

class PackedWeights : public DemoLibrary {
 protected:
  size_t Files() { return FileSystem::Real().List(PackedWeightsFolder(library_)).size(); }
  IngestResult IngestWith(const std::string& weights) {
    engine::RuntimeOptions options;
    options.weights = weights;
    const LoadedModel model = LoadModel(library_, {DemoModel(), ""}, options);
    const Document document{"note", "A short note."};
    return Ingest(library_, model, std::span(&document, 1), storage::Reference::Parse(weights), {});
  }
  ModelPlace PlaceFor(const storage::ResolvedState& state) {
    return ChooseModel(&library_, "", &state, {DemoModel(), ""});
  }
};

TEST_F(PackedWeights, AModelThatIsLoadedLeavesOneFileAFormat) {
  IngestWith("auto");
  EXPECT_EQ(Files(), 1u);
  IngestWith("int8");
  IngestWith("int8");
  EXPECT_EQ(Files(), 2u);
}

TEST_F(PackedWeights, GcRemovesWhatNoModelHereWillUseAndSaysSoBefore) {
  IngestWith("auto");
  const auto folder = PackedWeightsFolder(library_);
  const std::string stranger(64, 'a');
  for (const std::string& name :
       {stranger + "-stored-cpu-panels-r1.weights", std::string("x.part")})
    std::ofstream(folder / name) << "12345";
  EXPECT_EQ(RemoveStaleWeights(library_, true).files, 2u);
  EXPECT_EQ(Files(), 3u);
  const StalePackedWeights removed = RemoveStaleWeights(library_, false);
  EXPECT_EQ(removed.files, 2u);
  EXPECT_EQ(removed.bytes, 10u);
  EXPECT_EQ(Files(), 1u);
}

TEST_F(PackedWeights, AStateIsLoadedInTheFormatThatItsProfileNeeds) {
  IngestWith("int8");
  const storage::ResolvedState state = library_.Resolve("int8");
  EXPECT_EQ(state.state.profile, "int8-r1");
  const LoadedModel model = LoadModel(library_, PlaceFor(state), {});
  EXPECT_EQ(model.runtime->profile(), "int8-r1");
  EXPECT_EQ(LoadState(library_, model, state).state.token_count(),
            state.state.history.token_count());
}

TEST_F(PackedWeights, AStateIsRefusedInAnotherFormatWithTheOneThatItNeeds) {
  IngestWith("int8");
  const storage::ResolvedState state = library_.Resolve("int8");
  engine::RuntimeOptions options;
  options.weights = "bf16";
  const LoadedModel model = LoadModel(library_, PlaceFor(state), options);
  try {
    LoadState(library_, model, state);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kMismatch);
    EXPECT_THAT(error.what(), testing::HasSubstr("--weights int8"));
  }
}

TEST_F(PackedWeights, AModelIsHeldInItsOwnFormatUnlessAnotherOneIsAskedFor) {
  AddModel(library_, DemoModel(), "small", {}, "int4");
  EXPECT_EQ(ShowModel(library_, "small").row.weights, "int4");
  const ModelPlace place = ChooseModel(&library_, "small", nullptr, {DemoModel(), ""});
  EXPECT_EQ(LoadModel(library_, place, {}).runtime->profile(), "int4-r1");
  engine::RuntimeOptions options;
  options.weights = "f32";
  EXPECT_EQ(LoadModel(library_, place, options).runtime->profile(), "exact-f32-r1");
  EXPECT_EQ(AddModel(library_, DemoModel(), "small").row.weights, "int4") << "kept as it was";
}

TEST_F(PackedWeights, StatesAreSavedAndLoadedToBeMeasured) {
  const LoadedModel model = LoadModel(library_, {DemoModel(), ""}, {});
  const StateSpeed speed = MeasureStateSpeed(model, library_.path() / "scratch", 0);
  EXPECT_EQ(speed.raw_bytes, TotalBytes(model.runtime->SpecFor(0)));
  EXPECT_GT(speed.stored_bytes, 0u);
  EXPECT_GT(speed.load_seconds, 0);
  EXPECT_GT(speed.save_seconds, 0);
}

}  // namespace
}  // namespace statelib::library
