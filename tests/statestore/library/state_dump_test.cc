// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/state_dump.h"

#include <gmock/gmock.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "core/model_files/safetensors_writer.h"
#include "statestore/library/exchange.h"
#include "statestore/library/inspect.h"
#include "statestore/library/organise.h"
#include "statestore/library/prefix.h"
#include "statestore/library/proof.h"
#include "statestore/storage/maintenance.h"
#include "statestore/storage/repair.h"
#include "statestore/storage/state_object.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr const char* kText = "The south gate was painted red in May.\n";

class Dumping : public DemoLibrary {
 protected:
  Dumping() {
    IngestText("gate", kText);
    DumpState(library_, library_.Resolve("gate"), path_);
  }

  std::string Content() const { return Read(path_); }
  static std::string Read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static model_files::SafetensorsContents Parse(const std::string& content) {
    return model_files::ParseSafetensorsContents(AsBytes(content), "dump",
                                                 model_files::BlockTypes::kRefused);
  }

  /// The dump with its tensors and metadata changed.
  std::string Changed(const std::function<void(std::vector<model_files::TensorToWrite>&,
                                               model_files::SafetensorsMetadata&)>& change) const {
    const std::string content = Content();
    model_files::SafetensorsContents contents = Parse(content);
    std::vector<model_files::TensorToWrite> tensors;
    for (const model_files::TensorRef& tensor : contents.tensors)
      tensors.push_back({tensor.name, tensor.type, tensor.shape, tensor.bytes});
    change(tensors, contents.metadata);
    const std::filesystem::path path = folder_.path() / "changed.safetensors";
    model_files::WriteSafetensors(FileSystem::Real(), path, tensors, contents.metadata);
    return Read(path);
  }
  /// The dump with one number of the tensor layers.0.ssm changed.
  std::string WithNumber(float number) const {
    std::string content = Content();
    for (const model_files::TensorRef& tensor : Parse(content).tensors) {
      if (tensor.name != "layers.0.ssm") continue;
      const auto at = static_cast<size_t>(tensor.bytes.data() - AsBytes(content).data());
      StoreLittle(std::bit_cast<uint32_t>(number),
                  reinterpret_cast<std::byte*>(content.data() + at));
      return content;
    }
    return "";
  }

  LoadedDump Load(const std::string& content, const std::string& as = "copy") {
    return LoadDump(library_, ReadStateDump(AsBytes(content), "dump"),
                    storage::Reference::Parse(as));
  }
  LoadedDump LoadEdited(const std::string& content, const std::string& as = "edited") {
    return LoadEditedDump(library_, model_, ReadStateDump(AsBytes(content), "dump"),
                          storage::Reference::Parse(as));
  }
  /// Expects the same error whether edited numbers are welcome or not, and that nothing is stored.
  void ExpectRefused(ErrorKind kind, const std::string& part, const std::string& content) {
    ExpectError(kind, part, [&] { Load(content); });
    ExpectError(kind, part, [&] { LoadEdited(content); });
    EXPECT_THAT(NamesHere(), ElementsAre("gate"));
  }
  std::vector<std::string> NamesHere() {
    std::vector<std::string> names;
    for (const storage::ReferenceRow& row : List(library_, {})) names.push_back(row.name);
    return names;
  }

  const std::filesystem::path path_ = folder_.path() / "gate.safetensors";
};

