// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_SPOOL_H_
#define STATELIB_CORE_BASE_SPOOL_H_

#include <algorithm>
#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/byte_source.h"
#include "core/base/bytes.h"
#include "core/base/digest.h"

namespace statelib {

/// Bytes that are collected once and read often: few in memory, many in a file without a name in
/// the folder for temporary files, so they take no memory. One thread appends, then several read.
class ByteSpool : public ByteSource {
 public:
  static constexpr uint64_t kMemoryBytesMax = uint64_t{64} << 10;

  ByteSpool() = default;
  ByteSpool(const ByteSpool&) = delete;
  ByteSpool& operator=(const ByteSpool&) = delete;
  ~ByteSpool() override;

  uint64_t size() const override { return stored_ + held_.size(); }
  /// Errors: kIo, with the folder and how to choose another one.
  void Append(ByteSpan bytes);
  void Read(uint64_t from, std::span<std::byte> out) const override;

 private:
  void Store();

  Bytes held_;           // the last bytes
  uint64_t stored_ = 0;  // bytes in the file
  int file_ = -1;
};

/// A run of plain values that lie in memory, which outlives it, or in a spool, which it shares.
/// Copies are cheap. One thread has each; of one spool, several may read.
template <typename T>
requires std::is_trivially_copyable_v<T>
class RunOf {
 public:
  /// How many values a reader sees at once at most.
  static constexpr size_t kPieceMax = (size_t{64} << 10) / sizeof(T);

  RunOf() = default;
  template <typename Source>
  requires(std::convertible_to<const Source&, std::span<const T>> && !std::is_array_v<Source>)
      RunOf(const Source& values)  // NOLINT(google-explicit-constructor): a view
      : memory_(values), size_(std::span<const T>(values).size()) {}

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// `count` values from `from` on, clamped to what is there.
  RunOf Part(uint64_t from, uint64_t count = UINT64_MAX) const {
    RunOf part = *this;
    from = std::min(from, size_);
    part.size_ = std::min(count, size_ - from);
    if (spool_)
      part.from_ = from_ + from;
    else
      part.memory_ = memory_.subspan(from, part.size_);
    return part;
  }
  RunOf First(uint64_t count) const { return Part(0, count); }
  RunOf Last(uint64_t count) const { return Part(size_ - std::min(count, size_)); }

  /// Calls back with one piece after the other. Errors: kIo; what `visit` throws.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    if (!spool_) {
      if (!memory_.empty()) visit(memory_);
      return;
    }
    std::vector<T> piece;
    for (uint64_t done = 0; done < size_; done += piece.size()) {
      piece.resize(std::min<uint64_t>(kPieceMax, size_ - done));
      spool_->Read((from_ + done) * sizeof(T), std::as_writable_bytes(std::span(piece)));
      visit(std::span<const T>(piece));
    }
  }

  /// All of it in memory. Errors: kIo.
  std::vector<T> Values() const {
    std::vector<T> values;
    values.reserve(size_);
    ForEach(
        [&](std::span<const T> piece) { values.insert(values.end(), piece.begin(), piece.end()); });
    return values;
  }

 private:
  template <typename>
  friend class Spool;

  std::span<const T> memory_;
  std::shared_ptr<const ByteSpool> spool_;  // null: they lie in memory
  uint64_t from_ = 0;                       // in the spool
  uint64_t size_ = 0;
};

/// Collects values and hands out runs of them, which stay valid. One thread. Errors: those of
/// ByteSpool.
template <typename T>
class Spool {
 public:
  uint64_t size() const { return bytes_->size() / sizeof(T); }
  void Append(std::span<const T> values) { bytes_->Append(std::as_bytes(values)); }
  /// What is there now.
  RunOf<T> All() const {
    RunOf<T> run;
    run.spool_ = bytes_;
    run.size_ = size();
    return run;
  }

 private:
  std::shared_ptr<ByteSpool> bytes_ = std::make_shared<ByteSpool>();
};

/// A text of its own, which copies share. One thread. Errors: those of ByteSpool.
class Text : public RunOf<char> {
 public:
  Text() = default;
  template <typename Source>
  requires std::convertible_to<const Source&, std::string_view> Text(
      const Source& text)  // NOLINT(google-explicit-constructor): takes what a text is made of
      : RunOf(Kept(text)) {}
  explicit Text(const RunOf<char>& spooled) : RunOf(spooled) {}  ///< of a spool, shared with it

 private:
  static RunOf<char> Kept(std::string_view text) {
    Spool<char> spool;
    spool.Append(text);
    return spool.All();
  }
};

Digest HashOfText(const RunOf<char>& text);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_SPOOL_H_
