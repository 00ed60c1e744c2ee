// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/version.h"
#include "kernels/backends.h"

namespace statelib::cli {

namespace {

class VersionCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib version\n"
        "  statelib version -v\n"
        "  statelib version --json\n");
  }

  bool needs_settings() const override { return false; }

  void Run(Context& context) override {
    const std::vector<std::string> sets = kernels::CpuTargets();
    const int processors = kernels::UsableProcessors();
    if (context.options.verbose) {
      context.notes.Add(Notes::Kind::kDetail, fmt::format("processors: {}", processors));
      context.notes.Add(Notes::Kind::kDetail,
                        fmt::format("instruction sets: {}", fmt::join(sets, ", ")));
    }
    if (context.options.json)
      return context.PrintJson(
          {{"version", Version()}, {"processors", processors}, {"instruction_sets", sets}});
    context.out.Print("statelib {}\n", Version());
  }
};

}  // namespace

std::unique_ptr<Command> MakeVersionCommand() { return std::make_unique<VersionCommand>(); }

}  // namespace statelib::cli
