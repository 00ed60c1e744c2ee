// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_FINGERPRINT_H_
#define STATELIB_CORE_MODEL_FILES_FINGERPRINT_H_

#include <functional>

#include "core/base/cancel.h"
#include "core/base/digest.h"
#include "core/model_files/model_files.h"

namespace statelib::model_files {

/// The identity of a model's content. It covers config.json byte by byte and every tensor's
/// name, element type, shape and bytes, and nothing of how they are spread over files. With H for
/// BLAKE2b-256, fields with their lengths and numbers as 8 little-endian bytes:
///   piece  = H(at most 16 MiB of a tensor)
///   tensor = H(piece_0 | piece_1 | …)
///   result = H("statelib checkpoint 1" | H(config) | count | for each tensor in the order of
///            names: name, type, rank, axes, tensor)
/// The tokenizer is no part of it. Cost: reads all weights once, about 1 GB/s a thread.
/// `threads` 0 means as many as the machine has; the result does not depend on it.
/// What was read leaves this process's memory again. `on_progress` is called now and then, in the
/// calling thread. Errors: kCancelled.
using HashProgress = std::function<void(uint64_t bytes_done, uint64_t bytes_total)>;
Digest FingerprintOf(const ModelFiles& model_files, size_t threads = 0,
                     const CancelFlag* cancel = nullptr, const HashProgress& on_progress = {});

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_FINGERPRINT_H_
