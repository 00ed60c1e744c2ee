// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_FUZZ_FUZZ_INPUT_H_
#define STATELIB_TESTS_FUZZ_FUZZ_INPUT_H_

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace statelib {

/// Runs a reader on one input of the fuzzer. An Error is the right answer to a bad file if its
/// message is one line; any other exception ends the process, which the fuzzer reports.
template <typename Read>
int ReadHostile(const uint8_t* data, size_t size, Read read) {
  try {
    read(std::as_bytes(std::span(data, size)));
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

/// Fails unless `held`: a promise of the reader.
inline void Promise(bool held) {
  if (!held) std::abort();
}

}  // namespace statelib

#endif  // STATELIB_TESTS_FUZZ_FUZZ_INPUT_H_