TEST_F(Dumping, HoldsEverySegmentAsItIsByItsName) {
  const storage::ResolvedState state = library_.Resolve("gate");
  const LoadedState loaded = LoadState(library_, model_, state);
  const std::vector<Bytes> segments = model_.runtime->Snapshot(loaded.state);
  const StateSpec spec = model_.runtime->SpecFor(0);
  const std::string content = Content();
  const model_files::SafetensorsContents contents = Parse(content);
  const model_files::TensorTable tensors(contents.tensors, "dump");
  ASSERT_EQ(tensors.all().size(), spec.size());
  for (size_t i = 0; i < spec.size(); ++i) {
    const std::string name = spec[i].layer < 0
                                 ? "hidden"
                                 : fmt::format("layers.{}.{}", spec[i].layer, NameOf(spec[i].kind));
    const model_files::TensorRef& tensor = tensors.Get(name);
    EXPECT_EQ(tensor.shape, spec[i].shape) << name;
    EXPECT_TRUE(std::ranges::equal(tensor.bytes, segments[i])) << name;
    EXPECT_EQ(contents.metadata.at("axes." + name), spec[i].axes);
  }
  EXPECT_EQ(contents.metadata.at("format"), "statelib-state");
  EXPECT_EQ(contents.metadata.at("state"), state.state.id.Hex());
  EXPECT_EQ(contents.metadata.at("content"), state.state.content.Hex());
  EXPECT_EQ(contents.metadata.at("model"), model_.identity.fingerprint.Hex());
  EXPECT_EQ(contents.metadata.at("profile"), state.state.profile);
  EXPECT_EQ(contents.metadata.at("tokens"), std::to_string(state.state.history.token_count()));
  EXPECT_EQ(contents.metadata.at("history"), state.state.history.chain().Hex());
}

TEST_F(Dumping, UnchangedItIsTheSameStateUnderAnotherName) {
  const LoadedDump loaded = Load(Content());
  const storage::StateId id = library_.Resolve("gate").state.id;
  EXPECT_FALSE(loaded.edited);
  EXPECT_EQ(loaded.saved.state.id, id);
  EXPECT_EQ(library_.Resolve("copy").state.id, id);
  EXPECT_TRUE(library_.Resolve("copy").state.tokens_kept);
  const std::vector<LogEntry> log = Log(library_, "copy");
  EXPECT_EQ(log[0].derivation.operation, storage::Operation::kCopy);
  EXPECT_EQ(log[0].made_from, "gate@1");
  EXPECT_EQ(LoadEdited(Content(), "too").saved.state.id, id);
}

TEST_F(Dumping, WithoutAnIdThatIsHereAnEqualStateIsFound) {
  const std::string content = Changed(
      [](auto&, auto& metadata) { metadata["state"] = HashOf(AsBytes("another file")).Hex(); });
  EXPECT_EQ(Load(content).saved.state.id, library_.Resolve("gate").state.id);
}

TEST_F(Dumping, AStateThatIsNotHereIsNotTakenAtItsWord) {
  library_ = OpenLibrary("another");
  ExpectError(ErrorKind::kNotFound, "the library has no state", [&] { Load(Content()); });
  const LoadedDump loaded = LoadEdited(Content());
  EXPECT_TRUE(loaded.edited);
  EXPECT_FALSE(loaded.of);
  EXPECT_FALSE(Log(library_, "edited")[0].derivation.parent_state);
}

TEST_F(Dumping, OtherNumbersNeedToBeAskedForAndHaveNoHistory) {
  const std::string content = WithNumber(7.5f);
  ExpectError(ErrorKind::kMismatch, "\"layers.0.ssm\" first; --edited", [&] { Load(content); });
  EXPECT_THAT(NamesHere(), ElementsAre("gate"));
  const LoadedDump loaded = LoadEdited(content);
  EXPECT_TRUE(loaded.edited);
  EXPECT_EQ(loaded.segments_changed, 1u);
  const storage::ResolvedState edited = library_.Resolve("edited");
  EXPECT_EQ(edited.state.profile, library_.Resolve("gate").state.profile + "+edited");
  EXPECT_EQ(edited.state.history.token_count(), 0u);
  EXPECT_NE(edited.state.history, History());
  EXPECT_FALSE(edited.state.tokens_kept);
  const std::vector<LogEntry> log = Log(library_, "edited");
  EXPECT_EQ(log[0].derivation.operation, storage::Operation::kEdit);
  EXPECT_EQ(log[0].made_from, "gate@1");
  EXPECT_TRUE(storage::Verify(library_.repository()).problems.empty());
}

