// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "statestore/library/statistics.h"

namespace statelib::cli {

namespace {

class StatsCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib stats\n"
        "  statelib stats --json | jq .stored_bytes\n"
        "\n"
        "Raw is what the states' values take uncompressed, stored what their files take; shared "
        "is\n"
        "what more they would take if every version had a state and every state tokens of its "
        "own.\n"
        "With --quiet the stored bytes alone.\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const library::LibraryStatistics sum = library::Statistics(library);
    const uint64_t stored = sum.state_bytes + sum.token_bytes;
    if (context.options.json) return PrintAsJson(context, sum, stored);
    if (context.options.quiet) return context.PrintName(std::to_string(stored));
    FactList facts;
    facts.Add("names",
              fmt::format("{}, {}", HumanCount(sum.names), HumanCount(sum.versions, "version")));
    facts.Add("models", HumanCount(sum.models));
    facts.Add("states", fmt::format("{}, {} of them on the way to others", HumanCount(sum.states),
                                    HumanCount(sum.checkpoints)));
    facts.Add("raw", HumanBytes(sum.raw_bytes));
    facts.Add(
        "stored",
        fmt::format("{}: states {}, {} {}", HumanBytes(stored), HumanBytes(sum.state_bytes),
                    HumanCount(sum.tokens_objects, "tokens object"), HumanBytes(sum.token_bytes)));
    facts.Add("shared", HumanBytes(sum.shared_bytes));
    facts.Add("unneeded",
              fmt::format("{} in {} that gc would remove", HumanBytes(sum.unneeded_bytes),
                          HumanCount(sum.unneeded_objects, "object")));
    facts.Add("index", HumanBytes(sum.index_bytes));
    facts.Print(context.out);
  }

 private:
  static void PrintAsJson(const Context& context, const library::LibraryStatistics& sum,
                          uint64_t stored) {
    context.PrintJson({{"names", sum.names},
                       {"versions", sum.versions},
                       {"models", sum.models},
                       {"states", sum.states},
                       {"checkpoints", sum.checkpoints},
                       {"tokens_objects", sum.tokens_objects},
                       {"raw_bytes", sum.raw_bytes},
                       {"stored_bytes", stored},
                       {"state_bytes", sum.state_bytes},
                       {"token_bytes", sum.token_bytes},
                       {"shared_bytes", sum.shared_bytes},
                       {"unneeded_objects", sum.unneeded_objects},
                       {"unneeded_bytes", sum.unneeded_bytes},
                       {"index_bytes", sum.index_bytes}});
  }
};

}  // namespace

std::unique_ptr<Command> MakeStatsCommand() { return std::make_unique<StatsCommand>(); }

}  // namespace statelib::cli
