// SPDX-License-Identifier: Apache-2.0
#include "cli/facts.h"
#include "cli/key_access.h"
#include "cli/library_access.h"
#include "cli/remote_access.h"
#include "cli/sharing_commands.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/transfer.h"
#include "core/base/error.h"
#include "statestore/library/transfer.h"

namespace statelib::cli {

namespace {

class PushCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddRemoteArguments(declaration, location_, "States to send");
    declaration.Flag("--all", all_, "Send every name of the library");
    declaration.Flag("--force", force_, "Supersede versions there that this library has never had");
    declaration.Flag("--dry-run", dry_run_, "Say what would be sent, and send nothing");
    AddCarryingOptions(declaration, selection_, left_out_);
    AddSigningOptions(declaration, signing_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib push share handbook\n"
        "  statelib push share --all --dry-run\n"
        "  statelib push /mnt/share/states minutes --all-versions\n"
        "\n"
        "A name goes on there only from a version that it has had here, or that was pulled: so\n"
        "nobody's work is superseded unseen. --force does it all the same; no version is lost.\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    TakeRemoteOfSettings(context, &library, location_);
    selection_.names = location_.names;
    if (selection_.names.empty() != all_)
      Throw(ErrorKind::kInvalidArgument, "push needs names of states, or --all, and not both");
    const auto remote = OpenRemote(context, &library, location_.remote);
    if (all_) SelectAll(library);
    const std::optional<SigningKey> key = ChooseSigningKey(context, signing_);
    const library::PushReport report = Push(context, library, *remote, key ? &*key : nullptr);
    if (context.options.json) return PrintAsJson(context, report);
    for (const library::PushedVersion& version : report.versions)
      context.Tell(
          Shown::Format("{}{}: state {}{}\n", dry_run_ ? "would push " : "",
                        context.out.Paint(Colour::kBold, version.from.Text()),
                        version.state.ShortHex(), version.there_before ? "; it was there" : ""),
          version.from.Text());
    context.Tell(
        Shown::Format("{} of {} {}, {} there already; {}\n",
                      HumanCount(report.objects_sent, "object"), HumanBytes(report.bytes_sent),
                      dry_run_ ? "would be sent" : "sent", report.objects_present,
                      key ? "signed by " + key->public_key().ShortText() : "not signed"),
        "");
  }

 private:
  /// Every name, but for those that a pull from there has kept beside others.
  void SelectAll(const library::Library& library) {
    const std::string remote_name = RemoteName(library, location_.remote);
    for (const storage::ReferenceRow& row : library.repository().index().references().List({})) {
      if (library::IsKeptBeside(library, remote_name, row)) continue;
      selection_.names.push_back(storage::Reference{row.name, row.tag, {}}.Text());
    }
  }

  library::PushReport Push(const Context& context, library::Library& library,
                           remote::Remote& remote, const SigningKey* key) const {
    ProgressBar bar(context.err, "pushing", "byte");
    library::PushOptions options;
    options.dry_run = dry_run_;
    options.force = force_;
    options.manifest = ToManifestOptions(left_out_);
    options.key = key;
    options.control = {&context.cancel,
                       [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); }};
    return library::Push(library, remote, selection_, options);
  }

  void PrintAsJson(Context& context, const library::PushReport& report) const {
    Json versions = Json::array();
    for (const library::PushedVersion& version : report.versions)
      versions.push_back({{"reference", ReferenceJson(version.from)},
                          {"id", version.state.Hex()},
                          {"there_before", version.there_before}});
    context.PrintJson({{"dry_run", dry_run_},
                       {"versions", versions},
                       {"objects_sent", report.objects_sent},
                       {"objects_present", report.objects_present},
                       {"bytes_sent", report.bytes_sent}});
  }

  RemoteArguments location_;
  library::Selection selection_;
  bool all_ = false;
  bool force_ = false;
  bool dry_run_ = false;
  LeftOut left_out_;
  SigningOptions signing_;
};

}  // namespace

std::unique_ptr<Command> MakePushCommand() { return std::make_unique<PushCommand>(); }

}  // namespace statelib::cli
