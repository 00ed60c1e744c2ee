// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/library_fixture.h"
#include "tests/statestore/hostile_index.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kText = "The budget for the roof is 5200 dollars.\n";

class BadInput : public LibraryTest {
 protected:
  void SetUp() override {
    file_ = Write("roof.md", kText);
    Facts({"ingest", "roof", file_});
  }

  /// A folder with the demo model's files as links, except those that the test writes.
  std::string ModelWithout(const std::string& name, const std::string& left_out) {
    const fs::path demo = fs::path(STATELIB_SOURCE_DIR) / "examples/models/demo";
    fs::create_directories(Path(name));
    for (const char* file :
         {"config.json", "model.safetensors", "tokenizer.json", "golden.safetensors"})
      if (file != left_out) fs::create_symlink(demo / file, fs::path(Path(name)) / file);
    return Path(name);
  }

  static std::string Demo(const std::string& file) {
    return Read(std::string(STATELIB_SOURCE_DIR) + "/examples/models/demo/" + file);
  }

  static void Flip(const std::string& path, size_t at) {
    std::string bytes = Read(path);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x40);
    fs::permissions(path, fs::perms::owner_all);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  /// A process that has a disk of this size, as mount(8) writes it, and its library on it. It ends
  /// with 125 where it may not mount one.
  ProcessOptions OnADiskOf(const std::string& size, const std::string& mount_point) {
    fs::create_directories(mount_point);
    ProcessOptions options;
    options.before_start = [mount_point, size = "size=" + size] {
      // The mount is this child's alone and goes with it.
      if (::unshare(CLONE_NEWNS) != 0 ||
          ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, size.c_str()) != 0)
        ::_exit(125);
    };
    options.environment["STATELIB_HOME"] = mount_point + "/library";
    return options;
  }

  std::string file_;
};

TEST_F(BadInput, WhatIsNoTextIsRefusedWithAdvice) {
  const std::string with_nul = Write("nul", std::string("abc\0def", 7));
  EXPECT_THAT(ExpectFailure({"ingest", "x", with_nul}, 8), HasSubstr("byte 3 is NUL"));
  std::string noise;
  for (int i = 0; i < 4000; ++i) noise += static_cast<char>(i * 73 % 255 + 1);
  EXPECT_THAT(ExpectFailure({"ingest", "x", Write("noise", noise)}, 8), HasSubstr("iconv"));
  EXPECT_THAT(ExpectFailure({"append", "roof", with_nul}, 8), HasSubstr("not text"));
  ProcessOptions piped;
  piped.input = std::string("a\0b", 3);
  EXPECT_THAT(ExpectFailure({"ingest", "x", "-"}, 8, piped), HasSubstr("standard input"));
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
}

TEST_F(BadInput, AFewBytesThatAreNotUtf8AreAWarning) {
  const ProcessResult result =
      Run({"ingest", "x", Write("mostly", "caf\xc3\xa9, na\xc3\xafve, \xc3\xbc and \xe9 once\n")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("1 byte is not UTF-8"));
}

TEST_F(BadInput, MissingFilesFoldersAndEmptyDocuments) {
  EXPECT_THAT(ExpectFailure({"ingest", "x", Path("none.md")}, 3), HasSubstr("none.md"));
  fs::create_directory(Path("nothing"));
  EXPECT_THAT(ExpectFailure({"ingest", "x", Path("nothing")}, 2), HasSubstr("no document in"));
  ExpectFailure({"ingest", "x", Write("empty", "")}, 2);
  ExpectFailure({"ingest", "x", "-", "-"}, 2);
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
}

TEST_F(BadInput, OddNamesAreRefusedInPrintableWords) {
  for (const char* name : {"",       " ",       "a b",    "../etc/passwd", "/a",
                           "a/",     "a//b",    "-x-",    "a:b:c",         "a:",
                           ":b",     "a@b",     "a@0",    "a@-1",          "name\x1b[31m",
                           "na\nme", "caf\xc3", "\u20ac", "\xff",          "a;b",
                           "a'b",    "a\"b",    "a*"}) {
    const ProcessResult result = Run({"ingest", "--library", Library(), "--", name, file_});
    EXPECT_EQ(result.exit_code, 2) << name;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("\x1b"))) << name;
  }
  ExpectFailure({"ingest", std::string(5000, 'a'), file_}, 2);
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
}

