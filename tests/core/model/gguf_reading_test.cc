// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_reading.h"
#include "core/model/architectures.h"

#include <gtest/gtest.h>

#include "core/model/architectures.h"
#include "core/model_files/config_json.h"
#include "core/model_files/fingerprint.h"
#include "core/model_files/model_files.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/gguf_builder.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

using model_files::ElementType;
using model_files::ExpectError;
using model_files::GgufBuilder;
using model_files::GgufType;
using model_files::ModelFiles;
using model_files::ReadF32;

std::string Zeros(size_t floats) { return std::string(4 * floats, '\0'); }

/// D = 4, E = 8, N = 2, R = 3, K = 4, V = 5, one layer.
GgufBuilder Mamba() {
  GgufBuilder builder = model_files::SmallMamba();
  builder.U32("tokenizer.ggml.bos_token_id", 0)
      .U32("tokenizer.ggml.eos_token_id", 2)
      .Tensor("token_embd.weight", {4, 5}, 0, model_files::CountingFloats(20))
      .Tensor("output_norm.weight", {4}, 0, Zeros(4))
      .Tensor("blk.0.attn_norm.weight", {4}, 0, Zeros(4))
      .Tensor("blk.0.ssm_in.weight", {4, 16}, 1, std::string(128, '\0'))
      .Tensor("blk.0.ssm_conv1d.weight", {4, 8}, 0, model_files::CountingFloats(32))
      .Tensor("blk.0.ssm_conv1d.bias", {8}, 0, Zeros(8))
      .Tensor("blk.0.ssm_x.weight", {8, 7}, 0, Zeros(56))
      .Tensor("blk.0.ssm_dt.weight", {3, 8}, 0, Zeros(24))
      .Tensor("blk.0.ssm_dt.bias", {8}, 0, Zeros(8))
      .Tensor("blk.0.ssm_a", {2, 8}, 0, Zeros(16))
      .Tensor("blk.0.ssm_d", {8}, 0, Zeros(8))
      .Tensor("blk.0.ssm_out.weight", {8, 4}, 0, Zeros(32));
  return builder;
}

/// D = 4, E = 8 in 4 heads, N = 2, G = 2, K = 4, V = 5, one layer, untied.
GgufBuilder Mamba2() {
  GgufBuilder builder;
  builder.String("general.architecture", "mamba2")
      .U32("mamba2.embedding_length", 4)
      .U32("mamba2.block_count", 1)
      .U32("mamba2.ssm.conv_kernel", 4)
      .U32("mamba2.ssm.inner_size", 8)
      .U32("mamba2.ssm.state_size", 2)
      .U32("mamba2.ssm.time_step_rank", 4)
      .U32("mamba2.ssm.group_count", 2)
      .F32("mamba2.attention.layer_norm_rms_epsilon", 1e-5f)
      .Tensor("token_embd.weight", {4, 5}, 0, Zeros(20))
      .Tensor("output.weight", {4, 5}, 0, Zeros(20))
      .Tensor("output_norm.weight", {4}, 0, Zeros(4))
      .Tensor("blk.0.attn_norm.weight", {4}, 0, Zeros(4))
      .Tensor("blk.0.ssm_in.weight", {4, 28}, 0, Zeros(112))
      .Tensor("blk.0.ssm_conv1d.weight", {4, 16}, 0, Zeros(64))
      .Tensor("blk.0.ssm_conv1d.bias", {16}, 0, Zeros(16))
      .Tensor("blk.0.ssm_dt.bias", {4}, 0, Zeros(4))
      .Tensor("blk.0.ssm_a", {1, 4}, 0, model_files::CountingFloats(4))
      .Tensor("blk.0.ssm_d", {1, 4}, 0, Zeros(4))
      .Tensor("blk.0.ssm_norm.weight", {4, 2}, 0, Zeros(8))
      .Tensor("blk.0.ssm_out.weight", {8, 4}, 0, Zeros(32));
  return builder;
}

