// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_DIGEST_H_
#define STATELIB_CORE_BASE_DIGEST_H_

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace statelib {

/// A BLAKE2b-256 hash (RFC 7693, no key): the identity of objects, histories and models. A plain
/// value.
struct Digest {
  std::array<std::byte, 32> bytes{};

  auto operator<=>(const Digest&) const = default;

  std::string Hex() const;  ///< 64 lower-case hexadecimal digits
  /// The first 12 digits: what people see and type.
  std::string ShortHex() const { return Hex().substr(0, 12); }
  /// Reads 64 hexadecimal digits; empty for anything else.
  static std::optional<Digest> FromHex(std::string_view hex);
  /// Reads 32 raw bytes; empty for any other length.
  static std::optional<Digest> FromBytes(ByteSpan raw);
};

/// BLAKE2b-256 over bytes that come in pieces. One thread.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& Update(ByteSpan bytes);
  Hasher& Update(std::string_view text) { return Update(AsBytes(text)); }
  /// Adds an integer as eight little-endian bytes.
  Hasher& UpdateU64(uint64_t value);
  /// Adds the length and then the text, so that two neighbouring texts cannot be cut differently.
  Hasher& UpdateField(std::string_view text);
  /// The hash of all that was added. Call once.
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest HashOf(ByteSpan bytes);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_DIGEST_H_
