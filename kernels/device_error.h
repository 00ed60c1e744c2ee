// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_DEVICE_ERROR_H_
#define STATELIB_KERNELS_DEVICE_ERROR_H_

#include <stdexcept>
#include <string>

namespace statelib::kernels {

/// What a backend's machine cannot do: a device or a driver that is missing or failed, a build
/// without it, an instruction set that is not there, a weight format that the backend does not
/// hold. what() says what was wanted, what was found and what to do. Memory is std::bad_alloc.
class DeviceError : public std::runtime_error {
 public:
  enum class Kind {
    kUnsupported,  ///< this machine, build or backend does not have it
    kFailed        ///< the device was there and failed: what it held is lost
  };

  DeviceError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_DEVICE_ERROR_H_
