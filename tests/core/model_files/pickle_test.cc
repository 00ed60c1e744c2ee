// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/pickle.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/torch_archive_builder.h"

namespace statelib::model_files {
namespace {

using namespace std::string_literals;

constexpr std::array<std::string_view, 2> kGlobals = {kOrderedDictGlobal, "torch.Size"};

PickleGraph Read(const std::string& pickle) { return ReadPickle(AsBytes(pickle), kGlobals, "p"); }

void ExpectRefused(ErrorKind kind, std::initializer_list<std::string> parts,
                   const std::string& pickle) {
  SCOPED_TRACE(pickle.substr(0, 60));
  ExpectError(kind, parts, [&] { Read(pickle); });
}

/// The only value of a pickle of this opcode.
PickleNode Value(const std::string& opcode) {
  const std::string pickle = Pickle(opcode);
  const PickleGraph graph = Read(pickle);
  PickleNode node = graph[graph.root];
  node.text = {};  // it pointed into `pickle`
  return node;
}

TEST(Pickle, ReadsEveryKindOfNumber) {
  EXPECT_EQ(Value("N").kind, PickleKind::kNone);
  EXPECT_EQ(Value("\x88").integer, 1);
  EXPECT_EQ(Value("\x89").integer, 0);
  EXPECT_EQ(Value("J"s + "\xfe\xff\xff\xff").integer, -2);
  EXPECT_EQ(Value("K\xff").integer, 255);
  EXPECT_EQ(Value("M\xff\xff").integer, 65535);
  EXPECT_EQ(Value("\x8a\x00"s).integer, 0);
  EXPECT_EQ(Value("\x8a\x01\xff").integer, -1);
  EXPECT_EQ(Value("\x8a\x05\x00\x00\x00\x00\x01"s).integer, int64_t{1} << 32);
  EXPECT_EQ(Value("\x8a\x02\x00\x80"s).integer, -32768);
  EXPECT_EQ(Value("G\x3f\xf8\x00\x00\x00\x00\x00\x00"s).number, 1.5);  // big-endian
}

TEST(Pickle, ReadsTextsAndContainers) {
  const std::string pickle =
      Pickle("}(" + PickleText("a") + "](K\x01K\x02" + "e" + "U\x01" + "b" + "K\x01K\x02K\x03\x87" +
             "u" + "X\x01\x00\x00\x00"s + "c]K\x07" + "as");
  const PickleGraph graph = Read(pickle);
  const PickleNode& dict = graph[graph.root];
  ASSERT_EQ(dict.kind, PickleKind::kDict);
  ASSERT_EQ(dict.items.size(), 6u);
  EXPECT_EQ(graph[dict.items[0]].text, "a");
  EXPECT_EQ(graph[dict.items[1]].kind, PickleKind::kList);
  EXPECT_EQ(graph[dict.items[1]].items.size(), 2u);
  EXPECT_EQ(graph[dict.items[2]].text, "b");
  EXPECT_EQ(graph[dict.items[3]].kind, PickleKind::kTuple);
  EXPECT_EQ(graph[dict.items[3]].items.size(), 3u);
  EXPECT_EQ(graph[graph[dict.items[5]].items[0]].integer, 7);
}

TEST(Pickle, MemoGivesTheSameNode) {
  const PickleGraph graph = Read(Pickle("]q\x05" + "h\x05\x86"s));
  const PickleNode& pair = graph[graph.root];
  EXPECT_EQ(pair.items[0], pair.items[1]);
  const PickleGraph wide = Read(Pickle("]r\x01\x02\x03\x04j\x01\x02\x03\x04\x86"));
  EXPECT_EQ(wide[wide.root].items[0], wide[wide.root].items[1]);
}

TEST(Pickle, ContainerThatHoldsItselfIsANodeAndNoLoop) {
  const PickleGraph graph = Read(Pickle("]q\x01h\x01" + "a"s));
  EXPECT_EQ(graph[graph.root].items, std::vector<PickleId>{graph.root});
}

TEST(Pickle, OrderedDictIsADictAndOtherCallsAreData) {
  const std::string dict = PickleGlobalOp("collections", "OrderedDict") + ")R";
  EXPECT_EQ(Value(dict).kind, PickleKind::kDict);
  EXPECT_EQ(Value(dict + "}b").kind, PickleKind::kDict);  // BUILD is dropped
  const PickleGraph graph = Read(Pickle(PickleGlobalOp("torch", "Size") + "K\x02\x85R"));
  const PickleNode& call = graph[graph.root];
  ASSERT_EQ(call.kind, PickleKind::kCall);
  EXPECT_EQ(graph[call.items[0]].integer, 1);
}

TEST(Pickle, GlobalsOutsideTheTableAreRefusedByName) {
  ExpectRefused(ErrorKind::kUnsupported, {"found \"numpy.ndarray\"; nothing of it was run"},
                Pickle(PickleGlobalOp("numpy", "ndarray")));
  for (const char* module : {"os", "posix", "nt", "sys", "subprocess", "builtins", "os.path"}) {
    ExpectRefused(ErrorKind::kUnsupported, {module, "do not trust this file"},
                  Pickle(PickleGlobalOp(module, "system") + PickleText("true") + "\x85R"));
  }
  ExpectRefused(ErrorKind::kUnsupported, {"\"a\\x01.b\""}, Pickle(PickleGlobalOp("a\x01", "b")));
  ExpectRefused(ErrorKind::kCorrupt, {"bytes in the name of a global"},
                Pickle(PickleGlobalOp(std::string(5000, 'a'), "b")));
}

TEST(Pickle, OpcodesThatNoStateDictNeedsAreRefused) {
  // INST, OBJ, STACK_GLOBAL, EXT1, PERSID, LONG, DICT, DUP, POP, BINBYTES, FRAME
  for (const char opcode : "io\x93\x82PLd20B\x95"s) {
    ExpectRefused(ErrorKind::kUnsupported,
                  {fmt::format("found 0x{:02x}", static_cast<unsigned char>(opcode))},
                  Pickle(std::string("K\x01K\x01") + opcode));
  }
  ExpectRefused(ErrorKind::kUnsupported, {"protocol 2, found 5"}, "\x80\x05N.");
}

TEST(Pickle, BrokenPicklesAreRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"opcode at byte 0"}, "");
  ExpectRefused(ErrorKind::kCorrupt, {"opcode at byte 3"}, "\x80\x02N");
  ExpectRefused(ErrorKind::kCorrupt, {"expected 1 values on the stack, found 0"}, "\x80\x02.");
  ExpectRefused(ErrorKind::kCorrupt, {"expected a mark"}, Pickle("t"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected 1 values", "found 0"}, Pickle("K\x01(\x85"));
  ExpectRefused(ErrorKind::kCorrupt, {"memo index that was stored, found 9"}, Pickle("h\x09"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected a value on the stack"}, Pickle("q\x01"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected a dict"}, Pickle("](K\x01K\x02u"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected a dict"}, Pickle("}(K\x01u"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected a list"}, Pickle("}K\x01" + "a"s));
  ExpectRefused(ErrorKind::kCorrupt, {"a global and a tuple"}, Pickle("K\x01)R"));
  ExpectRefused(ErrorKind::kUnsupported, {"at most 8 bytes, found 9"},
                Pickle("\x8a\x09" + "123456789"s));
  ExpectRefused(ErrorKind::kCorrupt, {"string at byte"}, Pickle("X\xff\x00\x00\x00"s));
  ExpectRefused(ErrorKind::kCorrupt, {"bytes in a string"}, Pickle("X\xff\xff\xff\xff"));
  ExpectRefused(ErrorKind::kUnsupported, {"an empty OrderedDict"},
                Pickle(PickleGlobalOp("collections", "OrderedDict") + "]\x85R"));
}

TEST(Pickle, CountsAreBounded) {
  ExpectRefused(ErrorKind::kCorrupt, {"too many values on the stack"},
                Pickle(std::string(1'100'000, 'N')));
  ExpectRefused(ErrorKind::kCorrupt, {"too many marks"}, Pickle(std::string(1'100'000, '(')));
  std::string many;
  for (int round = 0; round < 12; ++round) many += "(" + std::string(900'000, 'N') + "tq\x01";
  ExpectRefused(ErrorKind::kCorrupt, {"too many values"}, Pickle(many));
}

}  // namespace
}  // namespace statelib::model_files