TEST_F(BadInput, AnUnknownNameComesWithTheNearest) {
  for (const Arguments& arguments :
       {Arguments{"generate", "rooof"}, Arguments{"show", "rooof"}, Arguments{"log", "rooof"},
        Arguments{"append", "rooof", file_}, Arguments{"diff", "rooof", "roof"},
        Arguments{"cp", "rooof", "x"}, Arguments{"mv", "rooof", "x"}, Arguments{"rm", "rooof"},
        Arguments{"tag", "rooof", "x"}, Arguments{"export", "rooof", "-o", Path("x")}}) {
    const std::string line = ExpectFailure(arguments, 3);
    EXPECT_THAT(line, HasSubstr("rooof")) << arguments[0];
    EXPECT_THAT(line, HasSubstr("did you mean")) << arguments[0];
  }
  EXPECT_FALSE(fs::exists(Path("x")));
}

TEST_F(BadInput, NoLibraryIsSaidAndNoneIsMade) {
  for (const Arguments& command :
       {Arguments{"list"}, Arguments{"show", "a"}, Arguments{"log", "a"}, Arguments{"verify"},
        Arguments{"gc"}, Arguments{"generate", "a"}, Arguments{"rm", "a"}}) {
    Arguments arguments = command;
    arguments.insert(arguments.end(), {"--library", Path("nowhere")});
    EXPECT_THAT(ExpectFailure(arguments, 3), HasSubstr("nowhere"));
  }
  EXPECT_FALSE(fs::exists(Path("nowhere")));
}

TEST_F(BadInput, ALibraryThatIsSomethingElseIsRefused) {
  EXPECT_NE(Run({"list", "--library", file_}).exit_code, 0);
  ExpectFailure({"ingest", "x", file_, "--library", file_ + "/below"}, 3);
  Write("other/letter.txt", "private");
  ExpectFailure({"ingest", "x", file_, "--library", Path("other")}, 2);
  EXPECT_EQ(Read(Path("other/letter.txt")), "private");
}

TEST_F(BadInput, ADamagedObjectIsFoundBeforeItIsUsed) {
  const std::string object = Facts({"show", "roof"})["object_path"];
  const std::string whole = Read(object);
  for (const size_t at : {size_t{0}, whole.size() / 3, whole.size() - 1}) {
    Flip(object, at);
    ExpectFailure({"generate", "roof", "--max-tokens", "1"}, 4);
    ExpectFailure({"export", "roof", "-o", Path("x")}, 4);
    const ProcessResult verify = Run({"verify", "--json"});
    EXPECT_EQ(verify.exit_code, 4);
    const auto report = nlohmann::json::parse(verify.out);
    EXPECT_EQ(report["sound"], false);
    EXPECT_EQ(report["problems"][0]["affects"][0], "roof:latest@1");
    Flip(object, at);
  }
  fs::resize_file(object, whole.size() / 2);
  ExpectFailure({"generate", "roof", "--max-tokens", "1"}, 4);
  fs::remove(object);
  EXPECT_NE(Run({"generate", "roof", "--max-tokens", "1"}).exit_code, 0);
  EXPECT_EQ(Run({"verify"}).exit_code, 4);
  EXPECT_FALSE(fs::exists(Path("x")));
}

TEST_F(BadInput, ADamagedBundleChangesNothing) {
  const std::string bundle = Path("b.statelib");
  Facts({"export", "roof", "-o", bundle});
  const std::string whole = Read(bundle);
  const std::string other = Path("other");
  for (size_t at = 0; at < whole.size(); at += whole.size() / 7 + 1) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    const ProcessResult flipped =
        Run({"import", Write("bad", bytes), "--allow-unsigned", "--library", other});
    EXPECT_TRUE(flipped.exit_code == 4 || flipped.exit_code == 8) << at << flipped.err;
    const ProcessResult cut =
        Run({"import", Write("bad", whole.substr(0, at)), "--allow-unsigned", "--library", other});
    EXPECT_TRUE(cut.exit_code == 4) << at << cut.err;
  }
  ExpectFailure({"import", file_, "--library", other}, 4);
  ExpectFailure({"import", Path("none"), "--library", other}, 3);
  EXPECT_EQ(Facts({"list", "--library", other})["states"].size(), 0u);
}

TEST_F(BadInput, AnotherModelIsRefusedWithTheOneThatIsNeeded) {
  const std::string other = ModelWithout("other", "tokenizer.json");
  Write("other/tokenizer.json", Demo("tokenizer.json") + "\n");
  for (const Arguments& arguments :
       {Arguments{"generate", "roof", "--model", other, "--max-tokens", "1"},
        Arguments{"append", "roof", file_, "--model", other}})
    EXPECT_THAT(ExpectFailure(arguments, 5),
                HasSubstr(Facts({"show", "roof"})["model"].get<std::string>().substr(0, 12)));
  EXPECT_EQ(Facts({"log", "roof"})["versions"].size(), 1u);
}

