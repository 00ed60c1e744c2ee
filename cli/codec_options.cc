// SPDX-License-Identifier: Apache-2.0
#include "cli/codec_options.h"

#include <algorithm>

#include "cli/input.h"
#include "core/base/error.h"
#include "core/tokenizer/utf8.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::cli {

void AddCodecOptions(Declaration& declaration, CodecOptions& options) {
  constexpr const char* kGroup = "Storing";
  declaration.Option(
      "--codec", &options.codec,
      "exact, or a lossy one whose loss is measured and stored with the state",
      {.shows_default = true, .choices = {"exact", "bf16", "int8"}, .group = kGroup});
  declaration.Option("--max-kl", &options.kl_max,
                     "Refuse a lossy codec whose mean KL divergence of next-token predictions, in "
                     "nats, is larger",
                     {.shown_as = "X", .group = kGroup});
  declaration.Option("--probe", &options.probe_file,
                     "The text over which the loss is measured (default: a built-in paragraph)",
                     {.shown_as = "FILE", .group = kGroup});
}

library::CodecRequest CodecRequestOf(const Context& context, const CodecOptions& options) {
  library::CodecRequest request;
  request.codec = *storage::CodecFromName(options.codec);
  request.cancel = &context.cancel;
  const bool exact = request.codec == storage::Codec::kExact;
  if (exact && (options.kl_max || !options.probe_file.empty())) {
    Throw(ErrorKind::kInvalidArgument,
          "--max-kl and --probe measure a lossy codec: add --codec bf16 or --codec int8");
  }
  if (options.kl_max) request.kl_max = *options.kl_max;
  if (!options.probe_file.empty()) {
    Input input = Input::Open(options.probe_file, context.cancel);
    request.probe = input.ReadAll(tokenizer::kTextBytesMax);
  }
  return request;
}

std::string FidelityText(const storage::Fidelity& fidelity) {
  const auto worst = std::max_element(fidelity.layer_errors.begin(), fidelity.layer_errors.end());
  return fmt::format(
      "{}: mean KL {:.2g} nats, largest {:.2g}, same likeliest token {:.1f} % of {}; largest "
      "relative "
      "error of a layer {:.2g}",
      storage::NameOf(fidelity.codec), fidelity.mean_kl, fidelity.largest_kl,
      100 * fidelity.top1_agreement, fidelity.probe_tokens,
      worst == fidelity.layer_errors.end() ? 0.0 : *worst);
}

Json FidelityJson(const storage::Fidelity& fidelity) {
  return {{"codec", storage::NameOf(fidelity.codec)},
          {"exact_content", fidelity.exact_content.Hex()},
          {"probe", fidelity.probe.Hex()},
          {"probe_tokens", fidelity.probe_tokens},
          {"mean_kl", fidelity.mean_kl},
          {"largest_kl", fidelity.largest_kl},
          {"top1_agreement", fidelity.top1_agreement},
          {"layer_errors", fidelity.layer_errors}};
}

}  // namespace statelib::cli
