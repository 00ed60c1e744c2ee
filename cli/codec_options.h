// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_CODEC_OPTIONS_H_
#define STATELIB_CLI_CODEC_OPTIONS_H_

#include <optional>
#include <string>

#include "cli/command.h"
#include "statestore/library/fidelity.h"
#include "statestore/storage/publish.h"

namespace statelib::cli {

/// How a state is to be stored, for every command that stores one.
struct CodecOptions {
  std::string codec = "exact";
  std::optional<double> kl_max;
  std::string probe_file;
};

/// --codec, --max-kl and --probe.
void AddCodecOptions(Declaration& declaration, CodecOptions& options);

/// Reads the probe. Errors: kInvalidArgument for --max-kl or --probe without a lossy codec; those
/// of reading a file.
library::CodecRequest CodecRequestOf(const Context& context, const CodecOptions& options);

/// What a lossy codec cost: "int8: mean KL 7.1e-05 nats, largest 5.7e-04, same top token 100 % of
/// 96".
std::string FidelityText(const storage::Fidelity& fidelity);
Json FidelityJson(const storage::Fidelity& fidelity);

/// What became of --codec delta: "delta: 565 kB, as exact 596 kB; base 01067a7eac01".
std::string DeltaText(const storage::DeltaSizes& sizes);
Json DeltaJson(const storage::DeltaSizes& sizes);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_CODEC_OPTIONS_H_
