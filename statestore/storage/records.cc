// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/records.h"

namespace statelib::storage {

const char* NameOf(Operation operation) {
  switch (operation) {
    case Operation::kIngest:
      return "ingest";
    case Operation::kAppend:
      return "append";
    case Operation::kGenerate:
      return "generate";
    case Operation::kImport:
      return "import";
    case Operation::kCopy:
      return "copy";
  }
  return "?";
}

}  // namespace statelib::storage
