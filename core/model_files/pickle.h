// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_PICKLE_H_
#define STATELIB_CORE_MODEL_FILES_PICKLE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"

namespace statelib::model_files {

// The part of Python's pickle format (protocol 2) that a saved state dict consists of, read as
// data. Nothing is imported, looked up by name or called: a global is a symbol of a fixed table,
// and applying it to arguments gives a node that says so. Opcodes: those that PyTorch's own
// weights-only loader accepts.

/// What a node is; the comment says which members of PickleNode it uses.
enum class PickleKind : uint8_t {
  kNone,
  kBool,        ///< integer: 0 or 1
  kInteger,     ///< integer
  kFloat,       ///< number
  kString,      ///< text
  kTuple,       ///< items
  kList,        ///< items
  kSet,         ///< items
  kDict,        ///< items: key, value, key, value, …
  kGlobal,      ///< integer: its place in the table of allowed globals
  kCall,        ///< items: what is applied, and the tuple of arguments
  kPersistent,  ///< items: the id, a node
};

/// The place of a node in its graph.
using PickleId = uint32_t;

struct PickleNode {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;
  double number = 0;
  std::string_view text;  ///< points into the pickle
  std::vector<PickleId> items;
};

/// What a pickle says, as nodes that name each other by place. Two places may name one node (that
/// is how tied weights are written), and a container may even name itself: a reader that descends
/// must bound its depth.
struct PickleGraph {
  std::vector<PickleNode> nodes;
  PickleId root = 0;

  const PickleNode& operator[](PickleId id) const { return nodes[id]; }
};

/// The global whose call without arguments is read as an empty dict: "collections.OrderedDict".
inline constexpr std::string_view kOrderedDictGlobal = "collections.OrderedDict";

/// Reads one pickle. `globals` are the symbols that may occur, each as "module.name"; `place` is
/// for messages. `pickle` must outlive the graph. A pickle may have 64 MiB and two
/// million values.
/// Errors: kCorrupt for a broken pickle; kUnsupported for an opcode or a global that no state dict
/// needs, with its name.
PickleGraph ReadPickle(ByteSpan pickle, std::span<const std::string_view> globals,
                       const std::string& place);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_PICKLE_H_
