// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_GENERATOR_H_
#define STATELIB_CORE_ENGINE_GENERATOR_H_

#include <span>

#include "core/engine/decoder.h"

namespace statelib::engine {

/// Continues a state: reads the prompt (which may be empty when the state has read something), then
/// chooses and reads token after token. Afterwards the state has read the prompt and exactly
/// `tokens`: the answer, without an end-of-text token and without the tokens from the one in which
/// a stop text began. Cancelling ends the answer (kCancelled in `reason`, no exception) once the
/// prompt has been read. Errors: kInvalidArgument (options; an empty prompt on an empty state);
/// those of Runtime::Advance.
Generation Generate(Runtime& runtime, State& state, std::span<const TokenId> prompt,
                    const GenerateOptions& options);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_GENERATOR_H_
