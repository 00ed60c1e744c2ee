// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/pickle.h"
#include "core/model_files/torch_globals.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::model_files {
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
}  // namespace statelib::model_files

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::model_files::Read);
}
