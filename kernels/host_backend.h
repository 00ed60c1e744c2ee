// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_HOST_BACKEND_H_
#define STATELIB_KERNELS_HOST_BACKEND_H_

#include "kernels/aligned.h"
#include "kernels/backend.h"
#include "kernels/host_sequences.h"

namespace statelib::kernels {

/// What backends share whose memory is the host's: the memory, the names of the profiles, in all of
/// which they agree to the bit, and what has no faster form yet.
class HostBackend : public Backend {
 public:
  bool Supports(Operation) const override { return true; }
  std::string ProfileOf(const ProfileRequest& request) const override {
    return HostProfile(request);
  }
  Buffer Allocate(size_t elements, DType dtype) override {
    return AllocateHostBuffer(elements, dtype);
  }
  std::byte* HostAddress(std::byte* address) const override { return address; }
  void UploadBytes(std::span<const std::byte> from_host, std::byte* to) override {
    CopyBytes(from_host.data(), to, from_host.size());
  }
  void DownloadBytes(const std::byte* from, std::span<std::byte> to_host) override {
    CopyBytes(from, to_host.data(), to_host.size());
  }
  void CopyBytes(const std::byte* from, std::byte* to, size_t bytes) override;
  void ZeroBytes(std::byte* to, size_t bytes) override;

  void RmsNormLast(ConstRows x, const float* weight, float epsilon, const SequenceTable& sequences,
                   size_t state, size_t kept) override;
  void GatherState(const SequenceTable& sequences, size_t state, Rows out) override;
  void Gate(ConstRows x, ConstRows z, Rows out) override;
  void AddScaled(ConstRows x, float scale, Rows out) override;
  void LayerNorm(ConstRows x, const float* weight, const float* bias, float epsilon,
                 Rows out) override;
  void Attention(const AttentionArgs& args) override;
  void Route(ConstRows logits, const ExpertPlaces& out) override;
  void MatMulByExpert(const ExpertProductArgs& args) override;
  void SumExperts(ConstRows x, const ExpertPlaces& places, Rows out) override;
  void TimeSteps(const Mamba2ScanArgs& args, Rows out) override;
  void Decays(ConstRows dt, const float* a, size_t states, Rows out) override;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_HOST_BACKEND_H_
