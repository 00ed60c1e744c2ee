// SPDX-License-Identifier: Apache-2.0
#include "cli/codec_options.h"

#include <algorithm>

#include "cli/input.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/utf8.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::cli {

void AddCodecOptions(Declaration& declaration, CodecOptions& options) {
  constexpr const char* kGroup = "Storing";
  declaration.Option(
      "--codec", &options.codec,
      "exact; a lossy one, whose loss is measured and stored with the state; or delta, the exact "
      "difference to the nearest stored state that this one was computed from, where that is "
      "smaller",
      {.shows_default = true, .choices = {"exact", "bf16", "int8", "delta"}, .group = kGroup});
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
  const bool lossy = storage::IsLossy(request.codec);
  if (!lossy && (options.kl_max || !options.probe_file.empty())) {
    Throw(ErrorKind::kInvalidArgument,
          "--max-kl and --probe measure a lossy codec: add --codec bf16 or --codec int8");
  }
  if (options.kl_max) request.kl_max = *options.kl_max;
  if (!options.probe_file.empty()) {
    Input input = Input::Open(options.probe_file, context.cancel);
    request.probe = input.ReadAll(kWholeTextBytesMax);
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

std::string DeltaText(const storage::DeltaSizes& sizes) {
  const std::string exact = HumanBytes(sizes.exact_bytes);
  if (!sizes.base)
    return "stored as exact, " + exact +
           ": no stored state that it was computed from can be the base";
  const std::string delta = HumanBytes(sizes.delta_bytes);
  const std::string base = sizes.base->ShortHex();
  if (sizes.used) return fmt::format("delta: {}, as exact {}; base {}", delta, exact, base);
  return fmt::format("stored as exact, {}: as a delta {}, which saves less than 1 %; base {}",
                     exact, delta, base);
}

Json DeltaJson(const storage::DeltaSizes& sizes) {
  return {{"codec", storage::NameOf(sizes.used ? storage::Codec::kDelta : storage::Codec::kExact)},
          {"base", sizes.base ? Json(sizes.base->Hex()) : Json(nullptr)},
          {"delta_bytes", sizes.base ? Json(sizes.delta_bytes) : Json(nullptr)},
          {"exact_bytes", sizes.exact_bytes}};
}

}  // namespace statelib::cli
