// SPDX-License-Identifier: Apache-2.0
// Mamba-1's scan over many rows. Only s = a * s + b waits for the token before; a, b and what
// follows from s do not. So eight channels with 16 states each, one warp's worth, are given to a
// ring of warps that take tiles of tokens in turn: a warp computes the a and b of its tile ahead,
// takes the states over from the warp before it, runs the chain of one multiply-add a token, hands
// the states on and then computes y. Rings of a block spread over the schedulers of a
// multiprocessor evenly, whatever the number of channels.
//
// A lane holds four states of one channel. The copy engine brings x, z, dt, B and C of a round (a
// tile of each warp of a ring) for all rings of a block, some rounds ahead; the rings take turns in
// asking for it and in widening B and C to f32 for all. Traffic: x, dt, z read and y written once;
// B and C once a block, from the second cache; the state once a call.
#include <algorithm>

#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba1_ring_warp.cuh"

namespace statelib::kernels::cuda {

namespace {

template <typename R, bool kSoftplusToo>
__global__ void __launch_bounds__(R::kThreads, 1)
    Mamba1RowsKernel(const __grid_constant__ Mamba1Operands args,
                     const __grid_constant__ RoundBoxes boxes) {
  extern __shared__ __align__(128) float4 shared_memory[];
  auto* const memory = reinterpret_cast<std::byte*>(shared_memory);
  if (args.sequences[blockIdx.y].row_count == 0) return;
  const unsigned groups = min(R::kGroups, args.channels / kGroupChannels - blockIdx.x * R::kGroups);
  const Shared barriers =
      static_cast<Shared>(__cvta_generic_to_shared(memory)) + R::Barriers(args.state_blocks);
  for (unsigned i = threadIdx.x; i < R::BarrierCount(args.state_blocks); i += R::kThreads) {
    const unsigned arrivals = i < R::kRounds       ? R::kCopyingWarps
                              : i < 2 * R::kRounds ? groups * R::kWarps
                                                   : 1;
    Barrier{barriers + i * Barrier::kBytes}.Init(arrivals);
  }
  FenceBarriers();
  __syncthreads();
  const unsigned warp = __shfl_sync(kAll, threadIdx.x / kWarp, 0), group = warp / R::kWarps;
  if (group >= groups) return;
  // Where a ring has a warp a scheduler, those of a scheduler stand at different places.
  const unsigned place = (warp + (R::kWarps == 4 ? group : 0)) % R::kWarps;
  RingWarp<R, kSoftplusToo>(args, boxes, memory, groups, group, place).Run();
}

template <typename R, bool kSoftplusToo>
void Launch(const Mamba1Operands& operands, const Mamba1ScanArgs& args) {
  constexpr auto kKernel = Mamba1RowsKernel<R, kSoftplusToo>;
  AllowSharedMemory<kKernel>(R::Bytes(R::kSixteen ? 1 : 16), "mamba-1 scan");
  const size_t groups = args.channels / kGroupChannels;
  constexpr unsigned kWidth = R::kGroups * kGroupChannels;
  const auto boxes_of = [&](const void* data, size_t stride, bool is_bf16, size_t columns,
                            unsigned width) {
    return BoxesOf(RowsToCopy{data, is_bf16, args.rows, columns, stride}, R::kRoundTokens, width);
  };
  RoundBoxes boxes{};
  boxes.x = boxes_of(args.x.data, args.x.stride, true, args.channels, kWidth);
  boxes.z = boxes_of(args.z.data, args.z.stride, true, args.channels, kWidth);
  boxes.dt = boxes_of(args.dt.data, args.dt.stride, false, args.channels, kWidth);
  if (R::kSixteen) {
    boxes.b = boxes_of(args.b.data, args.b.stride, true, args.states, kBlockStates);
    boxes.c = boxes_of(args.c.data, args.c.stride, true, args.states, kBlockStates);
  }
  const dim3 grid(GridX((groups + R::kGroups - 1) / R::kGroups), GridY(args.sequence_count));
  kKernel<<<grid, R::kThreads, R::Bytes(operands.state_blocks), args.stream>>>(operands, boxes);
  CheckCuda(cudaGetLastError(), "mamba-1 scan");
}
template <typename R>
void Launch(const Mamba1Operands& operands, const Mamba1ScanArgs& args) {
  args.dt_bias != nullptr ? Launch<R, true>(operands, args) : Launch<R, false>(operands, args);
}

/// The number of rings a block with which all blocks have run first; to begin and end a block costs
/// as much as half a ring.
unsigned RingsOfBlock(size_t groups, size_t sequences, size_t multiprocessors) {
  unsigned best = 1;
  double best_cost = 0;
  for (unsigned rings = 1; rings <= 5; ++rings) {
    const size_t blocks = (groups + rings - 1) / rings * sequences;
    const size_t waves = (blocks + multiprocessors - 1) / multiprocessors;
    const double cost = static_cast<double>(waves) * (rings + 0.5);
    if (rings == 1 || cost < best_cost) best = rings, best_cost = cost;
  }
  return best;
}

}  // namespace

void LaunchMamba1Rows(const Mamba1Operands& operands, const Mamba1ScanArgs& args) {
  if (args.states != kBlockStates) return Launch<Ring<8, 4, 4, false>>(operands, args);
  switch (RingsOfBlock(args.channels / kGroupChannels, args.sequence_count, args.multiprocessors)) {
    case 1:
      return Launch<Ring<16, 12, 1, true>>(operands, args);
    case 2:
      return Launch<Ring<8, 8, 2, true>>(operands, args);
    case 3:
      return Launch<Ring<8, 5, 3, true>>(operands, args);
    case 4:
      return Launch<Ring<8, 5, 4, true>>(operands, args);
    default:
      return Launch<Ring<8, 4, 5, true>>(operands, args);
  }
}

}  // namespace statelib::kernels::cuda
