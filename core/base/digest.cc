// SPDX-License-Identifier: Apache-2.0
#include "core/base/digest.h"

#include <sodium.h>

#include <cstdlib>

namespace statelib {

struct Hasher::State {
  crypto_generichash_state blake2b;
};

std::string Digest::Hex() const {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  hex.pop_back();
  return hex;
}

std::optional<Digest> Digest::FromHex(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) return std::nullopt;
  size_t written = 0;
  const int failed =
      sodium_hex2bin(reinterpret_cast<unsigned char*>(digest.bytes.data()), digest.bytes.size(),
                     hex.data(), hex.size(), nullptr, &written, nullptr);
  if (failed != 0 || written != digest.bytes.size()) return std::nullopt;
  return digest;
}

std::optional<Digest> Digest::FromBytes(ByteSpan raw) {
  Digest digest;
  if (raw.size() != digest.bytes.size()) return std::nullopt;
  std::memcpy(digest.bytes.data(), raw.data(), raw.size());
  return digest;
}

Hasher::Hasher() : state_(std::make_unique<State>()) {
  // Picks the fastest BLAKE2b for this processor; later calls return at once.
  if (sodium_init() < 0) std::abort();
  crypto_generichash_init(&state_->blake2b, nullptr, 0, sizeof(Digest::bytes));
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::Update(ByteSpan bytes) {
  crypto_generichash_update(&state_->blake2b, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
  return *this;
}

Hasher& Hasher::UpdateU64(uint64_t value) { return Update(std::as_bytes(std::span(&value, 1))); }

Hasher& Hasher::UpdateField(std::string_view text) { return UpdateU64(text.size()).Update(text); }

Digest Hasher::Finish() {
  Digest digest;
  crypto_generichash_final(&state_->blake2b, reinterpret_cast<unsigned char*>(digest.bytes.data()),
                           digest.bytes.size());
  return digest;
}

Digest HashOf(ByteSpan bytes) { return Hasher().Update(bytes).Finish(); }

}  // namespace statelib
