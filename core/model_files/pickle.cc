// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/pickle.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/byte_cursor.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr uint64_t kPickleBytesMax = uint64_t{64} << 20;
constexpr size_t kNodesMax = 2'000'000;
constexpr size_t kStackMax = 1'000'000;
constexpr size_t kItemsMax = 8'000'000;  // of all containers together
constexpr uint32_t kTextMax = 1 << 20;
constexpr size_t kGlobalNameMax = 200;
constexpr int kProtocolMax = 3;

// Modules whose only use in a pickle is to run something.
constexpr std::string_view kDangerousModules[] = {
    "os", "posix", "nt", "sys", "subprocess", "builtins", "__builtin__", "runpy", "importlib"};

enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNoneOpcode = 'N',
  kBinPersistentId = 'Q',
  kReduce = 'R',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kBinFloat = 'G',
  kAppend = 'a',
  kBuild = 'b',
  kGlobalOpcode = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kEmptyDict = '}',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTupleOpcode = 't',
  kSetItems = 'u',
  kProto = 0x80,
  kNewObject = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kEmptySet = 0x8f,
};

/// Runs the opcodes of one pickle. Its stack and memo hold places of nodes; a mark is a place in
/// the stack.
class Unpickler {
 public:
  Unpickler(ByteSpan pickle, std::span<const std::string_view> globals, const std::string& place)
      : cursor_(pickle, place), globals_(globals) {}

  PickleGraph Run() {
    while (!stopped_) Step(cursor_.Read<uint8_t>("opcode"));
    return std::move(graph_);
  }

