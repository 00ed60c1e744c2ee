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
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &names_, "States to export",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Option("-o,--output", &file_, "The bundle to write; one that exists is replaced",
                       {.shown_as = "FILE", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
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
