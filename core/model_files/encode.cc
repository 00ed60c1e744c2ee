// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/encode.h"

#include <bit>
#include <cmath>
#include <cstdlib>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"

namespace statelib::model_files {

namespace {

constexpr size_t kQ8Values = 32;
constexpr size_t kQ8Bytes = 34;

[[noreturn]] void Refuse(const std::string& label, ElementType type, float value) {
  Throw(ErrorKind::kUnsupported,
        "{}: expected values that {} can hold, found {}; choose another type", label, NameOf(type),
        value);
}

uint16_t BF16FromFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The nearest IEEE half. A finite value beyond 65504 becomes infinite, which the caller refuses.
uint16_t F16FromFloat(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // rounds to 2^16
  if (magnitude < 0x38800000) {
    // Below 2^-14: a multiple of 2^-24. Adding 0.5 makes the sum's last bit just that, rounded to
    // the nearest even by the addition itself.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

uint16_t F16OrRefuse(float value, float of, ElementType type, const std::string& label) {
  const uint16_t half = F16FromFloat(value);
  if ((half & 0x7fff) == 0x7c00 && std::isfinite(value)) Refuse(label, type, of);
  return half;
}

void EncodeQ8_0(std::span<const float> values, std::byte* block, const std::string& label) {
  float largest = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) Refuse(label, ElementType::kQ8_0, value);
    largest = std::max(largest, std::fabs(value));
  }
  const float d = largest / 127.0f;
  const float inverse = d == 0 ? 0.0f : 1.0f / d;
  StoreLittle(F16OrRefuse(d, largest, ElementType::kQ8_0, label), block);
  for (size_t i = 0; i < values.size(); ++i) {
    // A subnormal d has no finite inverse; F16 holds it as zero, so any q will do.
    const float q = std::isfinite(inverse) ? std::round(values[i] * inverse) : 0.0f;
    StoreLittle(static_cast<int8_t>(q), block + 2 + i);
  }
}

}  // namespace

Bytes Encode(ElementType type, std::span<const float> values, const std::string& label) {
  Bytes bytes(values.size() / InfoOf(type).block_elements * (InfoOf(type).block_bits / 8));
  switch (type) {
    case ElementType::kF32:
      CopyBytes(std::as_bytes(values), bytes);
      return bytes;
    case ElementType::kBF16:
      for (size_t i = 0; i < values.size(); ++i)
        StoreLittle(BF16FromFloat(values[i]), bytes.data() + 2 * i);
      return bytes;
    case ElementType::kF16:
      for (size_t i = 0; i < values.size(); ++i)
        StoreLittle(F16OrRefuse(values[i], values[i], type, label), bytes.data() + 2 * i);
      return bytes;
    case ElementType::kQ8_0:
      for (size_t i = 0; i < values.size() / kQ8Values; ++i)
        EncodeQ8_0(values.subspan(i * kQ8Values, kQ8Values), bytes.data() + i * kQ8Bytes, label);
      return bytes;
    default:
      std::abort();  // the caller's own mistake
  }
}

}  // namespace statelib::model_files