TEST_F(BadInput, BrokenCheckpointsAreOneLineEach) {
  fs::create_directories(Path("nothing"));
  ExpectFailure({"ingest", "x", file_, "--model", Path("nothing")}, 3);
  ExpectFailure({"ingest", "x", file_, "--model", ModelWithout("no-weights", "model.safetensors")},
                3);
  ExpectFailure({"ingest", "x", file_, "--model", ModelWithout("no-config", "config.json")}, 3);
  EXPECT_THAT(
      ExpectFailure({"ingest", "x", file_, "--model", ModelWithout("no-tok", "tokenizer.json")}, 3),
      HasSubstr("--tokenizer FILE"));
  ModelWithout("cut", "model.safetensors");
  Write("cut/model.safetensors", Demo("model.safetensors").substr(0, 100'000));
  ExpectFailure({"ingest", "x", file_, "--model", Path("cut")}, 4);
  ModelWithout("broken-json", "config.json");
  Write("broken-json/config.json", "{\"model_type\": \"mamba\", ");
  ExpectFailure({"ingest", "x", file_, "--model", Path("broken-json")}, 4);
  ModelWithout("absurd", "config.json");
  std::string config = Demo("config.json");
  const size_t at = config.find("\"hidden_size\": ");
  ASSERT_NE(at, std::string::npos);
  config.insert(at + std::string("\"hidden_size\": ").size(), "99999");
  Write("absurd/config.json", config);
  ExpectFailure({"model", "check", Path("absurd")}, 4);
  ModelWithout("unknown", "config.json");
  Write("unknown/config.json", "{\"model_type\": \"abacus\"}");
  ExpectFailure({"model", "check", Path("unknown")}, 8);
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
}

TEST_F(BadInput, AnUnwritableLibraryCanBeReadButNotChanged) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs to become another user";
  fs::permissions(directory_.path(), fs::perms::owner_all | fs::perms::others_read |
                                         fs::perms::others_exec | fs::perms::group_read |
                                         fs::perms::group_exec);
  // A library is its owner's alone until somebody lets others in.
  RunProgram({"chmod", "-R", "go+rX", Library()});
  ProcessOptions nobody;
  nobody.before_start = [] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(125);
  };
  ProcessResult list;
  try {
    list = Run({"list"}, nobody);
  } catch (const std::runtime_error&) {
    GTEST_SKIP() << "another user cannot start the program here";
  }
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_EQ(Run({"generate", "roof", "--max-tokens", "2"}, nobody).exit_code, 0);
  ExpectFailure({"ingest", "x", file_}, 7, nobody);
  ExpectFailure({"rm", "roof"}, 7, nobody);
  ExpectFailure({"ingest", "x", file_, "--library", Path("new")}, 7, nobody);
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
  ExpectSound();
}

