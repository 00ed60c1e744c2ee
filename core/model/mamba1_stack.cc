// SPDX-License-Identifier: Apache-2.0
// The selective state space network, written once against the kernel interface. The residual
// stream, the gate order and the Euler input term are those of the published implementations
// (state-spaces/mamba, huggingface/transformers).
#include "core/model/mamba1_stack.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json_object.h"
#include "core/model/config_fields.h"

namespace statelib::model {

namespace {

using kernels::Buffer;
using kernels::Epilogue;
using kernels::Rows;

enum LayerSegment : size_t { kConvState, kSsmState };

StateSpec LayerSpec(const Mamba1StackConfig& config) {
  // Oldest input first. A kernel of one keeps no inputs, yet a segment of every kind stands in
  // every layer.
  return {{0, SegmentKind::kConv, DType::kF32, {config.kernel - 1, config.inner}, "time,channel"},
          {0, SegmentKind::kSsm, DType::kF32, {config.states, config.inner}, "state,channel"}};
}

struct Mamba1Layer {
  MatrixRef in_proj;                 // [2E, D]: x above z
  MatrixRef x_proj;                  // [R + 2N, E]: dt, B, C
  MatrixRef dt_proj;                 // [E, R]
  MatrixRef out_proj;                // [D, E]
  VectorRef norm;                    // [D]
  VectorRef in_bias, out_bias;       // [2E], [D], or none
  VectorRef conv_weight, conv_bias;  // [K, E], [E]
  VectorRef dt_bias;                 // [E]
  VectorRef a;                       // [N, E] = -exp(A_log), transposed
  VectorRef d;                       // [E]
};

class Mamba1Stack : public LayerStack {
 public:
  Mamba1Stack(const Mamba1StackConfig& config, const model_files::ModelFiles& model_files,
              kernels::Backend& backend)
      : LayerStack(config.dims, LayerSpec(config), model_files, backend), config_(config) {
    for (int64_t i = 0; i < config_.dims.layers; ++i) layers_.push_back(ReadLayer(i));
    ones_ = weights().Constant(std::max(config_.dt_rank, config_.states), 1.0f);
    Finish();
  }

 protected:
  void AllocateActivations() override {
    const auto rows_of = [this](int64_t width) {
      return backend().Allocate(rows_max() * static_cast<size_t>(width));
    };
    normed_ = rows_of(config_.dims.hidden);
    x_and_z_ = rows_of(2 * config_.inner);
    x_ = rows_of(config_.inner);
    dt_b_c_ = rows_of(config_.dt_rank + 2 * config_.states);
    dt_ = rows_of(config_.inner);
  }

  void AdvanceLayer(size_t index, const kernels::SequenceTable& sequences, Rows residual) override {
    Mamba1Layer& layer = layers_[index];
    const size_t rows = residual.rows, d = residual.cols, e = static_cast<size_t>(config_.inner);
    const size_t r = static_cast<size_t>(config_.dt_rank), n = static_cast<size_t>(config_.states);
    const Rows normed{normed_.data(), rows, d, d};
    const Rows x_and_z{x_and_z_.data(), rows, 2 * e, 2 * e};
    const Rows x{x_.data(), rows, e, e};
    const Rows dt_b_c{dt_b_c_.data(), rows, r + 2 * n, r + 2 * n};
    const Rows dt_in = dt_b_c.Columns(0, r), b = dt_b_c.Columns(r, n), c = dt_b_c.Columns(r + n, n);
    const Rows dt{dt_.data(), rows, e, e};
    const size_t conv_state = StateOf(index, kConvState), ssm_state = StateOf(index, kSsmState);

    backend().RmsNorm(residual, layer.norm.data(), config_.dims.norm_epsilon, normed);
    backend().MatMulThenConv(
        *layer.in_proj, layer.in_bias.data(), normed, x_and_z,
        {x_and_z.Columns(0, e), layer.conv_weight.data(), layer.conv_bias.data(),
         static_cast<size_t>(config_.kernel), sequences, conv_state, x});
    backend().MatMul(*layer.x_proj, nullptr, x, Epilogue::kStore, dt_b_c);
    if (config_.dt_b_c_norm_epsilon) {
      for (const Rows& part : {dt_in, b, c}) {
        backend().RmsNorm(part, ones_.data(), *config_.dt_b_c_norm_epsilon, part);
      }
    }
    backend().MatMulThenScan(*layer.dt_proj, layer.dt_bias.data(), dt_in, dt,
                             {x, dt, b, c, x_and_z.Columns(e, e), layer.a.data(), layer.d.data(),
                              sequences, ssm_state, x});
    backend().MatMul(*layer.out_proj, layer.out_bias.data(), x, Epilogue::kAdd, residual);
  }

