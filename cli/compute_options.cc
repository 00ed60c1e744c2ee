// SPDX-License-Identifier: Apache-2.0
#include "cli/compute_options.h"

#include <fmt/ranges.h>

#include "cli/environment.h"

namespace statelib::cli {

void AddComputeOptions(Declaration& declaration, engine::RuntimeOptions& options) {
  constexpr int kThreadsMax = 1024;
  options.tokenizer.shipped = ShippedTokenizersDirectory();
  declaration.Option("--threads", &options.backend.options.threads,
                     "Threads to use (default: every processor)",
                     {.shown_as = "N", .at_most = kThreadsMax, .group = "Computing"});
  declaration.Option("--weights", &options.weights,
                     "How weights are held: auto (as the model's files have them), f32, bf16, int8 "
                     "or int4 (default: what the state needs, else the model's default)",
                     {.shown_as = "FORMAT",
                      .choices = {engine::WeightChoices().begin(), engine::WeightChoices().end()},
                      .group = "Computing"});
  std::vector<std::string> names, lines;
  for (const kernels::BackendEntry& entry : options.backend.backends) {
    names.emplace_back(entry.name);
    lines.push_back(fmt::format("{} ({})", entry.name, entry.description));
  }
  declaration.Option("--backend", &options.backend.name,
                     fmt::format("{} (default: {})", fmt::join(lines, ", "), names.front()),
                     {.choices = names, .group = "Computing"});
  declaration.Option("--instruction-set", &options.backend.options.instruction_set,
                     "The cpu backend's instruction set (default: the best of this machine)",
                     {.shown_as = "SET", .group = "Computing"});
}

}  // namespace statelib::cli
