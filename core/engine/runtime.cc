// SPDX-License-Identifier: Apache-2.0
#include "core/engine/runtime.h"

#include <algorithm>
#include <stdexcept>

#include "core/checkpoint/fingerprint.h"
#include "kernels/backends.h"
#include "kernels/profile.h"

namespace statelib::engine {

namespace {

// Weights of a batched head are read once for this many sequences.
constexpr size_t kLogitsRowsMax = 64;
// Segments begin on cache lines.
constexpr size_t kSegmentFloats = 16;

std::unique_ptr<kernels::Backend> MakeBackend(const RuntimeOptions& options) {
  if (options.backend == "reference") return kernels::MakeReferenceBackend();
  if (options.backend == "cpu") {
    try {
      return kernels::MakeCpuBackend(options.threads, options.cpu_target);
    } catch (const std::invalid_argument& error) {
      throw Error(ErrorKind::kInvalidArgument, error.what());
    }
  }
  Throw(ErrorKind::kInvalidArgument, "backend: expected cpu or reference, found \"{}\"",
        options.backend);
}

size_t RoundUp(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

std::unique_ptr<Runtime> Runtime::OpenWithoutTokenizer(const std::filesystem::path& model_directory,
                                                       const RuntimeOptions& options) {
  std::unique_ptr<Runtime> runtime(new Runtime());
  runtime->backend_ = MakeBackend(options);
  runtime->checkpoint_ = checkpoint::Checkpoint::Open(model_directory);
  runtime->model_ = model::LoadModel(*runtime->checkpoint_, *runtime->backend_);
  for (const SegmentSpec& segment : runtime->state_spec()) {
    runtime->state_floats_ += RoundUp(segment.elements(), kSegmentFloats);
  }
  return runtime;
}

std::string Runtime::profile() const {
  const auto tensors = checkpoint_->tensors().all();
  const bool has_blocks = std::ranges::any_of(
      tensors, [](const auto& tensor) { return checkpoint::IsBlockType(tensor.type); });
  return kernels::ProfileOf(kernels::WeightFormat::kStored, has_blocks);
}

std::unique_ptr<Runtime> Runtime::Open(const std::filesystem::path& model_directory,
                                       const RuntimeOptions& options) {
  std::unique_ptr<Runtime> runtime = OpenWithoutTokenizer(model_directory, options);
  FoundTokenizer found =
      FindTokenizer(*runtime->checkpoint_, runtime->info().vocabulary_size, options.tokenizer);
  runtime->tokenizer_ = std::move(found.tokenizer);
  runtime->tokenizer_path_ = std::move(found.path);
  return runtime;
}

std::unique_ptr<tokenizer::Tokenizer> Runtime::OpenTokenizer(
    const std::filesystem::path& model_directory, const TokenizerPlaces& places) {
  if (!places.given.empty()) return tokenizer::Tokenizer::Load(places.given);
  std::error_code ignored;
  const std::filesystem::path beside = model_directory / "tokenizer.json";
  if (std::filesystem::exists(beside, ignored)) return tokenizer::Tokenizer::Load(beside);
  RuntimeOptions options;
  options.tokenizer = places;
  return std::move(Open(model_directory, options)->tokenizer_);
}

Digest Runtime::ComputeFingerprint(const CancelFlag* cancel) const {
  const Digest weights = checkpoint::FingerprintOf(*checkpoint_, 0, cancel);
  Hasher hasher;
  hasher.UpdateField("statelib model 1").Update(weights.bytes);
  if (tokenizer_) hasher.Update(tokenizer_->fingerprint().bytes);
  return hasher.Finish();
}

State Runtime::Empty() {
  State state;
  state.memory_ = backend_->Allocate(state_floats_);
  backend_->Zero(state.memory_.data(), state_floats_);
  size_t offset = 0;
  for (const SegmentSpec& segment : state_spec()) {
    state.segments_.push_back(state.memory_.data() + offset);
    offset += RoundUp(segment.elements(), kSegmentFloats);
  }
  return state;
}

State Runtime::Clone(const State& state) {
  State copy = Empty();
  backend_->Copy(state.memory_.data(), copy.memory_.data(), state_floats_);
  copy.history_ = state.history_;
  return copy;
}

State Runtime::Restore(const History& history, std::span<const ByteSpan> segments) {
  const StateSpec& spec = state_spec();
  if (segments.size() != spec.size()) {
    Throw(ErrorKind::kMismatch, "[restore] expected {} segments, as the model has, found {}",
          spec.size(), segments.size());
  }
  State state = Empty();
  std::vector<float> values;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (segments[i].size() != spec[i].bytes()) {
      Throw(ErrorKind::kMismatch, "[restore] {}: expected {} bytes, found {}", spec[i].Label(),
            spec[i].bytes(), segments[i].size());
    }
    values.resize(spec[i].elements());
    std::memcpy(values.data(), segments[i].data(), segments[i].size());
    backend_->Upload(values, state.segments_[i]);
  }
  state.history_ = history;
  return state;
}

std::vector<Bytes> Runtime::Snapshot(const State& state) {
  const StateSpec& spec = state_spec();
  std::vector<Bytes> segments(spec.size());
  std::vector<float> values;
  for (size_t i = 0; i < spec.size(); ++i) {
    values.resize(spec[i].elements());
    backend_->Download(state.segments_[i], values);
    const ByteSpan bytes = std::as_bytes(std::span(values));
    segments[i].assign(bytes.begin(), bytes.end());
  }
  return segments;
}

void Runtime::Advance(std::span<const Advancing> sequences, const AdvanceControl& control) {
  for (const Advancing& sequence : sequences) {
    for (const TokenId token : sequence.tokens) {
      if (token >= 0 && token < info().vocabulary_size) continue;
      Throw(ErrorKind::kInvalidArgument, "[advance] token: expected 0 to {}, found {}",
            info().vocabulary_size - 1, token);
    }
  }
  std::vector<Advancing> waiting;
  for (const Advancing& sequence : sequences) {
    if (!sequence.tokens.empty()) waiting.push_back(sequence);
  }
  uint64_t tokens_done = 0;
  while (!waiting.empty()) {
    if (control.cancel != nullptr) control.cancel->Check();
    // Equal shares of a step's rows; the first sequences go ahead when there are more sequences
    // than rows.
    const size_t active = std::min(waiting.size(), model::Model::rows_max);
    const size_t share = model::Model::rows_max / active;
    std::vector<model::SequenceInput> batch;
    for (size_t i = 0; i < active; ++i) {
      const auto tokens = waiting[i].tokens.first(std::min(share, waiting[i].tokens.size()));
      batch.push_back({tokens, waiting[i].state->segments_});
    }
    model_->Advance(batch);
    for (size_t i = 0; i < active; ++i) {
      waiting[i].state->history_.Append(batch[i].tokens);
      waiting[i].tokens = waiting[i].tokens.subspan(batch[i].tokens.size());
      tokens_done += batch[i].tokens.size();
    }
    std::erase_if(waiting, [](const Advancing& sequence) { return sequence.tokens.empty(); });
    if (control.on_progress) control.on_progress(tokens_done);
  }
}

void Runtime::Advance(State& state, std::span<const TokenId> tokens,
                      const AdvanceControl& control) {
  const Advancing one{&state, tokens};
  Advance(std::span(&one, 1), control);
}

std::vector<float> Runtime::Logits(std::span<const State* const> states) {
  const auto vocabulary = static_cast<size_t>(info().vocabulary_size),
             hidden = static_cast<size_t>(info().hidden_size);
  std::vector<float> logits(states.size() * vocabulary);
  const size_t rows_max = std::min(states.size(), kLogitsRowsMax);
  kernels::Buffer inputs = backend_->Allocate(rows_max * hidden),
                  outputs = backend_->Allocate(rows_max * vocabulary);
  for (size_t first = 0; first < states.size(); first += rows_max) {
    const size_t rows = std::min(rows_max, states.size() - first);
    for (size_t i = 0; i < rows; ++i) {
      const State& state = *states[first + i];
      if (state.token_count() == 0) {
        throw Error(ErrorKind::kInvalidArgument,
                    "the state has read nothing, so nothing can follow: give a prompt");
      }
      backend_->Copy(state.segments_.back(), inputs.data() + i * hidden, hidden);
    }
    model_->Logits(kernels::Rows{inputs.data(), rows, hidden, hidden},
                   {outputs.data(), rows, vocabulary, vocabulary});
    backend_->Download(outputs.data(),
                       std::span(logits).subspan(first * vocabulary, rows * vocabulary));
  }
  return logits;
}

std::vector<float> Runtime::Logits(const State& state) {
  const State* const one = &state;
  return Logits(std::span(&one, 1));
}

}  // namespace statelib::engine
