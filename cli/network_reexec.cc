// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "cli/environment.h"
#include "cli/network.h"
#include "core/base/error.h"

namespace statelib::cli {

namespace {

bool IsVerbose(std::string_view word) { return word == "-v" || word == "--verbose"; }

/// without_details: what -v says has been said.
[[noreturn]] void BecomeNetworkProgram(bool without_details) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string line{std::istreambuf_iterator<char>(file), {}};
  std::vector<char*> arguments;
  for (size_t at = 0; at < line.size(); at += std::strlen(line.data() + at) + 1)
    if (!without_details || !IsVerbose(line.data() + at)) arguments.push_back(line.data() + at);
  arguments.push_back(nullptr);
  const std::filesystem::path program = HelperProgram("statelib-net");
  ::execv(program.c_str(), arguments.data());
  ThrowErrno("cannot start", program.string(), errno);
}

}  // namespace

std::unique_ptr<remote::Remote> OpenNetworkRemote(const Context& context,
                                                  const library::NamedRemote& /*remote*/) {
  BecomeNetworkProgram(!context.options.json);
}

void ServeLibrary(Context& /*context*/, const ServeRequest& /*request*/) {
  BecomeNetworkProgram(false);
}

}  // namespace statelib::cli