class GgufModel : public testing::Test {
 protected:
  std::unique_ptr<ModelFiles> Open(const GgufBuilder& builder) {
    return OpenModelFiles(folder_.Write("m.gguf", builder.Build()));
  }

 private:
  TemporaryDirectory folder_;
};

using Shape = std::vector<int64_t>;

TEST_F(GgufModel, MambaHasThePublishedNamesAndShapes) {
  const auto model_files = Open(Mamba());
  const std::string layer = "backbone.layers.0.";
  EXPECT_EQ(model_files->Get("backbone.embeddings.weight").shape, (Shape{5, 4}));
  EXPECT_EQ(model_files->Get("backbone.norm_f.weight").shape, (Shape{4}));
  EXPECT_EQ(model_files->Get(layer + "norm.weight").shape, (Shape{4}));
  EXPECT_EQ(model_files->Get(layer + "mixer.in_proj.weight").shape, (Shape{16, 4}));
  EXPECT_EQ(model_files->Get(layer + "mixer.in_proj.weight").type, ElementType::kF16);
  EXPECT_EQ(model_files->Get(layer + "mixer.conv1d.weight").shape, (Shape{8, 1, 4}));
  EXPECT_EQ(ReadF32(model_files->Get(layer + "mixer.conv1d.weight"))[31], 31.0f);
  EXPECT_EQ(model_files->Get(layer + "mixer.conv1d.bias").shape, (Shape{8}));
  EXPECT_EQ(model_files->Get(layer + "mixer.x_proj.weight").shape, (Shape{7, 8}));
  EXPECT_EQ(model_files->Get(layer + "mixer.dt_proj.weight").shape, (Shape{8, 3}));
  EXPECT_EQ(model_files->Get(layer + "mixer.dt_proj.bias").shape, (Shape{8}));
  EXPECT_EQ(model_files->Get(layer + "mixer.D").shape, (Shape{8}));
  EXPECT_EQ(model_files->Get(layer + "mixer.out_proj.weight").shape, (Shape{4, 8}));
  EXPECT_EQ(model_files->tensors().all().size(), 12u);
}

TEST_F(GgufModel, StoredANeverPassesForItsLogarithm) {
  for (const GgufBuilder& builder : {Mamba(), Mamba2()}) {
    const auto model_files = Open(builder);
    EXPECT_EQ(model_files->Find("backbone.layers.0.mixer.A_log"), nullptr);
    EXPECT_NE(model_files->Find("backbone.layers.0.mixer.A"), nullptr);
  }
}

TEST_F(GgufModel, MambaHasThePublishedConfiguration) {
  const auto model_files = Open(Mamba());
  const JsonValue config = model_files->config();
  EXPECT_EQ(config["model_type"].String(), "mamba");
  const std::pair<const char*, int64_t> integers[] = {
      {"vocab_size", 5},   {"hidden_size", 4}, {"num_hidden_layers", 1}, {"intermediate_size", 8},
      {"expand", 2},       {"state_size", 2},  {"conv_kernel", 4},       {"time_step_rank", 3},
      {"bos_token_id", 0}, {"eos_token_id", 2}};
  for (const auto& [key, value] : integers) EXPECT_EQ(config[key].Int(0, 100), value) << key;
  EXPECT_EQ(config["layer_norm_epsilon"].Number(), 1e-5);
  EXPECT_FALSE(config["use_bias"].Bool());
  EXPECT_TRUE(config["use_conv_bias"].Bool());
  EXPECT_TRUE(config["tie_word_embeddings"].Bool());
}

