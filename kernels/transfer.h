// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_TRANSFER_H_
#define STATELIB_KERNELS_TRANSFER_H_

namespace statelib::kernels {

/// Bytes on their way to the host (Backend::BeginDownload).
class Transfer {
 public:
  /// Waits, and throws nothing.
  virtual ~Transfer() = default;
  /// Returns once they are there. Errors: DeviceError.
  virtual void Wait() = 0;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_TRANSFER_H_
