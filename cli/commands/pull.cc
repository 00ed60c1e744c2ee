// SPDX-License-Identifier: Apache-2.0
#include "cli/facts.h"
#include "cli/key_access.h"
#include "cli/library_access.h"
#include "cli/remote_access.h"
#include "cli/sharing_commands.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/transfer.h"
#include "statestore/library/transfer.h"

namespace statelib::cli {

namespace {

class PullCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddRemoteArguments(declaration, location_, "States to fetch; with * ? [a-z] (default: all)");
    declaration.Flag("--all-versions", selection_.all_versions,
                     "Every version of each name, not only the current one");
    declaration.Flag("--dry-run", dry_run_, "Say what would be fetched, and fetch nothing");
    AddSignerOptions(declaration, policy_);
    AddMaxBytesOption(declaration, max_bytes_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib pull share handbook\n"
        "  statelib pull share 'minutes*' --all-versions\n"
        "  statelib pull share --dry-run\n"
        "\n"
        "Where a name stands for a state here that it has never been there, both are kept: NAME "
        "as\n"
        "it is, and what was pulled as REMOTE/NAME. After that a push of NAME goes on from "
        "there.\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    TakeRemoteOfSettings(context, &library, location_);
    selection_.names = location_.names;
    const auto remote = OpenRemote(context, &library, location_.remote);
    const library::PullReport report = Pull(context, library, *remote);
    if (context.options.json) return PrintAsJson(context, report);
    for (const library::PulledVersion& version : report.versions)
      context.Tell(Shown::Format("{}{}: state {}, {}{}\n", dry_run_ ? "would pull " : "",
                                 context.out.Paint(Colour::kBold, version.reference.Text()),
                                 version.from.state.ShortHex(),
                                 version.there_before ? "it was here" : SignerText(version.signer),
                                 DivergedText(version)),
                   version.reference.Text());
    PrintRenamed(context, report.renamed_models);
    context.Tell(Shown::Format("{} of {} {}, {} here already\n",
                               HumanCount(report.objects_fetched, "object"),
                               HumanBytes(report.bytes_fetched),
                               dry_run_ ? "would be fetched" : "fetched", report.objects_present),
                 "");
  }

 private:
  static std::string DivergedText(const library::PulledVersion& version) {
    if (!version.diverged_from) return "";
    const std::string there = storage::Reference{version.from.name, version.from.tag, {}}.Text();
    return fmt::format("; {} here is nothing that {} there has been, so both are kept",
                       version.diverged_from->Text(), there);
  }

  library::PullReport Pull(const Context& context, library::Library& library,
                           remote::Remote& remote) const {
    library::KeyRing keys = OpenKeys(context);
    ProgressBar bar(context.err, "pulling", "byte");
    library::PullOptions options;
    options.dry_run = dry_run_;
    options.remote_name = RemoteName(library, location_.remote);
    options.policy = policy_;
    options.embedded = EmbeddedModel();
    options.max_state_bytes = MaxBytesOf(max_bytes_);
    options.control = {&context.cancel,
                       [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); }};
    return library::Pull(library, remote, keys, selection_, options);
  }

  void PrintAsJson(Context& context, const library::PullReport& report) const {
    Json versions = Json::array();
    for (const library::PulledVersion& version : report.versions)
      versions.push_back(
          {{"reference", ReferenceJson(version.reference)},
           {"id", version.from.state.Hex()},
           {"remote_version", version.from.number},
           {"signer", SignerJson(version.signer)},
           {"there_before", version.there_before},
           {"diverged_from",
            version.diverged_from ? ReferenceJson(*version.diverged_from) : Json(nullptr)}});
    context.PrintJson({{"dry_run", dry_run_},
                       {"versions", versions},
                       {"objects_fetched", report.objects_fetched},
                       {"objects_present", report.objects_present},
                       {"bytes_fetched", report.bytes_fetched},
                       {"renamed_models", RenamedJson(report.renamed_models)}});
  }

  RemoteArguments location_;
  library::Selection selection_;
  bool dry_run_ = false;
  std::string max_bytes_;
  library::SignerPolicy policy_;
};

}  // namespace

std::unique_ptr<Command> MakePullCommand() { return std::make_unique<PullCommand>(); }

}  // namespace statelib::cli
