// SPDX-License-Identifier: Apache-2.0
#include "core/base/translate_errors.h"

#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "kernels/device_error.h"

namespace statelib {

void RethrowTranslated() {
  using kernels::DeviceError;
  try {
    throw;
  } catch (const std::filesystem::filesystem_error& error) {
    const std::string path = error.path1().string();
    ThrowErrno("cannot use", path.empty() ? "an empty path" : path, error.code().value());
  } catch (const DeviceError& error) {
    const bool failed = error.kind() == DeviceError::Kind::kFailed;
    throw Error(failed ? ErrorKind::kIo : ErrorKind::kUnsupported, error.what());
  }
}

}  // namespace statelib
