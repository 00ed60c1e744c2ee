// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_MADE_UP_BACKEND_H_
#define STATELIB_TESTS_MADE_UP_BACKEND_H_

#include <memory>
#include <string>
#include <vector>

#include "core/engine/backend_choice.h"
#include "kernels/backends.h"

namespace statelib {

/// A backend whose norms are a little off: it computes by the CPU's, and has an arithmetic, a
/// layout of packed weights and a profile of its own. The operations that not every backend has it
/// has or not. Its memory is said to be elsewhere than the host's.
class MadeUpBackend : public kernels::Backend {
 public:
  MadeUpBackend(int threads, bool has_optional)
      : cpu_(kernels::MakeCpuBackend(threads)), has_optional_(has_optional) {}

  bool Supports(kernels::Operation) const override { return has_optional_; }
  void Gate(kernels::ConstRows x, kernels::ConstRows z, kernels::Rows out) override {
    cpu_->Gate(x, z, out);
  }
  void AddScaled(kernels::ConstRows x, float scale, kernels::Rows out) override {
    cpu_->AddScaled(x, scale, out);
  }
  void LayerNorm(kernels::ConstRows x, const float* weight, const float* bias, float epsilon,
                 kernels::Rows out) override {
    cpu_->LayerNorm(x, weight, bias, epsilon, out);
  }
  void Attention(const kernels::AttentionArgs& args) override { cpu_->Attention(args); }
  void Route(kernels::ConstRows logits, const kernels::ExpertPlaces& out) override {
    cpu_->Route(logits, out);
  }
  void MatMulByExpert(const kernels::ExpertProductArgs& args) override {
    cpu_->MatMulByExpert(args);
  }
  void SumExperts(kernels::ConstRows x, const kernels::ExpertPlaces& places,
                  kernels::Rows out) override {
    cpu_->SumExperts(x, places, out);
  }

  std::string name() const override { return "made up"; }
  std::string ProfileOf(const kernels::ProfileRequest& request) const override {
    return kernels::BaseProfile("made-up-r1", request);
  }
  kernels::Buffer Allocate(size_t elements, kernels::DType dtype) override {
    return cpu_->Allocate(elements, dtype);
  }
  // No HostAddress: states go through transfers.
  void UploadBytes(std::span<const std::byte> from_host, std::byte* to) override {
    cpu_->UploadBytes(from_host, to);
  }
  void DownloadBytes(const std::byte* from, std::span<std::byte> to_host) override {
    cpu_->DownloadBytes(from, to_host);
  }
  void CopyBytes(const std::byte* from, std::byte* to, size_t bytes) override {
    cpu_->CopyBytes(from, to, bytes);
  }
  void ZeroBytes(std::byte* to, size_t bytes) override { cpu_->ZeroBytes(to, bytes); }
  std::unique_ptr<kernels::Matrix> Pack(const kernels::WeightView& weights,
                                        kernels::WeightFormat format) override {
    return cpu_->Pack(weights, format);
  }
  std::string packed_layout() const override { return "made-up-r1"; }
  std::unique_ptr<kernels::Matrix> Map(const kernels::MatrixDescription& description,
                                       std::span<const std::byte> packed) override {
    return cpu_->Map(description, packed);
  }
  void Embed(const kernels::Matrix& table, const int32_t* ids, kernels::Rows out) override {
    cpu_->Embed(table, ids, out);
  }
  void RmsNorm(kernels::ConstRows x, const float* weight, float epsilon,
               kernels::Rows out) override {
    cpu_->RmsNorm(x, weight, epsilon * 1.5f, out);
  }
  void RmsNormLast(kernels::ConstRows x, const float* weight, float epsilon,
                   const kernels::SequenceTable& sequences, size_t state, size_t kept) override {
    cpu_->RmsNormLast(x, weight, epsilon * 1.5f, sequences, state, kept);
  }
  void GatherState(const kernels::SequenceTable& sequences, size_t state,
                   kernels::Rows out) override {
    cpu_->GatherState(sequences, state, out);
  }
  void MatMul(const kernels::Matrix& weights, const float* bias, kernels::ConstRows x,
              kernels::Epilogue epilogue, kernels::Rows out) override {
    cpu_->MatMul(weights, bias, x, epilogue, out);
  }
  void CausalConv(const kernels::CausalConvArgs& args) override { cpu_->CausalConv(args); }
  void SelectiveScan(const kernels::SelectiveScanArgs& args) override { cpu_->SelectiveScan(args); }
  void Mamba2Scan(const kernels::Mamba2ScanArgs& args) override { cpu_->Mamba2Scan(args); }

  /// The table of one without the optional operations and one with them.
  static engine::BackendChoice Choice(bool has_optional = false) {
    static constexpr kernels::BackendEntry kEntries[] = {
        {"made-up", "a little off",
         [](const kernels::BackendOptions& options) -> std::unique_ptr<kernels::Backend> {
           return std::make_unique<MadeUpBackend>(options.threads, false);
         }},
        {"made-up-whole", "a little off, with every operation",
         [](const kernels::BackendOptions& options) -> std::unique_ptr<kernels::Backend> {
           return std::make_unique<MadeUpBackend>(options.threads, true);
         }}};
    return {has_optional ? "made-up-whole" : "made-up", {}, kEntries};
  }

 private:
  std::unique_ptr<kernels::Backend> cpu_;
  bool has_optional_;
};

}  // namespace statelib

#endif  // STATELIB_TESTS_MADE_UP_BACKEND_H_
