// SPDX-License-Identifier: Apache-2.0
#include "cli/network.h"
#include "cli/sharing_commands.h"
#include "cli/transfer.h"

namespace statelib::cli {

namespace {

class ServeCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Option("--listen", &request_.listen, "Where to listen; port 0 takes any free one",
                       {.shown_as = "HOST:PORT", .shows_default = true});
    declaration.Option("--read-token-file", &request_.read_token_file,
                       "Who reads has to know the token on this file's first line",
                       {.shown_as = "FILE"});
    declaration.Option("--write-token-file", &request_.write_token_file,
                       "Who pushes has to know this one (default: nobody may push)",
                       {.shown_as = "FILE"});
    declaration.Option("--tls-cert", &request_.tls_certificate_file,
                       "Speak HTTPS with this certificate (PEM, the chain behind it)",
                       {.shown_as = "FILE"});
    declaration.Option("--tls-key", &request_.tls_key_file, "… and its key (PEM)",
                       {.shown_as = "FILE"});
    declaration.Option("--allow-host", &request_.allowed_hosts,
                       "Another name that a server on the loopback is called by, as behind a proxy",
                       {.shown_as = "HOST"});
    declaration.Flag("--public", request_.is_public,
                     "Let anybody read at an address that others can reach");
    declaration.Flag("--allow-unsigned", request_.policy.allow_unsigned,
                     "Take pushes that are not signed by a trusted key");
    declaration.Flag("--log", request_.log,
                     "Print a line for each request on standard error: time, client, request, "
                     "status, bytes, time taken");
    AddMaxBytesOption(declaration, request_.max_bytes);
    AddSigningOptions(declaration, request_.signing);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib serve\n"
        "  statelib serve --library /srv/states --write-token-file ~/.statelib-write\n"
        "  statelib serve --listen 0.0.0.0:8427 --read-token-file r --write-token-file w "
        "--tls-cert c.pem --tls-key k.pem\n");
  }

  void Run(Context& context) override { ServeLibrary(context, request_); }

 private:
  ServeRequest request_;
};

}  // namespace

std::unique_ptr<Command> MakeServeCommand() { return std::make_unique<ServeCommand>(); }

}  // namespace statelib::cli
