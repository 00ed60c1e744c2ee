// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CLI_SERVING_H_
#define STATELIB_TESTS_CLI_SERVING_H_

#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {

/// The path of a file that from now on its owner alone can read, as a token has to be.
inline std::string AsSecret(const std::string& path) {
  EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
  return path;
}

/// `statelib serve` as a process of its own.
class Serving {
 public:
  Serving(Arguments arguments, ProcessOptions options, const std::string& out_path)
      : out_path_(out_path) {
    arguments.insert(arguments.begin(), {"serve", "--json"});
    options.out_path = out_path;
    options.on_start = [this](pid_t pid) { pid_ = pid; };
    thread_ =
        std::thread([this, arguments, options] { result_ = RunStatelib(arguments, options); });
  }
  ~Serving() {
    if (thread_.joinable()) Stop();
  }

  /// The address that it says it serves at; "" when it does not begin.
  std::string Url() const {
    for (int i = 0; i < 500; ++i) {
      std::ifstream file(out_path_);
      std::string line;
      if (std::getline(file, line) && !file.eof()) return nlohmann::json::parse(line)["url"];
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return "";
  }
  /// Ctrl-C.
  ProcessResult Stop() {
    ::kill(pid_, SIGINT);
    thread_.join();
    return result_;
  }

 private:
  std::string out_path_;
  std::atomic<pid_t> pid_ = 0;
  ProcessResult result_;
  std::thread thread_;
};

}  // namespace statelib::cli

#endif  // STATELIB_TESTS_CLI_SERVING_H_
