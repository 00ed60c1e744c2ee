// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_SEEDED_HASH_H_
#define STATELIB_CORE_TOKENIZER_SEEDED_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace statelib::tokenizer {

/// The hash of the in-memory tables. The seed is drawn anew for every table, so that no file can be
/// made whose entries all collide. Never stored, and nothing that is seen depends on it.
class SeededHash {
 public:
  SeededHash();

  uint64_t operator()(uint64_t key) const { return Mix(key ^ seed_, kOdd); }

  uint64_t operator()(std::string_view text) const {
    uint64_t hash = seed_ ^ text.size();
    while (text.size() > sizeof(uint64_t)) {
      hash = Mix(hash ^ Load(text.data(), sizeof(uint64_t)), kOdd);
      text.remove_prefix(sizeof(uint64_t));
    }
    return Mix(hash ^ Load(text.data(), text.size()), kOdd ^ seed_);
  }

 private:
  static constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;

  static uint64_t Load(const char* from, size_t bytes) {
    uint64_t word = 0;
    std::memcpy(&word, from, bytes);
    return word;
  }

  // Both halves of the 128-bit product: every bit of the result depends on every bit of `a`.
  static uint64_t Mix(uint64_t a, uint64_t b) {
    __extension__ using Product = unsigned __int128;
    const Product product = static_cast<Product>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  uint64_t seed_;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_SEEDED_HASH_H_
