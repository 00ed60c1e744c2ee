// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_ENCODE_H_
#define STATELIB_CORE_MODEL_FILES_ENCODE_H_

#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/model_files/element_type.h"

namespace statelib::model_files {

/// Encodes f32 values as F32, BF16, F16 (each to the nearest, ties to even) or Q8_0: for every 32
/// values d = max|x| / 127, q = x * (1 / d) to the nearest with ties away from zero, and d stored
/// as F16: ggml's own encoder. The number of values must fill whole blocks and the type must be one
/// of these. `label` begins the message. Errors: kUnsupported for a value that the type cannot
/// hold: beyond F16's 65504, or in Q8_0 beyond its scale or not finite.
Bytes Encode(ElementType type, std::span<const float> values, const std::string& label);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_ENCODE_H_