TEST_F(Dumping, AnEditedStateLoadsItsNumbersAndDumpsToTheSameBytes) {
  const std::string content = WithNumber(7.5f);
  const storage::StateId id = LoadEdited(content).saved.state.id;
  const LoadedState loaded = LoadState(library_, model_, library_.Resolve("edited"));
  EXPECT_FALSE(loaded.state.is_empty());
  EXPECT_EQ(model_.runtime->Logits(loaded.state).size(),
            static_cast<size_t>(model_.runtime->info().vocabulary_size));
  const std::filesystem::path again = folder_.path() / "again.safetensors";
  DumpState(library_, library_.Resolve("edited"), again);
  const std::string dumped = Read(again);
  EXPECT_EQ(Load(dumped, "same").saved.state.id, id);
  const auto numbers = [](const std::string& file) {
    const model_files::SafetensorsContents contents = Parse(file);
    std::map<std::string, Bytes> bytes;
    for (const model_files::TensorRef& tensor : contents.tensors)
      bytes[tensor.name] = {tensor.bytes.begin(), tensor.bytes.end()};
    return bytes;
  };
  EXPECT_EQ(numbers(dumped), numbers(content));
  EXPECT_EQ(LoadEdited(content, "once-more").saved.state.id, id);
}

TEST_F(Dumping, NoReadingStartsFromAnEditedStateByItself) {
  const IngestResult sound = AppendText("gate", "More of it.\n");
  LoadEdited(WithNumber(7.5f));
  const IngestResult grown = AppendText("edited", "More of it.\n");
  EXPECT_EQ(grown.tokens_restored, 0u);
  EXPECT_TRUE(storage::IsEdited(grown.saved.state.profile));
  EXPECT_FALSE(grown.saved.state.tokens_kept);
  EXPECT_NE(grown.saved.state.content, sound.saved.state.content);
  // The same tokens from nothing, which the edited state has read after its numbers.
  const IngestResult alone = IngestText("alone", "More of it.\n");
  EXPECT_FALSE(alone.reused);
  EXPECT_NE(alone.saved.state.history, grown.saved.state.history);
  EXPECT_EQ(IngestText("again", kText).saved.state.id, library_.Resolve("gate@1").state.id);
}

TEST_F(Dumping, AnEditedStateCannotBeProvedAndSaysWhy) {
  LoadEdited(WithNumber(7.5f));
  AppendText("edited", "More of it.\n");
  for (const char* name : {"edited@1", "edited@2"})
    ExpectError(ErrorKind::kInvalidArgument, "were edited, or it goes on from one",
                [&] { Rederive(library_, model_, library_.Resolve(name), {}); });
}

TEST_F(Dumping, RepairBringsAnEditedStateBackAsSuch) {
  LoadEdited(WithNumber(7.5f));
  const storage::StateId id = library_.Resolve("edited").state.id;
  const std::filesystem::path path = library_.path();
  library_ = OpenLibrary("another");  // so that nobody has it open
  std::filesystem::remove(path / "index.db");
  EXPECT_TRUE(storage::RepairIndex(path, FileSystem::Real(), {.now_ms = 1}).lost.empty());
  library_ = OpenLibrary("library");
  EXPECT_EQ(library_.Resolve("edited").state.id, id);
  EXPECT_TRUE(storage::IsEdited(library_.Resolve("edited").state.profile));
  EXPECT_EQ(Log(library_, "edited")[0].derivation.operation, storage::Operation::kEdit);
  EXPECT_EQ(Log(library_, "edited")[0].made_from, "gate@1");
}

TEST_F(Dumping, ABundleCarriesAnEditedState) {
  LoadEdited(WithNumber(7.5f));
  const storage::ResolvedState edited = library_.Resolve("edited");
  const std::string bundle = (folder_.path() / "edited.statelib").string();
  Selection selection;
  selection.names = {"edited"};
  Export(library_, selection, bundle, {});
  library_ = OpenLibrary("another");
  KeyRing keys(folder_.path() / "config");
  SignerPolicy policy;
  policy.allow_unsigned = true;
  storage::BundleFile file = storage::BundleFile::Open(bundle);
  Import(library_, file, "edited.statelib", keys, policy, {}, {DemoModel(), "demo"});
  EXPECT_EQ(library_.Resolve("edited").state.id, edited.state.id);
  EXPECT_TRUE(storage::IsEdited(library_.Resolve("edited").state.profile));
  const StateDetails details = Show(library_, "edited");
  EXPECT_EQ(details.lineage.at(1).operation, storage::Operation::kEdit);
  ExpectError(ErrorKind::kInvalidArgument, "were edited",
              [&] { Rederive(library_, model_, library_.Resolve("edited"), {}); });
}

