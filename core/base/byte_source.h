// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_BYTE_SOURCE_H_
#define STATELIB_CORE_BASE_BYTE_SOURCE_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/digest.h"

namespace statelib {

/// Bytes that are read by ranges, wherever they lie, so that nobody needs all of them in memory.
/// Thread-compatible.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual uint64_t size() const = 0;
  /// Fills `out` from place `from` on; all of it must be there. Errors: kIo.
  virtual void Read(uint64_t from, std::span<std::byte> out) const = 0;
  /// `count` bytes from `from` on, all of which must be there: where they lie, if that is memory,
  /// else in `buffer`. Valid as long as both. Errors: those of Read.
  virtual ByteSpan View(uint64_t from, uint64_t count, Bytes* buffer) const;

  /// Calls back with one block after the other, of a megabyte at most. Errors: those of Read; what
  /// `visit` throws.
  void ForEachBlock(const std::function<void(ByteSpan block)>& visit) const;
};

/// Bytes in memory, whose views are no copies.
class MemorySource : public ByteSource {
 public:
  /// Of bytes that outlive it.
  explicit MemorySource(ByteSpan bytes) : bytes_(bytes) {}
  MemorySource(const MemorySource&) = delete;
  MemorySource& operator=(const MemorySource&) = delete;
  /// Of bytes of its own.
  static std::unique_ptr<MemorySource> Keep(Bytes bytes);

  uint64_t size() const override { return bytes_.size(); }
  void Read(uint64_t from, std::span<std::byte> out) const override;
  ByteSpan View(uint64_t from, uint64_t count, Bytes* buffer) const override;

 private:
  Bytes kept_;
  ByteSpan bytes_;
};

/// A regular file that is open to be read, as long as it was when it was opened. Move-only.
class FileSource : public ByteSource {
 public:
  /// Errors: kNotFound, kIo; kInvalidArgument when the path is not a regular file.
  static FileSource Open(const std::filesystem::path& path);

  FileSource(FileSource&& other) noexcept;
  FileSource& operator=(FileSource&& other) = delete;
  ~FileSource() override;

  uint64_t size() const override { return size_; }
  void Read(uint64_t from, std::span<std::byte> out) const override;
  int descriptor() const { return file_; }  ///< open as long as this object

 private:
  FileSource(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_ = -1;
  uint64_t size_ = 0;
};

/// A range of another source, which outlives it. A value.
class SourcePart : public ByteSource {
 public:
  SourcePart(const ByteSource& whole, uint64_t from, uint64_t size)
      : whole_(&whole), from_(from), size_(size) {}
  explicit SourcePart(const ByteSource& whole) : SourcePart(whole, 0, whole.size()) {}

  uint64_t size() const override { return size_; }
  void Read(uint64_t from, std::span<std::byte> out) const override {
    whole_->Read(from_ + from, out);
  }
  ByteSpan View(uint64_t from, uint64_t count, Bytes* buffer) const override {
    return whole_->View(from_ + from, count, buffer);
  }

 private:
  const ByteSource* whole_;
  uint64_t from_;
  uint64_t size_;
};

/// Bytes in memory and, behind them, those of another source from a place on.
class HeadedSource : public ByteSource {
 public:
  HeadedSource(Bytes head, std::unique_ptr<const ByteSource> rest, uint64_t from)
      : head_(std::move(head)), rest_(std::move(rest)), from_(from) {}

  uint64_t size() const override { return head_.size() + rest_->size() - from_; }
  void Read(uint64_t from, std::span<std::byte> out) const override;

 private:
  Bytes head_;
  std::unique_ptr<const ByteSource> rest_;
  uint64_t from_;
};

/// The hash of all of it, read in blocks. Errors: those of ByteSource::Read.
Digest HashOf(const ByteSource& source);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_BYTE_SOURCE_H_
