// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/device_transfer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace statelib::kernels::cuda {

/// One download: asked for in the stream of downloads after what kStream has to do before it.
class DeviceTransfer : public Transfer {
 public:
  DeviceTransfer(Downloads& downloads, const std::byte* from, std::span<std::byte> to_host)
      : downloads_(downloads), to_(to_host), staged_(downloads.Take(to_host.size())) {
    CheckCuda(cudaEventCreateWithFlags(&there_, cudaEventDisableTiming), "download");
    // The same event twice: it is waited for as it was recorded before the wait.
    CheckCuda(cudaEventRecord(there_, kStream), "download");
    CheckCuda(cudaStreamWaitEvent(downloads.stream_, there_), "download");
    CheckCuda(cudaMemcpyAsync(staged_.memory.get(), from, to_.size(), cudaMemcpyDeviceToHost,
                              downloads.stream_),
              "download");
    CheckCuda(cudaEventRecord(there_, downloads.stream_), "download");
  }
  ~DeviceTransfer() override {
    if (there_ == nullptr) return;
    cudaEventSynchronize(there_);
    cudaEventDestroy(there_);
    downloads_.GiveBack(std::move(staged_));
  }

  void Wait() override {
    CheckCuda(cudaEventSynchronize(there_), "download");
    std::memcpy(to_.data(), staged_.memory.get(), to_.size());
  }

 private:
  Downloads& downloads_;
  std::span<std::byte> to_;
  PinnedBuffer staged_;
  cudaEvent_t there_ = nullptr;
};

Downloads::~Downloads() {
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

std::unique_ptr<Transfer> Downloads::Begin(const std::byte* from, std::span<std::byte> to_host) {
  if (stream_ == nullptr)
    CheckCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "download");
  free_.reserve(kFreeMax);
  return std::make_unique<DeviceTransfer>(*this, from, to_host);
}

PinnedBuffer Downloads::Take(size_t bytes) {
  const auto found = std::find_if(free_.begin(), free_.end(), [bytes](const PinnedBuffer& buffer) {
    return buffer.bytes >= bytes;
  });
  if (found != free_.end()) {
    PinnedBuffer buffer = std::move(*found);
    free_.erase(found);
    return buffer;
  }
  void* memory = nullptr;
  CheckCuda(cudaMallocHost(&memory, std::max<size_t>(bytes, 1)), "page-locked memory");
  return {std::unique_ptr<std::byte, PinnedDelete>(static_cast<std::byte*>(memory)), bytes};
}

void Downloads::GiveBack(PinnedBuffer buffer) noexcept {
  if (free_.size() < kFreeMax) free_.push_back(std::move(buffer));
}

}  // namespace statelib::kernels::cuda