TEST_F(Dumping, TensorsThatAreNotTheModelsAreRefused) {
  using Tensors = std::vector<model_files::TensorToWrite>;
  const auto find = [](Tensors& tensors, const char* name) {
    return std::ranges::find(tensors, std::string(name), &model_files::TensorToWrite::name);
  };
  ExpectRefused(
      ErrorKind::kMismatch, "expected a tensor \"layers.1.conv\"",
      Changed([&](auto& tensors, auto&) { tensors.erase(find(tensors, "layers.1.conv")); }));
  ExpectRefused(ErrorKind::kMismatch, "\"more\"", Changed([](auto& tensors, auto&) {
                  tensors.push_back({"more", model_files::ElementType::kF32, {0}, {}});
                }));
  ExpectRefused(ErrorKind::kMismatch, "tensor \"layers.0.ssm\"", Changed([&](auto& tensors, auto&) {
                  auto& shape = find(tensors, "layers.0.ssm")->shape;
                  std::swap(shape[0], shape[1]);
                }));
  ExpectRefused(ErrorKind::kMismatch, "tensor \"hidden\" (I32", Changed([&](auto& tensors, auto&) {
                  find(tensors, "hidden")->type = model_files::ElementType::kI32;
                }));
  for (const float number :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()})
    ExpectRefused(ErrorKind::kCorrupt, "expected finite numbers", WithNumber(number));
}

TEST_F(Dumping, MetadataThatIsNoDumpsOrWasChangedIsRefused) {
  const auto with = [this](const char* key, const std::string& value) {
    return Changed([&](auto&, auto& metadata) { metadata[key] = value; });
  };
  ExpectRefused(ErrorKind::kInvalidArgument, "\"format\": expected \"statelib-state\"",
                with("format", "pt"));
  ExpectRefused(ErrorKind::kUnsupported, "this statelib reads version 1", with("version", "2"));
  ExpectRefused(ErrorKind::kCorrupt, "\"state\": expected 64 hexadecimal digits",
                with("state", "handbook"));
  ExpectRefused(ErrorKind::kCorrupt, "\"tokens\": expected a whole number", with("tokens", "-1"));
  ExpectRefused(ErrorKind::kCorrupt, "\"profile\": expected 1 to 256 bytes",
                with("profile", std::string(300, 'x')));
  ExpectRefused(ErrorKind::kCorrupt, "expected a member \"history\"",
                Changed([](auto&, auto& metadata) { metadata.erase("history"); }));
  ExpectRefused(ErrorKind::kMismatch, "found others", with("tokens", "3"));
  ExpectError(ErrorKind::kMismatch, "needs the model",
              [&] { LoadEdited(with("model", HashOf(AsBytes("other")).Hex())); });
  ExpectError(ErrorKind::kMismatch, "numerics profile",
              [&] { LoadEdited(with("profile", "fast-bf16-r9")); });
}

TEST_F(Dumping, AFileThatIsCutShortIsRefusedWhereverItIsCut) {
  const std::string content = Content();
  uint64_t header = 0;
  std::memcpy(&header, content.data(), sizeof header);
  for (size_t size = 0; size < content.size(); size += size < header + 8 ? 101 : 40'009)
    ExpectError(ErrorKind::kCorrupt, "dump",
                [&] { ReadStateDump(AsBytes(content.substr(0, size)), "dump"); });
}

TEST_F(Dumping, AHeaderThatClaimsMoreThanThereIsIsRefused) {
  std::string content = Content();
  const uint64_t header = UINT64_MAX;
  std::memcpy(content.data(), &header, sizeof header);
  ExpectRefused(ErrorKind::kCorrupt, "header length", content);
}

}  // namespace
}  // namespace statelib::library
