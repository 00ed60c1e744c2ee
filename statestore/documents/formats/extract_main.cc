// SPDX-License-Identifier: Apache-2.0
// statelib-extract NAME: reads a document on standard input, writes "text FORMAT ENCODING", with
// " guessed" where it was, and a line feed and its text, or "error KIND" and a line feed and the
// message. A program of its own, so
// that a file that breaks a reader breaks nothing else, and so that statelib itself starts without
// the readers' libraries.
#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <string>

#include "core/base/error.h"
#include "statestore/documents/extractor.h"
#include "statestore/documents/formats/formats.h"

namespace statelib::documents {

namespace {

void Limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit = {value, value};
  ::setrlimit(resource, &limit);
}

/// Before the first byte is looked at: nothing that a file makes a library do takes more than this.
void LimitProcess() {
  if constexpr (STATELIB_EXTRACT_MEMORY_BYTES > 0) Limit(RLIMIT_AS, STATELIB_EXTRACT_MEMORY_BYTES);
  Limit(RLIMIT_CPU, kExtractCpuSecondsMax);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_NOFILE, 64);
  // Some libraries keep caches in files; they may not, and are told so by an error.
  ::signal(SIGXFSZ, SIG_IGN);
  Limit(RLIMIT_FSIZE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::setlocale(LC_ALL, "C.UTF-8");
}

std::string ReadInput() {
  std::string bytes;
  std::string block(size_t{1} << 20, '\0');
  while (true) {
    const ssize_t size = ::read(STDIN_FILENO, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) ThrowErrno("reading", "standard input", errno);
    if (size == 0) return bytes;
    bytes.append(block, 0, static_cast<size_t>(size));
    if (bytes.size() > kFileBytesMax)
      Throw(ErrorKind::kInvalidArgument, "longer than {} bytes", kFileBytesMax);
  }
}

bool WriteAll(std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

std::string ExtractionReply(const std::string& name) {
  try {
    const ExtractedText extracted = Extract(ReadInput(), name);
    return fmt::format("text {} {}{}\n", extracted.format,
                       extracted.encoding.empty() ? "-" : extracted.encoding,
                       extracted.guessed ? " guessed" : "") +
           extracted.text;
  } catch (const Error& error) {
    return fmt::format("error {}\n{}", NameOf(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return fmt::format("error {}\n{}: reading it needs more memory than it may", "invalid_argument",
                       name);
  } catch (const std::exception& error) {
    return fmt::format("error {}\n{}: {}", "corrupt", name, error.what());
  }
}

}  // namespace

}  // namespace statelib::documents

int main(int argc, char** argv) {
  statelib::documents::LimitProcess();
  const std::string answer =
      statelib::documents::ExtractionReply(argc > 1 ? argv[1] : "standard input");
  // Without the libraries' own endings: what they hold, the system takes back faster.
  ::_exit(statelib::documents::WriteAll(answer) ? EXIT_SUCCESS : EXIT_FAILURE);
}