TEST_F(GgufModel, Mamba2HasHeadsAndGroups) {
  const auto model_files = Open(Mamba2());
  const JsonValue config = model_files->config();
  EXPECT_EQ(config["model_type"].String(), "mamba2");
  EXPECT_EQ(config["num_heads"].Int(0, 100), 4);
  EXPECT_EQ(config["head_dim"].Int(0, 100), 2);
  EXPECT_EQ(config["n_groups"].Int(0, 100), 2);
  EXPECT_FALSE(config["tie_word_embeddings"].Bool());
  config["time_step_limit"].ForEach([at = 0](const JsonValue& limit) mutable {
    EXPECT_EQ(model_files::ExtendedNumber(limit),
              at++ == 0 ? 0.0 : std::numeric_limits<double>::infinity());
  });
  const std::string mixer = "backbone.layers.0.mixer.";
  EXPECT_EQ(model_files->Get(mixer + "A").shape, (Shape{4}));
  EXPECT_EQ(ReadF32(model_files->Get(mixer + "A"))[3], 3.0f);
  EXPECT_EQ(model_files->Get(mixer + "D").shape, (Shape{4}));
  EXPECT_EQ(model_files->Get(mixer + "dt_bias").shape, (Shape{4}));
  EXPECT_EQ(model_files->Get(mixer + "norm.weight").shape, (Shape{8}));
  EXPECT_EQ(model_files->Get("lm_head.weight").shape, (Shape{5, 4}));
}

TEST_F(GgufModel, InnerNormsMeanFalconMamba) {
  GgufBuilder builder = Mamba();
  builder.Value("mamba.ssm.dt_b_c_rms", GgufType::kBool, "\x01");
  EXPECT_EQ(Open(builder)->config()["model_type"].String(), "falcon_mamba");
}

TEST_F(GgufModel, TheFileIsKnownByItselfAndHasAFingerprint) {
  const auto model_files = Open(Mamba());
  ASSERT_NE(model_files->gguf(), nullptr);
  EXPECT_EQ(model_files->gguf()->metadata().Get("tokenizer.ggml.eos_token_id").Uint(9), 2u);
  EXPECT_EQ(model_files->files().size(), 1u);
  // Taken before the next file takes this one's place.
  const Digest fingerprint = model_files::FingerprintOf(*model_files);
  GgufBuilder renamed = Mamba();
  renamed.String("general.name", "another name");
  EXPECT_EQ(model_files::FingerprintOf(*Open(renamed)), fingerprint);
  EXPECT_NE(model_files::FingerprintOf(*Open(Mamba2())), fingerprint);
}

TEST_F(GgufModel, OtherModelsAreRefusedByName) {
  GgufBuilder llama;
  llama.String("general.architecture", "llama");
  ExpectError(ErrorKind::kUnsupported, {"expected \"mamba\" or \"mamba2\", found \"llama\""},
              [&] { Open(llama); });
  ExpectError(ErrorKind::kCorrupt, {"expected the metadata \"general.architecture\""},
              [&] { Open(GgufBuilder()); });
  for (const char* name : {"blk.0.ssm_in.bias", "blk.x.ssm_d", "blk..ssm_d", "blk.0", "rope"}) {
    GgufBuilder builder = Mamba();
    builder.Tensor(name, {1}, 0, Zeros(1));
    ExpectError(ErrorKind::kUnsupported, {name, "expected a tensor of the architecture \"mamba\""},
                [&] { Open(builder); });
  }
  GgufBuilder split = Mamba();
  split.Value("split.count", GgufType::kU16, model_files::Raw<uint16_t>(3));
  ExpectError(ErrorKind::kUnsupported, {"one of 3 parts", "--merge"}, [&] { Open(split); });
}

TEST_F(GgufModel, MetadataThatContradictsIsRefused) {
  GgufBuilder builder;
  builder.String("general.architecture", "mamba").U32("mamba.embedding_length", 0);
  ExpectError(ErrorKind::kCorrupt, {"mamba.embedding_length\": expected at least 1, found 0"},
              [&] { Open(builder); });
  GgufBuilder wide;
  wide.String("general.architecture", "mamba")
      .U32("mamba.embedding_length", 6)
      .U32("mamba.ssm.inner_size", 12)
      .Tensor("token_embd.weight", {4, 5}, 0, Zeros(20));
  ExpectError(ErrorKind::kCorrupt, {"expected the shape [tokens, 6], found [5, 4]"},
              [&] { Open(wide); });
}

}  // namespace
}  // namespace statelib::model