 private:
  template <typename... Args>
  [[noreturn]] void Fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    Throw(kind, "{}: byte {}: {}", cursor_.place(), cursor_.at(),
          fmt::format(format, std::forward<Args>(args)...));
  }

  void Step(uint8_t opcode) {
    if (!StepValue(opcode) && !StepContainer(opcode) && !StepMemo(opcode)) {
      Fail(ErrorKind::kUnsupported,
           "expected an opcode that a state dict needs, found 0x{:02x}; save the plain state dict "
           "by torch.save",
           opcode);
    }
  }

  /// Opcodes that push one new value.
  bool StepValue(uint8_t opcode) {
    switch (opcode) {
      case kNoneOpcode:
        Push({});
        return true;
      case kNewTrue:
      case kNewFalse:
        PushNumber(PickleKind::kBool, opcode == kNewTrue ? 1 : 0);
        return true;
      case kBinInt:
        PushNumber(PickleKind::kInteger, cursor_.Read<int32_t>("integer"));
        return true;
      case kBinInt1:
        PushNumber(PickleKind::kInteger, cursor_.Read<uint8_t>("integer"));
        return true;
      case kBinInt2:
        PushNumber(PickleKind::kInteger, cursor_.Read<uint16_t>("integer"));
        return true;
      case kLong1:
        PushNumber(PickleKind::kInteger, ReadLong());
        return true;
      case kBinFloat: {
        PickleNode node{PickleKind::kFloat, 0, 0, {}, {}};
        node.number = std::bit_cast<double>(__builtin_bswap64(cursor_.Read<uint64_t>("number")));
        Push(std::move(node));
        return true;
      }
      case kBinUnicode:
        PushText(cursor_.Read<uint32_t>("length of a string"));
        return true;
      case kShortBinString:
        PushText(cursor_.Read<uint8_t>("length of a string"));
        return true;
      case kGlobalOpcode:
        PushGlobal();
        return true;
      default:
        return false;
    }
  }

  /// Opcodes that build values of values.
  bool StepContainer(uint8_t opcode) {
    switch (opcode) {
      case kEmptyTuple:
        PushItems(PickleKind::kTuple, {});
        return true;
      case kEmptyList:
        PushItems(PickleKind::kList, {});
        return true;
      case kEmptyDict:
        PushItems(PickleKind::kDict, {});
        return true;
      case kEmptySet:
        PushItems(PickleKind::kSet, {});
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        PushItems(PickleKind::kTuple, PopMany(opcode - kTuple1 + 1u));
        return true;
      case kTupleOpcode:
        PushItems(PickleKind::kTuple, PopToMark());
        return true;
      case kAppend:
        Extend(PickleKind::kList, PopMany(1));
        return true;
      case kAppends:
        Extend(PickleKind::kList, PopToMark());
        return true;
      case kSetItem:
        Extend(PickleKind::kDict, PopMany(2));
        return true;
      case kSetItems:
        Extend(PickleKind::kDict, PopToMark());
        return true;
      case kReduce:
      case kNewObject:
        Apply(PopMany(2));
        return true;
      case kBinPersistentId:
        PushItems(PickleKind::kPersistent, PopMany(1));
        return true;
      case kBuild:
        // The state of an object, such as a state dict's _metadata: nothing here needs it.
        PopMany(1);
        Top();
        return true;
      default:
        return false;
    }
  }

  /// Opcodes about the pickle itself, its marks and its memo.
  bool StepMemo(uint8_t opcode) {
    switch (opcode) {
      case kProto:
        if (const auto protocol = cursor_.Read<uint8_t>("protocol"); protocol > kProtocolMax) {
          Fail(ErrorKind::kUnsupported, "expected pickle protocol 2, found {}", protocol);
        }
        return true;
      case kMark:
        if (marks_.size() >= kStackMax) FailSize("marks");
        marks_.push_back(stack_.size());
        return true;
      case kStop:
        graph_.root = PopMany(1)[0];
        stopped_ = true;
        return true;
      case kBinPut:
        Remember(cursor_.Read<uint8_t>("memo index"));
        return true;
      case kLongBinPut:
        Remember(cursor_.Read<uint32_t>("memo index"));
        return true;
      case kBinGet:
        PushMemo(cursor_.Read<uint8_t>("memo index"));
        return true;
      case kLongBinGet:
        PushMemo(cursor_.Read<uint32_t>("memo index"));
        return true;
      default:
        return false;
    }
  }

  [[noreturn]] void FailSize(const char* what) {
    Fail(ErrorKind::kCorrupt, "expected a state dict of sane size, found too many {}", what);
  }

  void PushId(PickleId id) {
    if (stack_.size() >= kStackMax) FailSize("values on the stack");
    stack_.push_back(id);
  }

  void Push(PickleNode node) {
    if (graph_.nodes.size() >= kNodesMax) FailSize("values");
    graph_.nodes.push_back(std::move(node));
    PushId(static_cast<PickleId>(graph_.nodes.size() - 1));
  }

  void PushNumber(PickleKind kind, int64_t integer) { Push({kind, integer, 0, {}, {}}); }

  void PushItems(PickleKind kind, std::vector<PickleId> items) {
    CountItems(items.size());
    Push({kind, 0, 0, {}, std::move(items)});
  }

  void PushText(uint32_t length) {
    if (length > kTextMax) FailSize("bytes in a string");
    Push({PickleKind::kString, 0, 0, AsText(cursor_.Take(length, "string")), {}});
  }

  void Remember(uint32_t index) {
    if (memo_.size() >= kNodesMax) FailSize("memo entries");
    memo_[index] = Top();
  }

  void PushMemo(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) {
      Fail(ErrorKind::kCorrupt, "expected a memo index that was stored, found {}", index);
    }
    PushId(found->second);
  }

  /// A two's complement number of at most 8 bytes, as numbers of elements are.
  int64_t ReadLong() {
    const auto length = cursor_.Read<uint8_t>("length of an integer");
    if (length > sizeof(int64_t)) {
      Fail(ErrorKind::kUnsupported, "expected integers of at most 8 bytes, found {}", length);
    }
    const ByteSpan digits = cursor_.Take(length, "integer");
    if (digits.empty()) return 0;
    const bool negative = (digits.back() & std::byte{0x80}) != std::byte{};
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = digits.size(); i-- > 0;) {
      value = value << 8 | std::to_integer<uint64_t>(digits[i]);
    }
    return static_cast<int64_t>(value);
  }

  std::string_view ReadLine() {
    std::string_view line;
    for (uint64_t length = 0; length <= kGlobalNameMax; ++length) {
      const ByteSpan byte = cursor_.Take(1, "name of a global");
      if (byte[0] == std::byte{'\n'}) return line;
      line = std::string_view(line.empty() ? AsText(byte).data() : line.data(), length + 1);
    }
    FailSize("bytes in the name of a global");
  }

  void PushGlobal() {
    const std::string_view module = ReadLine();
    const std::string name = fmt::format("{}.{}", module, ReadLine());
    const auto found = std::ranges::find(globals_, std::string_view(name));
    if (found != globals_.end()) {
      PushNumber(PickleKind::kGlobal, found - globals_.begin());
      return;
    }
    const std::string_view root = module.substr(0, module.find('.'));
    const bool dangerous =
        std::ranges::find(kDangerousModules, root) != std::end(kDangerousModules);
    Fail(ErrorKind::kUnsupported,
         "expected the globals of a state dict, found {}{}; nothing of it was run", Quoted(name),
         dangerous ? ", which would run code: do not trust this file" : "");
  }

  PickleId Top() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
      Fail(ErrorKind::kCorrupt, "expected a value on the stack, found none");
    }
    return stack_.back();
  }

  std::vector<PickleId> PopMany(size_t count) {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) {
      Fail(ErrorKind::kCorrupt, "expected {} values on the stack, found {}", count,
           stack_.size() - floor);
    }
    return PopFrom(stack_.size() - count);
  }

  std::vector<PickleId> PopToMark() {
    if (marks_.empty()) Fail(ErrorKind::kCorrupt, "expected a mark on the stack, found none");
    const size_t floor = marks_.back();
    marks_.pop_back();
    return PopFrom(floor);
  }

  std::vector<PickleId> PopFrom(size_t floor) {
    const auto begin = stack_.begin() + static_cast<ptrdiff_t>(floor);
    std::vector<PickleId> popped(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return popped;
  }

  void CountItems(size_t more) {
    items_ += more;
    if (items_ > kItemsMax) FailSize("items");
  }

  void Extend(PickleKind kind, const std::vector<PickleId>& items) {
    PickleNode& node = graph_.nodes[Top()];
    if (node.kind != kind || (kind == PickleKind::kDict && items.size() % 2 != 0)) {
      Fail(ErrorKind::kCorrupt, "expected a {} to add {} values to, found none",
           kind == PickleKind::kDict ? "dict" : "list", items.size());
    }
    CountItems(items.size());
    node.items.insert(node.items.end(), items.begin(), items.end());
  }

  void Apply(std::vector<PickleId> call) {
    const PickleNode& callee = graph_[call[0]];
    const PickleNode& arguments = graph_[call[1]];
    if (callee.kind != PickleKind::kGlobal || arguments.kind != PickleKind::kTuple) {
      Fail(ErrorKind::kCorrupt, "expected a global and a tuple to apply it to, found others");
    }
    if (globals_[static_cast<size_t>(callee.integer)] != kOrderedDictGlobal) {
      PushItems(PickleKind::kCall, std::move(call));
      return;
    }
    if (!arguments.items.empty()) {
      Fail(ErrorKind::kUnsupported, "expected an empty OrderedDict to begin with, found arguments");
    }
    PushItems(PickleKind::kDict, {});
  }

  ByteCursor cursor_;
  std::span<const std::string_view> globals_;
  PickleGraph graph_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;  ///< sizes of the stack at the open marks
  std::unordered_map<uint32_t, PickleId> memo_;
  size_t items_ = 0;
  bool stopped_ = false;
};

}  // namespace

PickleGraph ReadPickle(ByteSpan pickle, std::span<const std::string_view> globals,
                       const std::string& place) {
  if (pickle.size() > kPickleBytesMax) {
    Throw(ErrorKind::kUnsupported, "{}: expected a pickle of at most {} bytes, found {}", place,
          kPickleBytesMax, pickle.size());
  }
  return Unpickler(pickle, globals, place).Run();
}

}  // namespace statelib::model_files