TEST_F(BadInput, AFileSizeLimitLeavesTheLibraryAsItWas) {
  ProcessOptions limited;
  limited.before_start = [] {
    const rlimit limit{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
  ExpectFailure({"ingest", "x", Write("other.md", "Another text.")}, 7, limited);
  EXPECT_EQ(Run({"generate", "roof", "--max-tokens", "2", "--save-as", "y"}, limited).exit_code, 7);
  ExpectFailure({"export", "roof", "-o", Path("b.statelib")}, 7, limited);
  EXPECT_FALSE(fs::exists(Path("b.statelib")));
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
  ExpectSound();
}

TEST_F(BadInput, AFullDiskLeavesTheLibraryAsItWas) {
  const std::string mount_point = Path("disk");
  const ProcessOptions small_disk = OnADiskOf("1500k", mount_point);
  const std::string other = Write("other.md", "Another text.");
  const std::string third = Write("third.md", "A third text.");
  const ProcessResult result =
      RunProgram({"bash", "-c",
                  "for f in \"$@\"; do \"$0\" ingest doc \"$f\" >/dev/null; echo -n \"$? \"; done; "
                  "\"$0\" verify >/dev/null; echo -n \"verify $? \"; \"$0\" log doc --json | grep "
                  "-o current | "
                  "wc -l",
                  STATELIB_PROGRAM, file_, other, third},
                 small_disk);
  if (result.exit_code == 125) GTEST_SKIP() << "no right to mount a small disk";
  EXPECT_THAT(result.out, HasSubstr("0 "));
  EXPECT_THAT(result.out, HasSubstr("7 verify 0 "));
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
}

TEST_F(BadInput, NoRowOfTheIndexReachesATerminalUnescaped) {
  Facts({"cp", "roof", "other"});
  const std::string evil = "char(27) || '[2J' || char(13) || char(10) || char(7) || char(8238)";
  for (const char* column :
       {"refs SET name", "refs SET tag", "models SET name", "models SET architecture",
        "models SET summary", "models SET path", "models SET weights", "sources SET name",
        "sources SET path", "derivations SET separator", "derivations SET heading",
        "states SET profile", "passages SET body", "proofs SET profile"}) {
    fs::remove_all(Path("copy"));
    fs::copy(Library(), Path("copy"), fs::copy_options::recursive);
    const std::string change = "UPDATE " + std::string(column) + " = " + evil;
    storage::ChangeIndex(Path("copy") + "/index.db", change + " || rowid WHERE rowid = 1");
    storage::ChangeIndex(Path("copy") + "/index.db", change);
    for (const Arguments& command :
         std::vector<Arguments>{{"list"},
                                {"list", "--quiet"},
                                {"show", "roof"},
                                {"log", "roof", "--sources"},
                                {"log", "other"},
                                {"status", "roof"},
                                {"diff", "roof", "other"},
                                {"search", "budget"},
                                {"verify"},
                                {"model", "list"},
                                {"model", "show", "demo"},
                                {"checkpoint", "list"},
                                {"export", "roof", "-o", Path("out")},
                                {"generate", "roof", "--max-tokens", "1"},
                                {"rm", "missing"},
                                {"gc", "--dry-run"}}) {
      Arguments arguments = command;
      arguments.insert(arguments.end(), {"--library", Path("copy")});
      const ProcessResult result = Run(arguments);
      const std::string what = column + testing::PrintToString(command) + result.err;
      EXPECT_EQ(result.signal, 0) << what;
      if (command[0] != "status") {
        EXPECT_NE(result.exit_code, 1) << what;
      }
      const std::string all = (command[0] == "generate" ? "" : result.out) + result.err;
      EXPECT_EQ(all.find_first_of("\x1b\r\a"), std::string::npos) << what;
      EXPECT_EQ(all.find("\u202e"), std::string::npos) << what;
    }
  }
}

TEST_F(BadInput, WhatFreesSpaceWorksOnAFullDisk) {
  const std::string mount_point = Path("disk");
  const ProcessOptions small_disk = OnADiskOf("4m", mount_point);
  const ProcessResult result = RunProgram(
      {"bash", "-c",
       "$0 ingest roof $1 >/dev/null; echo -n \"ingest $? \"; cat /dev/zero > $2/filler "
       "2>/dev/null; "
       "for c in list 'show roof' 'log roof' 'ingest more $3' 'rm roof' 'gc --grace 0'; do "
       "eval \"$0 $c\" >/dev/null; echo -n \"$c $? \"; done; rm $2/filler; "
       "$0 gc >/dev/null; ls $2/library/index.db-reserve >/dev/null; echo -n \"reserve $? \"; "
       "$0 ingest roof $1 >/dev/null; echo -n \"again $? \"; $0 verify >/dev/null; echo \"verify "
       "$?\"",
       STATELIB_PROGRAM, file_, mount_point, Write("more.md", "Another text.")},
      small_disk);
  if (result.exit_code == 125) GTEST_SKIP() << "no right to mount a small disk";
  EXPECT_EQ(result.out,
            "ingest 0 list 0 show roof 0 log roof 0 ingest more $3 7 rm roof 0 gc --grace 0 0 "
            "reserve 0 again 0 verify 0\n")
      << result.err;
}

TEST_F(BadInput, CtrlCInIngestKeepsWhatWasThere) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += kText;
  const std::string file = Write("long.md", text);
  ProcessOptions terminal;
  terminal.terminal = true;
  bool sent = false;
  terminal.on_output = [&sent](pid_t process, std::string_view) {
    if (!sent) ::kill(process, SIGINT);
    sent = true;
  };
  for (const Arguments& arguments :
       {Arguments{"ingest", "roof", file}, Arguments{"append", "roof", file}}) {
    sent = false;
    const ProcessResult result = Run(arguments, terminal);
    EXPECT_EQ(result.exit_code, 130) << result.out;
    EXPECT_THAT(result.out, HasSubstr("stopped"));
  }
  EXPECT_EQ(Facts({"log", "roof"})["versions"].size(), 1u);
  EXPECT_EQ(Facts({"gc"})["objects"], 0);
  ExpectSound();
}

}  // namespace
}  // namespace statelib::cli
