// SPDX-License-Identifier: Apache-2.0
#include "cli/compute_options.h"

namespace statelib::cli {

void AddComputeOptions(CLI::App& app, engine::RuntimeOptions& options) {
  constexpr int kThreadsMax = 1024;
  app.add_option("--threads", options.threads, "Threads to use (default: every processor)")
      ->check(CLI::Range(0, kThreadsMax))
      ->type_name("N")
      ->group("Computing");
  app.add_option("--backend", options.backend, "cpu, or reference: slow and plain")
      ->check(CLI::IsMember({"cpu", "reference"}))
      ->type_name("")
      ->group("Computing");
  app.add_option("--instruction-set", options.cpu_target,
                 "The cpu backend's instruction set (default: the best of this machine)")
      ->type_name("NAME_OF_SET")
      ->group("Computing");
}

}  // namespace statelib::cli
