// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/fingerprint.h"

#include <gtest/gtest.h>

#include "core/model_files/safetensors_writer.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

constexpr size_t kPiece = size_t{16} << 20;

/// A model of these tensors in a folder of its own.
Digest Fingerprint(const std::string& config, const std::vector<TensorToWrite>& entries,
                   size_t threads = 0) {
  TemporaryDirectory folder;
  folder.Write("config.json", config);
  WriteSafetensors(FileSystem::Real(), folder.path() / "model.safetensors", entries);
  return FingerprintOf(*ModelFiles::Open(folder.path()), threads);
}

TEST(Fingerprint, ChangesWithEveryPartOfTheContent) {
  const std::vector<float> values = {1, 2, 3, 4};
  const std::vector<float> others = {1, 2, 3, 5};
  const ByteSpan bytes = std::as_bytes(std::span(values));
  const TensorToWrite x{"x", ElementType::kF32, {4}, bytes};
  const Digest base = Fingerprint("{}", {x});
  EXPECT_EQ(base, Fingerprint("{}", {x}));
  EXPECT_NE(base, Fingerprint("{ }", {x}));
  EXPECT_NE(base, Fingerprint("{}", {{"y", ElementType::kF32, {4}, bytes}}));
  EXPECT_NE(base, Fingerprint("{}", {{"x", ElementType::kU32, {4}, bytes}}));
  EXPECT_NE(base, Fingerprint("{}", {{"x", ElementType::kF32, {2, 2}, bytes}}));
  EXPECT_NE(base,
            Fingerprint("{}", {{"x", ElementType::kF32, {4}, std::as_bytes(std::span(others))}}));
  EXPECT_NE(base, Fingerprint("{}", {x, {"y", ElementType::kF32, {0}, {}}}));
}

TEST(Fingerprint, FollowsItsDefinition) {
  const std::vector<float> values = {1, 2};
  const ByteSpan bytes = std::as_bytes(std::span(values));
  Hasher expected;
  expected.UpdateField("statelib checkpoint 1").Update(HashOf(AsBytes("{}")).bytes).UpdateU64(1);
  expected.UpdateField("x").UpdateField("F32").UpdateU64(1).UpdateU64(2);
  expected.Update(HashOf(HashOf(bytes).bytes).bytes);
  EXPECT_EQ(Fingerprint("{}", {{"x", ElementType::kF32, {2}, bytes}}), expected.Finish());
}

TEST(Fingerprint, DoesNotDependOnTheNumberOfThreads) {
  Bytes large(2 * kPiece + 5);  // three pieces
  for (size_t i = 0; i < large.size(); i += 4093) large[i] = static_cast<std::byte>(i);
  const std::vector<TensorToWrite> entries = {
      {"large", ElementType::kU8, {static_cast<int64_t>(large.size())}, large},
      {"piece", ElementType::kU8, {static_cast<int64_t>(kPiece)}, ByteSpan(large).first(kPiece)}};
  const Digest one = Fingerprint("{}", entries, 1);
  EXPECT_EQ(one, Fingerprint("{}", entries, 2));
  EXPECT_EQ(one, Fingerprint("{}", entries, 7));
  large.back() ^= std::byte{1};
  EXPECT_NE(one, Fingerprint("{}", entries));
}

TEST(Fingerprint, StopsWhenItIsCancelled) {
  const auto model_files =
      ModelFiles::Open(std::filesystem::path(STATELIB_SOURCE_DIR) / "tests/golden/mamba");
  CancelFlag cancel;
  cancel.Cancel();
  ExpectError(ErrorKind::kCancelled, {}, [&] { FingerprintOf(*model_files, 0, &cancel); });
}

}  // namespace
}  // namespace statelib::model_files
