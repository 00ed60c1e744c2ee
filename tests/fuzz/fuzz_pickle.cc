// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/pickle.h"
#include "core/checkpoint/torch_globals.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::checkpoint {
namespace {

void Read(ByteSpan pickle) {
  const PickleGraph graph = ReadPickle(pickle, TorchGlobalNames(), "data.pkl");
  Promise(graph.root < graph.nodes.size());
  for (const PickleNode& node : graph.nodes) {
    for (const PickleId item : node.items) Promise(item < graph.nodes.size());
    Promise(node.kind != PickleKind::kCall || node.items.size() == 2);
    Promise(node.kind != PickleKind::kPersistent || node.items.size() == 1);
    Promise(node.kind != PickleKind::kDict || node.items.size() % 2 == 0);
  }
}

}  // namespace
}  // namespace statelib::checkpoint

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::checkpoint::Read);
}
