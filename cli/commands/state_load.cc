// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/facts.h"
#include "cli/input.h"
#include "cli/library_access.h"
#include "core/base/mapped_file.h"
#include "statestore/library/state_dump.h"

namespace statelib::cli {

namespace {

constexpr size_t kDumpBytesMax = size_t{17} << 30;  // a state of the largest size, and its header

/// The bytes of a file: mapped where it lies, collected where they come once, as from a pipe.
class DumpFile {
 public:
  DumpFile(const Context& context, const std::string& file) {
    std::error_code ignored;
    if (file != "-" && std::filesystem::is_regular_file(file, ignored)) {
      mapped_.emplace(MappedFile::Open(file));
      name_ = file;
      return;
    }
    Input input = Input::Open(file, context.cancel);
    collected_ = input.ReadAll(kDumpBytesMax);
    name_ = input.name();
  }

  ByteSpan bytes() const { return mapped_ ? mapped_->bytes() : AsBytes(collected_); }
  const std::string& name() const { return name_; }

 private:
  std::optional<MappedFile> mapped_;
  std::string collected_;
  std::string name_;
};

class StateLoadCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FILE", &file_,
                         "A file that `statelib state dump` wrote; - is standard input",
                         {.shown_as = "FILE", .required = true});
    declaration.Option("--as", &target_, "What to call the state",
                       {.shown_as = "NAME[:TAG]", .required = true});
    declaration.Flag("--edited", edited_, "Take other numbers too, as a state without a history");
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib state load handbook.safetensors --as copy\n"
        "  statelib state load changed.safetensors --as handbook:changed --edited\n"
        "\n"
        "Unchanged, a file is the state that it was written from, which this library has to have.\n"
        "Edited, it is a new state that generates and appends like any other, and that no tokens\n"
        "lead to: it is never taken for what a document gives, and cannot be proved.\n");
  }

  void Run(Context& context) override {
    const storage::Reference target = storage::Reference::Parse(target_);
    const DumpFile file(context, file_);
    const library::StateDump dump = library::ReadStateDump(file.bytes(), file.name());
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const library::LoadedDump loaded = edited_ ? LoadEdited(context, library, dump, target)
                                               : library::LoadDump(library, dump, target);
    if (context.options.json) {
      Json json = SavedJson(loaded.saved);
      json["edited"] = loaded.edited;
      json["edited_from"] = loaded.edited && loaded.of ? Json(loaded.of->Hex()) : Json(nullptr);
      json["segments_changed"] = loaded.segments_changed;
      return context.PrintJson(json);
    }
    std::string how = "unchanged";
    if (loaded.edited)
      how = loaded.of ? fmt::format("edited, {} of the segments of {}", loaded.segments_changed,
                                    loaded.of->ShortHex())
                      : "edited, of a state that is not here";
    context.Tell(Shown::Format("{}: {}; {}\n",
                               context.out.Paint(Colour::kBold, loaded.saved.reference.Text()), how,
                               StateText(loaded.saved.state)),
                 loaded.saved.reference.Text());
  }

 private:
  library::LoadedDump LoadEdited(Context& context, library::Library& library,
                                 const library::StateDump& dump,
                                 const storage::Reference& target) const {
    const storage::ResolvedState needs = library::NeedsOf(dump);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, &needs, runtime_options_);
    return library::LoadEditedDump(library, model, dump, target);
  }

  std::string file_;
  std::string target_;
  bool edited_ = false;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeStateLoadCommand() { return std::make_unique<StateLoadCommand>(); }

}  // namespace statelib::cli
