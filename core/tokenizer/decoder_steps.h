// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_DECODER_STEPS_H_
#define STATELIB_CORE_TOKENIZER_DECODER_STEPS_H_

#include <memory>
#include <string>
#include <string_view>

#include "core/tokenizer/decoder.h"
#include "core/tokenizer/replacement.h"

namespace statelib::tokenizer {

/// The steps that decoders are made of. Those up to the first that joins tokens see one token a
/// push; those behind it see one text that comes in parts of any length.
using DecoderStepPtr = std::unique_ptr<const DecoderStep>;

/// Tokens' characters become the bytes that they stand for; joins. Holds back the bytes of a
/// character until it is whole; bytes that can be no character become U+FFFD.
DecoderStepPtr MakeByteLevelDecoder();

/// "<0x0A>" becomes the byte. A run of such tokens is held back until it ends; one that is not
/// valid UTF-8 becomes one U+FFFD a token.
DecoderStepPtr MakeByteFallbackDecoder();

/// The same for SentencePiece's pieces: a byte is held back until its character is whole, and
/// becomes U+FFFD where it belongs to none.
DecoderStepPtr MakePieceBytesDecoder();

/// Joins tokens without changing them.
DecoderStepPtr MakeFuseDecoder();

/// Joins tokens with a space between two.
DecoderStepPtr MakeSpacingDecoder();

/// Replaces matches in every token.
DecoderStepPtr MakeReplaceDecoder(Replacement replacement);

/// `replacement` becomes a space or, with `drops_first`, nothing in the first token.
DecoderStepPtr MakeMetaspaceDecoder(std::string_view replacement, bool drops_first);

/// Takes up to `start` times `content`, one character, from the front of every token (`joined`: of
/// the text), and up to `stop` times from its end.
DecoderStepPtr MakeStripDecoder(std::string_view content, size_t start, size_t stop, bool joined);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_DECODER_STEPS_H_
