// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_MEMORY_H_
#define STATELIB_KERNELS_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/check.h"
#include "kernels/dtype.h"
#include "kernels/host_device.h"

namespace statelib::kernels {

template <typename T>
inline constexpr DType kDTypeOf = DType::kF32;
template <>
inline constexpr DType kDTypeOf<int32_t> = DType::kI32;

/// Elements of one type in a backend's memory, aligned to 64 bytes. Move-only. Only the backend
/// reads what it points at.
class Buffer {
 public:
  using Release = void (*)(std::byte*);

  Buffer() : data_(nullptr, [](std::byte*) {}) {}
  Buffer(std::byte* data, size_t bytes, DType dtype, Release release)
      : data_(data, release), bytes_(bytes), dtype_(dtype) {}

  std::byte* bytes() { return data_.get(); }
  const std::byte* bytes() const { return data_.get(); }
  size_t size_bytes() const { return bytes_; }
  DType dtype() const { return dtype_; }

  /// The elements, whose type must be the buffer's (checked).
  template <typename T = float>
  T* data() {
    STATELIB_CHECK(bytes_ == 0 || dtype_ == kDTypeOf<T>);
    return reinterpret_cast<T*>(data_.get());
  }
  template <typename T = float>
  const T* data() const {
    return const_cast<Buffer*>(this)->data<T>();
  }
  size_t size() const { return bytes_ / SizeOf(dtype_); }  ///< in elements

 private:
  std::unique_ptr<std::byte, Release> data_;
  size_t bytes_ = 0;
  DType dtype_ = DType::kF32;
};

/// Activations in a backend's memory: element i of row t is number t * stride + i of `data`.
struct Rows {
  Rows() = default;
  Rows(float* f32_data, size_t r, size_t c, size_t s)
      : data(f32_data), rows(r), cols(c), stride(s) {}
  Rows(void* d, DType type, size_t r, size_t c, size_t s)
      : data(d), dtype(type), rows(r), cols(c), stride(s) {}

  STATELIB_HOST_DEVICE float* f32() const {
    return static_cast<float*>(data);
  }  ///< of rows of kF32
  Rows Columns(size_t first, size_t count) const {
    return {static_cast<std::byte*>(data) + first * SizeOf(dtype), dtype, rows, count, stride};
  }

  void* data = nullptr;
  DType dtype = DType::kF32;
  size_t rows = 0;
  size_t cols = 0;
  size_t stride = 0;  ///< in elements, at least cols
};

struct ConstRows {
  ConstRows() = default;
  ConstRows(const float* f32_data, size_t r, size_t c, size_t s)
      : data(f32_data), rows(r), cols(c), stride(s) {}
  ConstRows(const Rows& rows_in)  // NOLINT(google-explicit-constructor): a view that only reads
      : data(rows_in.data),
        dtype(rows_in.dtype),
        rows(rows_in.rows),
        cols(rows_in.cols),
        stride(rows_in.stride) {}

  STATELIB_HOST_DEVICE const float* f32() const {
    return static_cast<const float*>(data);
  }  ///< of rows of kF32

  const void* data = nullptr;
  DType dtype = DType::kF32;
  size_t rows = 0;
  size_t cols = 0;
  size_t stride = 0;
};

/// One sequence of a pass: which of the pass's rows are its own, and where its state lies. The
/// state is advanced in place, as a rule to what it is after the last row.
///
/// A guess can be taken back: rows whose tokens may turn out wrong leave the state as it is, and
/// each operation with a state keeps what it takes of them (its Args say what) in the sequence's
/// room. The next pass first runs over those that were right. So the state becomes that after the
/// kept rows and all rows but the last `open_rows`; the outputs of all rows are as ever.
struct SequenceEntry {
  uint32_t first_row = 0;
  uint32_t row_count = 0;     ///< at least 1
  uint64_t position = 0;      ///< how many tokens it has read before its first row, kept ones too
  std::byte* slot = nullptr;  ///< its fixed segments, in the backend's memory, aligned to 64
  /// Its pages, in the backend's memory: those of group g begin at g * page_stride of the table,
  /// page p of a group holds what the tokens from p * kPageTokens on left. Null: a page that no row
  /// reaches any more.
  std::byte* const* pages = nullptr;
  uint32_t open_rows = 0;  ///< of row_count, at most SequenceTable::kept_rows_max
  uint32_t kept_rows = 0;  ///< kept by the pass before, to be run over first; at most as many
  const std::byte* kept_before = nullptr;  ///< the room of the pass before; null: none is kept
  std::byte* kept = nullptr;               ///< the room of this one, apart from that; null likewise
};

/// How many tokens of keys and values share a page.
inline constexpr size_t kPageTokens = 256;

/// The sequences of a pass. The entries lie in the backend's memory, so that what an operation is
/// called with stays the same when the sequences change.
struct SequenceTable {
  const SequenceEntry* entries = nullptr;  // [count]
  size_t count = 0;
  size_t rows = 0;           ///< of all sequences
  size_t rows_longest = 0;   ///< of the one with the most
  size_t page_stride = 0;    ///< pages that each group of a sequence has room for
  size_t kept_rows_max = 0;  ///< W, that each sequence has room for
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_MEMORY_H_
