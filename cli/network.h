// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_NETWORK_H_
#define STATELIB_CLI_NETWORK_H_

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/key_access.h"
#include "statestore/library/remotes.h"
#include "statestore/remote/remote.h"

// What needs the libraries of the network. They would cost every other command a good part of its
// start, so they are linked into a second program, statelib-net, which is statelib with them: in
// statelib each function here becomes that program with the same command line and does not return
// (network_reexec.cc); there it does its work (network_linked.cc). Call it before anything was
// done or printed.
namespace statelib::cli {

/// A remote at an address with a scheme. Errors: kInvalidArgument for one that is not known or
/// makes no sense.
std::unique_ptr<remote::Remote> OpenNetworkRemote(const Context& context,
                                                  const library::NamedRemote& remote);

/// What `statelib serve` was told.
struct ServeRequest {
  std::string listen = "127.0.0.1:8427";
  std::string read_token_file;
  std::string write_token_file;
  std::string tls_certificate_file;  ///< with the key: HTTPS
  std::string tls_key_file;
  std::vector<std::string> allowed_hosts;  ///< other names of a server on the loopback
  bool is_public = false;
  bool log = false;
  std::string max_bytes;  ///< of a pushed state, see AddMaxBytesOption
  library::SignerPolicy policy;
  SigningOptions signing;
};

/// Serves the library until Ctrl-C. Errors: those of the options and of LibraryServer.
void ServeLibrary(Context& context, const ServeRequest& request);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_NETWORK_H_
