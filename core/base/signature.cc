// SPDX-License-Identifier: Apache-2.0
#include "core/base/signature.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/base/digest.h"

namespace statelib {

namespace {

constexpr std::string_view kPrefix = "ed25519:";

unsigned char* Out(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* In(ByteSpan bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

void Initialise() {
  if (sodium_init() < 0) std::abort();
}

}  // namespace

std::string PublicKey::Text() const { return std::string(kPrefix) + Digest{bytes}.Hex(); }

std::string PublicKey::ShortText() const { return std::string(kPrefix) + Digest{bytes}.ShortHex(); }

std::optional<PublicKey> PublicKey::FromText(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const auto digits = Digest::FromHex(text.substr(kPrefix.size()));
  if (!digits) return std::nullopt;
  return PublicKey{digits->bytes};
}

bool Signature::Verifies(ByteSpan message) const {
  Initialise();
  return crypto_sign_verify_detached(In(bytes), In(message), message.size(), In(signer.bytes)) == 0;
}

SigningKey SigningKey::Create() {
  Initialise();
  SigningKey key;
  crypto_sign_keypair(Out(key.public_key_.bytes), Out(key.secret_));
  return key;
}

SigningKey SigningKey::FromSeed(const std::array<std::byte, kSeedBytes>& seed) {
  Initialise();
  SigningKey key;
  crypto_sign_seed_keypair(Out(key.public_key_.bytes), Out(key.secret_), In(seed));
  return key;
}

SigningKey::SigningKey(SigningKey&& other) noexcept { *this = std::move(other); }

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  if (this == &other) return *this;
  public_key_ = other.public_key_;
  secret_ = other.secret_;
  sodium_memzero(other.secret_.data(), other.secret_.size());
  return *this;
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

std::array<std::byte, SigningKey::kSeedBytes> SigningKey::Seed() const {
  std::array<std::byte, kSeedBytes> seed;
  std::copy_n(secret_.begin(), kSeedBytes, seed.begin());
  return seed;
}

Signature SigningKey::Sign(ByteSpan message) const {
  Signature signature;
  signature.signer = public_key_;
  crypto_sign_detached(Out(signature.bytes), nullptr, In(message), message.size(), In(secret_));
  return signature;
}

}  // namespace statelib
