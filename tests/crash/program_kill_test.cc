// SPDX-License-Identifier: Apache-2.0
// The program itself, killed while it reads a document.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

class KilledProgram : public LibraryTest {};

TEST_F(KilledProgram, AReadingGoesOnFromItsLastCheckpoint) {
  std::string text;
  for (int i = 0; i < 400; ++i)
    text += "On day " + std::to_string(i) + " the gate was painted red.\n";
  const std::string file = Write("a.md", text);
  const Arguments ingest = {"ingest", "a", file, "--checkpoint-every", "128"};
  const auto checkpoints = [&] { return Facts({"checkpoint", "list"})["checkpoints"].size(); };
  Facts({"ingest", "kept", Write("b.md", "The roof leaks.")});
  size_t left = 0;
  for (int round = 0; round < 4; ++round) {
    ProcessOptions options;
    std::thread killer;
    options.on_start = [&](pid_t process) {
      killer = std::thread([process, round] {
        std::this_thread::sleep_for(std::chrono::milliseconds(150 + 130 * round));
        ::kill(process, SIGKILL);
      });
    };
    Run(ingest, options);
    killer.join();
    ExpectSound();
    EXPECT_EQ(Facts({"show", "kept"})["names"].size(), 1u);
    EXPECT_GE(checkpoints(), left);
    left = checkpoints();
  }
  const auto facts = Facts(ingest);
  EXPECT_GE(facts["tokens_restored"], left * 128);
  const auto afresh = Facts({"ingest", "b", file, "--no-reuse", "--checkpoint-every", "0"});
  EXPECT_EQ(afresh["state"]["id"], facts["state"]["id"]);
  ExpectSound();
}

}  // namespace
}  // namespace statelib::cli
