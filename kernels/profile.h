// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_PROFILE_H_
#define STATELIB_KERNELS_PROFILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "kernels/dtype.h"
#include "kernels/optional_operation.h"
#include "kernels/weight_type.h"

namespace statelib::kernels {

/// What fixes the bits of a state, as a name:
///
///   ARITHMETIC[-DEVICE]-rN [.FAMILYrN]... [.kv-DTYPE] [+MARK]... [~]
///
///   exact-f32-r1                    products, Mamba and Mamba-2, in f32
///   bf16-sm90-r1                    the same in bf16, in an order that one generation of cards has
///   exact-f32-r1.attnr1.kv-bf16     with attention, whose keys and values are held as bf16
///   exact-f32-r1+int8               of values that went through a lossy codec
///   exact-f32-r1~                   begun under another profile, and continued under this one
///
/// N is a revision: any change of an order of operations or of a polynomial increases that of what
/// it touches, for states of another revision can no longer be proved. Each family of operations
/// beyond products and Mamba has its own, so that a new order in attention leaves the states of
/// models without attention valid. Families stand in alphabetical order.
///
/// A backend says the part before the marks (Backend::ProfileOf); storage adds marks ("int8",
/// "edited"); the engine says that a state was continued.
struct Profile {
  std::string base;                ///< what computes: all before the marks
  std::vector<std::string> marks;  ///< in the order in which they came
  bool continued = false;

  /// Takes any text apart, for a state of an unknown profile is listed too. Parse(x).Name() == x.
  static Profile Parse(std::string_view name);
  std::string Name() const;
  bool HasMark(std::string_view mark) const;

  bool operator==(const Profile&) const = default;
};

/// What a model asks of a backend, as far as it fixes bits.
struct ProfileRequest {
  WeightFormat format = WeightFormat::kStored;
  bool has_blocks = false;  ///< the model's files hold tensors of block types
  DType keys_and_values = DType::kF32;
  std::vector<Operation> operations = {};  ///< that it needs beyond those of every backend
};

/// The base of a profile: `arithmetic` ("exact-f32-r1" or another name with its revision), the
/// families of the request's operations and the type of keys and values.
std::string BaseProfile(std::string_view arithmetic, const ProfileRequest& request);

/// The profile in which a host-memory backend computes a request. Every sum and every function of
/// it is a fixed sequence of IEEE operations, so that the bits do not depend on instruction set,
/// thread count or batch (README.md).
std::string HostProfile(const ProfileRequest& request);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_PROFILE_H_
