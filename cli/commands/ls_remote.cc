// SPDX-License-Identifier: Apache-2.0
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/remote_access.h"
#include "cli/sharing_commands.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "statestore/library/transfer.h"

namespace statelib::cli {

namespace {

class LsRemoteCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddRemoteArguments(declaration, location_, "Only these; with * ? [a-z]");
    declaration.Flag("--all-versions", selection_.all_versions,
                     "Every version of each name, not only the current one");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib ls-remote share\n"
        "  statelib ls-remote /mnt/share/states 'minutes*' --all-versions\n");
  }

  void Run(Context& context) override {
    const std::optional<library::Library> library = OpenLibraryIfThere(context);
    TakeRemoteOfSettings(context, library ? &*library : nullptr, location_);
    selection_.names = location_.names;
    const auto remote = OpenRemote(context, library ? &*library : nullptr, location_.remote);
    const std::vector<storage::RemoteVersion> versions =
        library::SelectVersions(remote->List(), selection_, remote->location());
    if (versions.empty())
      context.notes.Add(Notes::Kind::kPlain, fmt::format("no states in {}", remote->location()));
    if (context.options.json) return PrintAsJson(context, versions);
    if (context.options.quiet) {
      for (const storage::RemoteVersion& version : versions)
        context.PrintName(storage::Reference{version.name, version.tag, version.number}.Text());
      return;
    }
    if (versions.empty()) return;
    Table table({{"NAME", Align::kLeft, true, Colour::kBold},
                 {"TAG"},
                 {"VERSION", Align::kRight},
                 {"ID"},
                 {"TOKENS", Align::kRight},
                 {"AGE"}});
    for (const storage::RemoteVersion& version : versions)
      table.Add({version.name, version.tag, HumanCount(version.number), version.state.ShortHex(),
                 HumanCount(version.token_count), AgeOf(version.pushed_at_ms)});
    table.Print(context.out);
  }

 private:
  static void PrintAsJson(Context& context, const std::vector<storage::RemoteVersion>& versions) {
    Json list = Json::array();
    for (const storage::RemoteVersion& version : versions)
      list.push_back({{"name", version.name},
                      {"tag", version.tag},
                      {"version", version.number},
                      {"id", version.state.Hex()},
                      {"tokens", version.token_count},
                      {"pushed_at", IsoTime(version.pushed_at_ms / 1000)}});
    context.PrintJson({{"versions", list}});
  }

  RemoteArguments location_;
  library::Selection selection_;
};

}  // namespace

std::unique_ptr<Command> MakeLsRemoteCommand() { return std::make_unique<LsRemoteCommand>(); }

}  // namespace statelib::cli
