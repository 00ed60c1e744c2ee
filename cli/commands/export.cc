// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/exchange.h"

namespace statelib::cli {

namespace {

class ExportCommand : public Command {
 public:
  void Declare(CLI::App& app, SharedOptions& shared) override {
    app.add_option("NAME", names_, "States to export")->required()->type_name("NAME[:TAG][@N]");
    app.add_option("-o,--output", file_, "The bundle to write; one that exists is replaced")
        ->required()
        ->type_name("FILE");
    AddLibraryOption(app, shared);
    AddJsonOption(app, shared);
    AddExamples(app,
                "  statelib export handbook -o handbook.statelib\n"
                "  statelib export minutes:april minutes:may -o minutes.statelib\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::ExportReport report = library::Export(library, names_, file_, &context.cancel);
    if (context.options.json)
      return context.PrintJson({{"file", file_},
                                {"states", report.states},
                                {"objects", report.objects},
                                {"file_bytes", report.file_bytes}});
    context.out.Print("{}: {} in {}, {}\n", Printable(file_, LineBreaks::kEscape),
                      HumanCount(report.states, "state"), HumanCount(report.objects, "object"),
                      HumanBytes(report.file_bytes));
  }

 private:
  std::vector<std::string> names_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeExportCommand() { return std::make_unique<ExportCommand>(); }

}  // namespace statelib::cli
