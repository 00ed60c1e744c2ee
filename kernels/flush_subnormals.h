// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_FLUSH_SUBNORMALS_H_
#define STATELIB_KERNELS_FLUSH_SUBNORMALS_H_

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace statelib::kernels {

/// While it lives, this thread's f32 operations take subnormal inputs as zeros and give zeros for
/// subnormal results, as the processors' own bf16 products always do.
class FlushSubnormals {
 public:
  FlushSubnormals() { Write(before_ | kFlush); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
  ~FlushSubnormals() { Write(before_); }

 private:
#if defined(__x86_64__)
  using Register = uint32_t;
  static constexpr Register kFlush = 0x8040;  // FTZ and DAZ
  static Register Read() { return _mm_getcsr(); }
  static void Write(Register value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Register = uint64_t;
  static constexpr Register kFlush = Register{1} << 24;  // FZ
  static Register Read() {
    Register value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void Write(Register value) { asm volatile("msr fpcr, %0" : : "r"(value) : "memory"); }
#else
#error "how does this processor flush subnormals?"
#endif

  const Register before_ = Read();
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_FLUSH_SUBNORMALS_H_
