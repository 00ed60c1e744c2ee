// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/seeded_hash.h"

#include <random>

namespace statelib::tokenizer {

SeededHash::SeededHash() {
  std::random_device random;
  seed_ = uint64_t{random()} << 32 | random();
}

}  // namespace statelib::tokenizer
