// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_TRANSLATE_ERRORS_H_
#define STATELIB_CORE_BASE_TRANSLATE_ERRORS_H_

namespace statelib {

/// Called where an exception is handled, by what runs whole commands or requests: throws what the
/// libraries below say in their own types as an Error, and anything else as it is. What
/// std::filesystem says of a path is what ThrowErrno makes of it; of devices (kernels::DeviceError)
/// kUnsupported where this machine or build lacks one, kIo where it failed.
[[noreturn]] void RethrowTranslated();

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_TRANSLATE_ERRORS_H_
