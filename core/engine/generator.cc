// SPDX-License-Identifier: Apache-2.0
#include "core/engine/generator.h"

#include "core/base/error.h"

namespace statelib::engine {

Generation Generate(Runtime& runtime, State& state, std::span<const TokenId> prompt,
                    const GenerateOptions& options) {
  Decoder decoder(runtime, state, prompt, options);
  const auto batch = runtime.MakeBatch();
  batch->Add(decoder);
  while (!decoder.has_ended()) {
    if (!decoder.has_read_prompt() && options.cancel != nullptr) options.cancel->Check();
    batch->Step();
  }
  return decoder.TakeAnswer();
}

}  // namespace statelib::engine
