// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/container.h"

#include <gtest/gtest.h>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/fingerprint.h"
#include "core/checkpoint/safetensors_writer.h"
#include "tests/core/checkpoint/expect_error.h"
#include "tests/core/checkpoint/raw_bytes.h"
#include "tests/temporary_directory.h"

namespace statelib::checkpoint {
namespace {

class ContainerTest : public testing::Test {
 protected:
  void Write(const std::string& tokenizer = "") {
    const std::vector<TensorToWrite> tensors = {
        {"a", ElementType::kF32, {2, 3}, AsBytes(floats_)},
        {"b", ElementType::kQ8_0, {1, 32}, AsBytes(block_)}};
    WriteContainer(FileSystem::Real(), path_, tensors, "{\"x\": 1}\n", tokenizer);
  }

  /// The file with one text of its header replaced by another of the same length.
  void Change(const std::string& from, const std::string& to) {
    const Bytes bytes = FileSystem::Real().ReadFile(path_, 1 << 20);
    std::string text(AsText(bytes));
    text.replace(text.find(from), from.size(), to);
    folder_.Write("m.statelib-model", text);
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "m.statelib-model";
  std::string floats_ = CountingFloats(6);
  std::string block_ = std::string(34, '\1');
};

TEST_F(ContainerTest, IsOpenedAsACheckpointWithItsConfigurationTokenizerAndBlocks) {
  Write("{\"model\": \"\\u00e9\"}");
  EXPECT_TRUE(Checkpoint::IsAt(path_));
  const auto checkpoint = Checkpoint::Open(path_);
  EXPECT_EQ(AsText(checkpoint->config_bytes()), "{\"x\": 1}\n");
  EXPECT_EQ(AsText(checkpoint->TokenizerJson()), "{\"model\": \"\\u00e9\"}");
  EXPECT_EQ(checkpoint->Get("b").type, ElementType::kQ8_0);
  EXPECT_EQ(AsText(checkpoint->Get("a").bytes), floats_);
  EXPECT_EQ(checkpoint->files().size(), 1u);
}

TEST_F(ContainerTest, FactsAreSetInTheConfigurationAndInTheFingerprint) {
  Write();
  const std::vector<ConfigFact> facts = {ParseConfigFact("x=2"), ParseConfigFact("y=[0, Infinity]"),
                                         ParseConfigFact("z=word")};
  const auto plain = Checkpoint::Open(path_), changed = Checkpoint::Open(path_, facts);
  EXPECT_EQ(changed->config()["x"].Int(0, 9), 2);
  EXPECT_EQ(changed->config()["y"].size(), 2u);
  EXPECT_EQ(changed->config()["z"].String(), "word");
  EXPECT_NE(FingerprintOf(*plain), FingerprintOf(*changed));
  ExpectError(ErrorKind::kInvalidArgument, {"expected KEY=VALUE"}, [] { ParseConfigFact("=1"); });
}

TEST_F(ContainerTest, AnotherVersionIsRefusedWithTheOneThatIsKnown) {
  Write();
  Change("\"version\":\"1\"", "\"version\":\"2\"");
  ExpectError(ErrorKind::kUnsupported, {"expected version 1", "found \"2\""},
              [&] { Checkpoint::Open(path_); });
}

TEST_F(ContainerTest, ASafetensorsFileAloneIsRefusedWithAdvice) {
  const std::vector<TensorToWrite> tensors = {{"a", ElementType::kF32, {6}, AsBytes(floats_)}};
  WriteSafetensors(FileSystem::Real(), path_, tensors);
  ExpectError(ErrorKind::kInvalidArgument, {"a safetensors file alone", "give the folder"},
              [&] { Checkpoint::Open(path_); });
}

TEST_F(ContainerTest, CutAnywhereItIsRefused) {
  Write("{}");
  const Bytes whole = FileSystem::Real().ReadFile(path_, 1 << 20);
  for (size_t size = 0; size < whole.size(); ++size) {
    folder_.Write("cut", AsText(ByteSpan(whole).first(size)));
    EXPECT_THROW(Checkpoint::Open(folder_.path() / "cut"), Error) << size;
  }
}

}  // namespace
}  // namespace statelib::checkpoint
