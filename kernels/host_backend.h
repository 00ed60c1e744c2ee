// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_HOST_BACKEND_H_
#define STATELIB_KERNELS_HOST_BACKEND_H_

#include <cstring>

#include "kernels/aligned.h"
#include "kernels/backend.h"
#include "kernels/host_sequences.h"

namespace statelib::kernels {

/// What backends share whose memory is the host's: the memory, and the names of the profiles, in
/// all of which they agree to the bit.
class HostBackend : public Backend {
 public:
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
  void CopyBytes(const std::byte* from, std::byte* to, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void ZeroBytes(std::byte* to, size_t bytes) override {
    if (bytes > 0) std::memset(to, 0, bytes);
  }
  void RmsNormLast(ConstRows x, const float* weight, float epsilon, const SequenceTable& sequences,
                   size_t state) override {
    for (const SequenceEntry& sequence : HostEntries(sequences)) {
      const size_t last = sequence.first_row + sequence.row_count - 1;
      RmsNorm({x.f32() + last * x.stride, 1, x.cols, x.cols}, weight, epsilon,
              {StateOf(sequence, state), 1, x.cols, x.cols});
    }
  }
  void GatherState(const SequenceTable& sequences, size_t state, Rows out) override {
    size_t row = 0;
    for (const SequenceEntry& sequence : HostEntries(sequences))
      std::memcpy(out.f32() + row++ * out.stride, StateOf(sequence, state),
                  out.cols * sizeof(float));
  }
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_HOST_BACKEND_H_
