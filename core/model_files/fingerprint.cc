// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/fingerprint.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace statelib::model_files {

namespace {

// Pieces make one large tensor work for several threads. The size is part of the result.
constexpr size_t kPieceBytes = size_t{16} << 20;
constexpr size_t kThreadsMax = 64;

std::vector<ByteSpan> PiecesOf(const TensorTable& tensors) {
  std::vector<ByteSpan> pieces;
  for (const TensorRef& tensor : tensors.all()) {
    for (ByteSpan rest = tensor.bytes; !rest.empty();) {
      const size_t taken = std::min(rest.size(), kPieceBytes);
      pieces.push_back(rest.first(taken));
      rest = rest.subspan(taken);
    }
  }
  return pieces;
}

std::vector<Digest> HashesOf(const ModelFiles& model_files, const std::vector<ByteSpan>& pieces,
                             size_t threads, const CancelFlag* cancel,
                             const HashProgress& on_progress) {
  std::vector<Digest> digests(pieces.size());
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> bytes_done{0};
  const uint64_t bytes_total = model_files.tensors().total_bytes();
  const auto work = [&](const HashProgress& report) {
    for (size_t i = next++; i < pieces.size(); i = next++) {
      if (cancel != nullptr && cancel->cancelled()) return;
      digests[i] = HashOf(pieces[i]);
      model_files.Forget(pieces[i]);
      bytes_done += pieces[i].size();
      if (report) report(bytes_done, bytes_total);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 1; i < std::min(threads, pieces.size()); ++i)
      helpers.emplace_back(work, HashProgress());
    work(on_progress);
  }
  if (cancel != nullptr) cancel->Check();
  if (on_progress)
    on_progress(bytes_total, bytes_total);  // the helpers may have had the last pieces
  return digests;
}

size_t ThreadsFor(size_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  return std::min(threads, kThreadsMax);
}

}  // namespace

Digest FingerprintOf(const ModelFiles& model_files, size_t threads, const CancelFlag* cancel,
                     const HashProgress& on_progress) {
  const TensorTable& tensors = model_files.tensors();
  const std::vector<Digest> pieces =
      HashesOf(model_files, PiecesOf(tensors), ThreadsFor(threads), cancel, on_progress);
  Hasher result;
  result.UpdateField("statelib checkpoint 1");
  result.Update(HashOf(model_files.config_bytes()).bytes);
  result.UpdateU64(tensors.all().size());
  auto piece = pieces.begin();
  for (const TensorRef& tensor : tensors.all()) {
    Hasher whole;
    for (size_t done = 0; done < tensor.bytes.size(); done += kPieceBytes) {
      whole.Update((piece++)->bytes);
    }
    result.UpdateField(tensor.name).UpdateField(NameOf(tensor.type));
    result.UpdateU64(tensor.shape.size());
    for (const int64_t axis : tensor.shape) result.UpdateU64(static_cast<uint64_t>(axis));
    result.Update(whole.Finish().bytes);
  }
  return result.Finish();
}

}  // namespace statelib::model_files
