// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXPERTS_H_
#define STATELIB_KERNELS_EXPERTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/matrix.h"
#include "kernels/operations.h"

namespace statelib::kernels {

/// Which experts compute for which rows of a pass: rows * chosen places, by expert, those of one
/// expert by row. So each expert's weights are read once a pass. In the backend's memory.
struct ExpertPlaces {
  int32_t* first = nullptr;  ///< [experts + 1]: expert e has the places first[e] to first[e + 1]
  int32_t* rows = nullptr;   ///< [places]: the row that each place is of
  float* shares = nullptr;   ///< [places]: what the expert's output counts in that row's sum
  size_t experts = 0;
  size_t chosen = 0;  ///< experts a row, at most `experts`
};

/// A product with the matrix of each place's expert.
struct ExpertProductArgs {
  std::span<const Matrix* const> matrices;  ///< [experts], of one shape
  const ExpertPlaces& places;
  /// [rows, inputs], of which place p reads its row; or, with x_by_place, [places, inputs].
  ConstRows x;
  bool x_by_place;
  Epilogue epilogue;
  Rows out;  ///< [places, outputs]; not x
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_EXPERTS_H_