 private:
  Mamba1Layer ReadLayer(int64_t index) {
    const std::string block = fmt::format("backbone.layers.{}.", index), mixer = block + "mixer.";
    const int64_t d = config_.dims.hidden, e = config_.inner, n = config_.states,
                  r = config_.dt_rank;
    Mamba1Layer layer;
    layer.in_proj = weights().Matrix(mixer + "in_proj.weight", 2 * e, d);
    layer.x_proj = weights().ExactMatrix(mixer + "x_proj.weight", r + 2 * n, e);
    layer.dt_proj = weights().ExactMatrix(mixer + "dt_proj.weight", e, r);
    layer.out_proj = weights().Matrix(mixer + "out_proj.weight", d, e);
    layer.norm = weights().Vector(block + "norm.weight", d);
    layer.in_bias = OptionalVector(config_.use_bias, mixer + "in_proj.bias", 2 * e);
    layer.out_bias = OptionalVector(config_.use_bias, mixer + "out_proj.bias", d);
    layer.conv_weight = ConvolutionTaps(mixer + "conv1d.weight", e, config_.kernel);
    layer.conv_bias = VectorOrZeros(config_.use_conv_bias, mixer + "conv1d.bias", e);
    layer.dt_bias = weights().Vector(mixer + "dt_proj.bias", e);
    layer.a = Decays(mixer, {e, n}, [e, n](const std::vector<float>& a) {
      return Transposed(a, static_cast<size_t>(e), static_cast<size_t>(n));
    });
    layer.d = weights().Vector(mixer + "D", e);
    return layer;
  }

  Mamba1StackConfig config_;
  std::vector<Mamba1Layer> layers_;
  VectorRef ones_;  // the weights of a norm that has none
  // Activations of one call, [rows_max(), …].
  Buffer normed_, x_and_z_, x_, dt_b_c_, dt_;
};

}  // namespace

std::string PublishedConfigOf(const Mamba1StackConfig& config,
                              const model_files::ModelFiles& model_files) {
  const bool has_bias = model_files.Find("backbone.layers.0.mixer.in_proj.bias") != nullptr;
  JsonObject json;
  AddDims(config.dims, model_files, json);
  json.Add("intermediate_size", static_cast<uint64_t>(config.inner));
  json.AddNumber("expand",
                 static_cast<double>(config.inner) / static_cast<double>(config.dims.hidden));
  json.Add("state_size", static_cast<uint64_t>(config.states));
  json.Add("time_step_rank", static_cast<uint64_t>(config.dt_rank));
  json.Add("conv_kernel", static_cast<uint64_t>(config.kernel));
  json.AddBool("use_bias", config.use_bias.value_or(has_bias));
  json.AddBool("use_conv_bias", config.use_conv_bias);
  if (config.dt_b_c_norm_epsilon) json.AddNumber("mixer_rms_eps", *config.dt_b_c_norm_epsilon);
  return json.Finish();
}

std::unique_ptr<Model> LoadMamba1Stack(const Mamba1StackConfig& config,
                                       const model_files::ModelFiles& model_files,
                                       kernels::Backend& backend) {
  return std::make_unique<Mamba1Stack>(config, model_files, backend);
}

// GGUF's words for Mamba-1, which FalconMamba's files use too.

std::span<const GgufName> Mamba1GgufNames() {
  static constexpr GgufName kNames[] = {
      {"attn_norm.weight", "norm.weight"},
      {"ssm_in.weight", "mixer.in_proj.weight"},
      {"ssm_conv1d.weight", "mixer.conv1d.weight", GgufReshape::kConv},
      {"ssm_conv1d.bias", "mixer.conv1d.bias"},
      {"ssm_x.weight", "mixer.x_proj.weight"},
      {"ssm_dt.weight", "mixer.dt_proj.weight"},
      {"ssm_dt.bias", "mixer.dt_proj.bias"},
      {"ssm_a", "mixer.A"},
      {"ssm_d", "mixer.D"},
      {"ssm_out.weight", "mixer.out_proj.weight"},
  };
  return kNames;
}

bool HasInnerNormsInGguf(const GgufSource& file) { return file.Flag("ssm.dt_b_c_rms"); }

std::string Mamba1ConfigOfGguf(const GgufSource& file, std::string_view model_type) {
  JsonObject config;
  file.AddRecurrentDims(model_type, &config);
  config.Add("time_step_rank", file.Size("ssm.time_step_rank"));
  file.AddCommonFacts(&config);
  return config.Finish();
}

void DescribeMamba1InGguf(GgufTarget* model) {
  model->AddRecurrentDims();
  model->AddSize("ssm.time_step_rank", model->Size("time_step_rank"));
  model->AddNormEpsilon();
}

}  // namespace statelib::model
