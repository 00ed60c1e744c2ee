// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_SANITIZED_H_
#define STATELIB_TESTS_SANITIZED_H_

namespace statelib {

/// Whether the tests run under a sanitizer that maps much memory of its own, so that bounds on a
/// process's memory say nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // gcc
inline constexpr bool kIsSanitized = true;
#elif defined(__has_feature)  // clang
inline constexpr bool kIsSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace statelib

#endif  // STATELIB_TESTS_SANITIZED_H_
