// SPDX-License-Identifier: Apache-2.0
// What states from outside may cost before they are found wanting.
#include "statestore/storage/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "statestore/storage/bundle.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "tests/peak_memory.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Admissions : public testing::Test {
 protected:
  /// The object of a header, its frames as given.
  static EncodedObject ObjectOf(StateHeader header, const std::vector<Bytes>& frames) {
    EncodedObject object;
    object.bytes = MakeHead(kObjectFile, ObjectVersionOf(header), AsBytes(SerializeHeader(header)));
    for (const Bytes& frame : frames)
      object.bytes.insert(object.bytes.end(), frame.begin(), frame.end());
    object.id = HashOf(object.bytes);
    return object;
  }
  /// A state of `count` segments of so many floats; each frame is one byte and no frame.
  static EncodedObject Promised(size_t count, int64_t floats,
                                const ModelIdentity& model = SampleModel("unknown")) {
    StateHeader header;
    header.description = SampleState(5, 1, model).description;
    header.description.spec.clear();
    for (size_t i = 0; i < count; ++i) {
      header.description.spec.push_back(
          {static_cast<int32_t>(i), SegmentKind::kSsm, DType::kF32, {floats}, "channel"});
      header.segments.push_back(
          {Codec::kExact, static_cast<uint64_t>(floats) * 4, 1, HashOf(Bytes(1))});
    }
    return ObjectOf(std::move(header), std::vector<Bytes>(count, Bytes(1)));
  }
  /// Writes a bundle of one state of a model that is called so.
  void Write(const EncodedObject& object, const std::string& model_name = "large") const {
    const ObjectHeader parsed = ParseHeader(CheckedHeader(kObjectFile, object.bytes, "x"), "x");
    const StateDescription& state = std::get<StateHeader>(parsed).description;
    BundleManifest manifest;
    manifest.models = {{state.model, model_name}};
    manifest.objects = {{object.id, object.bytes.size()}};
    Derivation derivation;
    derivation.state = object.id;
    derivation.token_count = state.history.token_count();
    manifest.derivations = {derivation};
    manifest.references = {{"a", "latest", object.id, 0, 1}};
    Bytes bytes = EncodeManifest(manifest, nullptr);
    bytes.insert(bytes.end(), object.bytes.begin(), object.bytes.end());
    const Digest digest = HashOf(bytes);
    bytes.insert(bytes.end(), digest.bytes.begin(), digest.bytes.end());
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << AsText(bytes);
  }
  ImportReport Import(const ImportOptions& options = {}) {
    BundleFile bundle = BundleFile::Open(file_);
    return ImportBundle(into_, bundle, "bundle", options, 9000);
  }

  TemporaryDirectory folder_;
  std::filesystem::path file_ = folder_.path() / "states.statelib";
  Repository into_ = Repository::Open(folder_.path() / "into", Repository::Access::kCreate);
};

TEST_F(Admissions, AStateThatIsTooLargeIsRefusedBeforeAFrameIsTouched) {
  Write(Promised(15, int64_t{1} << 28));
  ExpectError(ErrorKind::kInvalidArgument, "--max-bytes", [&] { Import(); });
  // One that may be so large is looked at, and its frames are none.
  ExpectError(ErrorKind::kCorrupt, "not a zstd frame",
              [&] { Import({.max_state_bytes = uint64_t{16} << 30}); });
  EXPECT_EQ(into_.index().states().count(), 0u);
}

TEST_F(Admissions, TheBoundIsTheSumOfAStatesSegments) {
  const uint64_t bytes = Admission::kStateBytesMax;
  Write(Promised(2, static_cast<int64_t>(bytes / 8)));
  ExpectError(ErrorKind::kCorrupt, "not a zstd frame", [&] { Import(); });
  Write(Promised(2, static_cast<int64_t>(bytes / 8 + 1)));
  ExpectError(ErrorKind::kInvalidArgument, "--max-bytes", [&] { Import(); });
}

TEST_F(Admissions, AStateOfAKnownModelHasItsSegmentsHoweverSmall) {
  PublishSample(into_, "here");
  Write(Promised(1, 4, SampleModel()));
  ExpectError(ErrorKind::kMismatch, "expected the segments that states of its model have here",
              [&] { Import(); });
  EXPECT_EQ(into_.index().states().count(), 1u);
}

TEST_F(Admissions, ALargeStateOfAKnownModelNeedsNoPermission) {
  PublishSample(into_, "here");
  Write(Encode(SampleState(6, 2)));
  EXPECT_EQ(Import({.max_state_bytes = 1}).references.size(), 1u);
}

TEST_F(Admissions, LargeSegmentsAreVerifiedInLittleMemory) {
  for (const Codec codec : {Codec::kExact, Codec::kBf16, Codec::kInt8}) {
    const SegmentSpec spec{0, SegmentKind::kSsm, DType::kF32, {32, 1 << 20}, "state,channel"};
    StateHeader header;
    header.description = SampleState(5, 1, SampleModel("unknown")).description;
    header.description.spec = {spec};
    std::vector<Bytes> frames;
    {
      const Bytes raw(spec.bytes());
      const ByteSpan view = raw;
      header.content = ContentDigest(header.description.spec, {&view, 1});
      frames.push_back(SegmentEncoder().Encode(codec, spec, raw));
      header.segments = {{codec, raw.size(), frames[0].size(), HashOf(frames[0])}};
    }
    if (IsLossy(codec)) {
      header.description.profile = ProfileAfter(header.description.profile, codec);
      header.fidelity.emplace();
      header.fidelity->codec = codec;
      header.fidelity->layer_errors = {0};
    }
    Write(ObjectOf(header, frames));
    const auto peak = PeakOf([&] { EXPECT_EQ(Import().references.size(), 1u); });
    EXPECT_LT(peak.value_or(0), uint64_t{64} << 20) << NameOf(codec);
    into_.index().references().Remove("a", "latest", 9000);
  }
}

class ModelNames : public Admissions {};

TEST_F(ModelNames, ATakenOneIsChangedAndSaid) {
  PublishSample(into_, "here");  // of a model that is called sample
  const ModelIdentity other = SampleModel("other");
  Write(Encode(SampleState(5, 1, other)), "sample");
  const std::string name = "sample-" + other.fingerprint.Hex().substr(0, 8);
  const ImportReport report = Import();
  EXPECT_THAT(report.renamed_models, ElementsAre(RenamedModel{"sample", name}));
  EXPECT_EQ(report.references[0].model_name, name);
  EXPECT_EQ(into_.index().models().FindByName(name)->identity.fingerprint, other.fingerprint);
  EXPECT_EQ(into_.index().models().FindByName("sample")->identity.fingerprint,
            SampleModel().fingerprint);
  EXPECT_THAT(Import().renamed_models, IsEmpty());  // known from now on
}

TEST_F(ModelNames, AReservedOneIsItsModelsAlone) {
  const ModelIdentity other = SampleModel("other");
  Write(Encode(SampleState(5, 1, other)), "demo");
  ImportOptions options;
  options.reserved_name = {"demo", SampleModel().fingerprint};
  EXPECT_EQ(Import(options).renamed_models.size(), 1u);
  EXPECT_FALSE(into_.index().models().FindByName("demo"));
  Write(Encode(SampleState(5, 1)), "demo");
  EXPECT_THAT(Import(options).renamed_models, IsEmpty());
  EXPECT_EQ(into_.index().models().FindByName("demo")->identity.fingerprint,
            SampleModel().fingerprint);
}

}  // namespace
}  // namespace statelib::storage
