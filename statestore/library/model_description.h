// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_MODEL_DESCRIPTION_H_
#define STATELIB_STATESTORE_LIBRARY_MODEL_DESCRIPTION_H_

#include <string>

#include "core/engine/runtime.h"

namespace statelib::library {

/// What an index keeps of a model for people, as one JSON object: its sizes, its weights by their
/// types, and what contradicts itself in its files.
std::string DescriptionOf(const engine::Runtime& runtime);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_MODEL_DESCRIPTION_H_
