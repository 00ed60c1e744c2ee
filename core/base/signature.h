// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_SIGNATURE_H_
#define STATELIB_CORE_BASE_SIGNATURE_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

// Ed25519 signatures (RFC 8032).
namespace statelib {

/// Whom a signature is checked against. A plain value.
struct PublicKey {
  std::array<std::byte, 32> bytes{};

  auto operator<=>(const PublicKey&) const = default;

  std::string Text() const;  ///< "ed25519:" and 64 hexadecimal digits
  /// "ed25519:" and 12 digits, for messages.
  std::string ShortText() const;
  /// Reads Text(); empty for anything else.
  static std::optional<PublicKey> FromText(std::string_view text);
};

/// A signature and whom it claims to be from; worth nothing until Verifies() says so.
struct Signature {
  PublicKey signer;
  std::array<std::byte, 64> bytes{};

  bool operator==(const Signature&) const = default;

  /// Whether the signer signed this message.
  bool Verifies(ByteSpan message) const;
};

/// A pair of keys that can sign. Wiped from memory when destroyed. Move-only. Thread-compatible.
class SigningKey {
 public:
  static constexpr size_t kSeedBytes = 32;

  /// A new key from the system's random numbers.
  static SigningKey Create();
  static SigningKey FromSeed(const std::array<std::byte, kSeedBytes>& seed);

  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;
  ~SigningKey();

  const PublicKey& public_key() const { return public_key_; }
  /// The secret that FromSeed() takes. The caller keeps it secret.
  std::array<std::byte, kSeedBytes> Seed() const;
  Signature Sign(ByteSpan message) const;

 private:
  SigningKey() = default;

  PublicKey public_key_;
  std::array<std::byte, 64> secret_{};  // seed and public key, as the signature's algorithm has it
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_SIGNATURE_H_
