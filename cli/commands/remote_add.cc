// SPDX-License-Identifier: Apache-2.0
#include "cli/library_access.h"
#include "cli/remote_access.h"
#include "cli/sharing_commands.h"
#include "statestore/library/remotes.h"

namespace statelib::cli {

namespace {

class RemoteAddCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "What to call it here",
                         {.shown_as = "NEW-NAME", .required = true});
    declaration.Argument("URL", &url_,
                         "A folder that exists, as on a network share; http(s)://HOST[:PORT] of "
                         "`statelib serve`; s3://BUCKET[/PREFIX]",
                         {.shown_as = "URL", .required = true});
    declaration.Option("--token-file", &token_file_,
                       "A file whose first line is the token that a server wants (default: "
                       "$STATELIB_TOKEN)",
                       {.shown_as = "FILE"});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib remote add share /mnt/share/states\n"
        "  statelib remote add team https://states.example.org --token-file "
        "~/.statelib-token\n"
        "  statelib remote add archive s3://bucket/states\n\n"
        "An S3-compatible store is found by $AWS_ENDPOINT_URL and $AWS_REGION, "
        "and entered by\n$AWS_ACCESS_KEY_ID, $AWS_SECRET_ACCESS_KEY and "
        "$AWS_SESSION_TOKEN.\n");
  }

  void Run(Context& context) override {
    const library::NamedRemote remote{name_, RemoteUrl(url_), AbsolutePath(token_file_)};
    CheckFolder(remote.url);
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    library::AddRemote(library, remote);
    if (context.options.json)
      return context.PrintJson({{"name", remote.name}, {"url", remote.url}});
    context.Tell(Shown::Format("{} is {} now\n", remote.name, remote.url), remote.name);
  }

 private:
  std::string name_;
  static std::string AbsolutePath(const std::string& path) {
    return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
  }

  std::string url_;
  std::string token_file_;
};

}  // namespace

std::unique_ptr<Command> MakeRemoteAddCommand() { return std::make_unique<RemoteAddCommand>(); }

}  // namespace statelib::cli
