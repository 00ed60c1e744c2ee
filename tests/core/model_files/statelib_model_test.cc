// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/statelib_model.h"

#include <gtest/gtest.h>

#include "core/model_files/fingerprint.h"
#include "core/model_files/model_files.h"
#include "core/model_files/safetensors_writer.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/raw_bytes.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

class ContainerTest : public testing::Test {
 protected:
  void Write(const std::string& tokenizer = "") {
    const std::vector<TensorToWrite> tensors = {
        {"a", ElementType::kF32, {2, 3}, AsBytes(floats_)},
        {"b", ElementType::kQ8_0, {1, 32}, AsBytes(block_)}};
    WriteStatelibModel(FileSystem::Real(), path_, tensors, "{\"x\": 1}\n", tokenizer);
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
  EXPECT_TRUE(ModelFiles::IsAt(path_));
  const auto model_files = ModelFiles::Open(path_);
  EXPECT_EQ(AsText(model_files->config_bytes()), "{\"x\": 1}\n");
  EXPECT_EQ(AsText(model_files->TokenizerJson()), "{\"model\": \"\\u00e9\"}");
  EXPECT_EQ(model_files->Get("b").type, ElementType::kQ8_0);
  EXPECT_EQ(AsText(model_files->Get("a").bytes), floats_);
  EXPECT_EQ(model_files->files().size(), 1u);
}

TEST_F(ContainerTest, FactsAreSetInTheConfigurationAndInTheFingerprint) {
  Write();
  const std::vector<ConfigFact> facts = {ParseConfigFact("x=2"), ParseConfigFact("y=[0, Infinity]"),
                                         ParseConfigFact("z=word")};
  const auto plain = ModelFiles::Open(path_), changed = ModelFiles::Open(path_, facts);
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
              [&] { ModelFiles::Open(path_); });
}

TEST_F(ContainerTest, ASafetensorsFileAloneIsRefusedWithAdvice) {
  const std::vector<TensorToWrite> tensors = {{"a", ElementType::kF32, {6}, AsBytes(floats_)}};
  WriteSafetensors(FileSystem::Real(), path_, tensors);
  ExpectError(ErrorKind::kInvalidArgument, {"a safetensors file alone", "give the folder"},
              [&] { ModelFiles::Open(path_); });
}

TEST_F(ContainerTest, CutAnywhereItIsRefused) {
  Write("{}");
  const Bytes whole = FileSystem::Real().ReadFile(path_, 1 << 20);
  for (size_t size = 0; size < whole.size(); ++size) {
    folder_.Write("cut", AsText(ByteSpan(whole).first(size)));
    EXPECT_THROW(ModelFiles::Open(folder_.path() / "cut"), Error) << size;
  }
}

}  // namespace
}  // namespace statelib::model_files
