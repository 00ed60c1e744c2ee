// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_DEVICE_TRANSFER_H_
#define STATELIB_KERNELS_CUDA_DEVICE_TRANSFER_H_

#include <span>
#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/transfer.h"

namespace statelib::kernels::cuda {

struct PinnedDelete {
  void operator()(std::byte* bytes) const { cudaFreeHost(bytes); }
};
struct PinnedBuffer {
  std::unique_ptr<std::byte, PinnedDelete> memory;
  size_t bytes = 0;
};

/// A stream of its own for downloads, which go through page-locked memory: other memory the driver
/// would copy piece by piece, and wait. Buffers that came back are used again. One thread at a
/// time.
class Downloads {
 public:
  Downloads() = default;
  Downloads(const Downloads&) = delete;
  Downloads& operator=(const Downloads&) = delete;
  ~Downloads();

  /// As Backend::BeginDownload. The transfer does not outlive this.
  std::unique_ptr<Transfer> Begin(const std::byte* from, std::span<std::byte> to_host);

 private:
  friend class DeviceTransfer;

  // As many as a state with its pages has at once; more would keep memory for nothing.
  static constexpr size_t kFreeMax = 16;

  PinnedBuffer Take(size_t bytes);
  void GiveBack(PinnedBuffer buffer) noexcept;

  cudaStream_t stream_ = nullptr;  // made when it is first needed
  std::vector<PinnedBuffer> free_;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_DEVICE_TRANSFER_H_
