// SPDX-License-Identifier: Apache-2.0
// What a backend answers that lacks an operation.
#include "kernels/backend.h"

namespace statelib::kernels {

namespace {

[[noreturn]] void Lacks(const Backend& backend, Operation operation) {
  throw DeviceError(DeviceError::Kind::kUnsupported, std::string("[") + backend.name() + "] " +
                                                         InfoOf(operation).name +
                                                         ": this backend does not compute them");
}

/// A transfer that was over when it began.
class NoTransfer : public Transfer {
 public:
  void Wait() override {}
};

}  // namespace

std::unique_ptr<Transfer> Backend::BeginDownload(const std::byte* from,
                                                 std::span<std::byte> to_host) {
  DownloadBytes(from, to_host);
  return std::make_unique<NoTransfer>();
}

std::unique_ptr<Matrix> Backend::Map(const MatrixDescription&, std::span<const std::byte>) {
  throw DeviceError(DeviceError::Kind::kUnsupported,
                    "[map] " + name() + " has no packed layout: pack the weights");
}

void Backend::Gate(ConstRows, ConstRows, Rows) { Lacks(*this, Operation::kElementwise); }

void Backend::AddScaled(ConstRows, float, Rows) { Lacks(*this, Operation::kElementwise); }

void Backend::LayerNorm(ConstRows, const float*, const float*, float, Rows) {
  Lacks(*this, Operation::kLayerNorm);
}

void Backend::Attention(const AttentionArgs&) { Lacks(*this, Operation::kAttention); }

void Backend::Route(ConstRows, const ExpertPlaces&) { Lacks(*this, Operation::kExperts); }

void Backend::MatMulByExpert(const ExpertProductArgs&) { Lacks(*this, Operation::kExperts); }

void Backend::SumExperts(ConstRows, const ExpertPlaces&, Rows) {
  Lacks(*this, Operation::kExperts);
}

void Backend::TimeSteps(const Mamba2ScanArgs&, Rows) { Lacks(*this, Operation::kStepTrace); }

void Backend::Decays(ConstRows, const float*, size_t, Rows) { Lacks(*this, Operation::kStepTrace); }

}  // namespace statelib::kernels
