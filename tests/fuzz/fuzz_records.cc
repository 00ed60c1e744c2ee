// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/change.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/head_hash.h"

namespace statelib::storage {
namespace {

/// Bytes as library.toml, and as a record whose hashes are right.
void Read(ByteSpan file) {
  try {
    const LibraryFile library = ParseLibraryFile(AsText(file), "it");
    Promise(ParseLibraryFile(TextOf(library), "it") == library);
  } catch (const Error&) {
    // It is no such file.
  }
  const Bytes bytes = WithHeadHash(file);
  const ChangeRecord record = ParseRecord(CheckedHeader(kRecordFile, bytes, "it"), "it");
  // What is read is written as it was, under a name that fits it.
  const RecordFile again = EncodeRecord(record);
  Promise(DecodeRecord(again, "it") == record);
  Promise(again.bytes.size() <= bytes.size());
}

}  // namespace
}  // namespace statelib::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::storage::Read);
}
