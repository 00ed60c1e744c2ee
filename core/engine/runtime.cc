// SPDX-License-Identifier: Apache-2.0
#include "core/engine/runtime.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"
#include "core/model_files/fingerprint.h"

namespace statelib::engine {

using kernels::WeightFormat;

namespace {

// Weights of a batched head are read once for this many sequences.
constexpr size_t kLogitsRowsMax = 64;

}  // namespace

std::unique_ptr<Runtime> Runtime::OpenWithoutTokenizer(const std::filesystem::path& model_directory,
                                                       const RuntimeOptions& options) {
  std::unique_ptr<Runtime> runtime(new Runtime());
  runtime->backend_ = MakeBackend(options.backend);
  runtime->model_files_ = model_files::ModelFiles::Open(model_directory, options.config_facts);
  runtime->model_ = model::LoadModel(*runtime->model_files_, *runtime->backend_);
  model::Weights& weights = runtime->model_->weights();
  // A profile that this backend cannot have is refused where the state is loaded.
  const char* const needed = runtime->WeightChoiceFor(options.profile);
  weights.HoldAs(FormatOf(!options.weights.empty() ? options.weights.c_str()
                          : needed != nullptr      ? needed
                                                   : "auto"));
  if (runtime->profile().empty()) {
    Throw(ErrorKind::kUnsupported,
          "[{}] weights held as {}: this backend does not have them; take "
          "another one of {}",
          runtime->backend_name(), kernels::NameOf(weights.format()),
          fmt::join(WeightChoices(), ", "));
  }
  runtime->pool_ =
      std::make_unique<StatePool>(*runtime->backend_, runtime->model_->layout().slot_bytes());
  runtime->pass_ = std::make_unique<Pass>(*runtime->backend_);
  return runtime;
}

std::unique_ptr<Runtime> Runtime::Open(const std::filesystem::path& model_directory,
                                       const RuntimeOptions& options) {
  std::unique_ptr<Runtime> runtime = OpenWithoutTokenizer(model_directory, options);
  FoundTokenizer found =
      FindTokenizer(*runtime->model_files_, runtime->info().vocabulary_size, options.tokenizer);
  runtime->tokenizer_ = std::move(found.tokenizer);
  runtime->tokenizer_path_ = std::move(found.path);
  return runtime;
}

std::unique_ptr<tokenizer::Tokenizer> Runtime::OpenTokenizer(
    const std::filesystem::path& model_directory, const TokenizerPlaces& places) {
  if (!places.given.empty()) return std::move(OpenTokenizerFile(places).tokenizer);
  std::error_code ignored;
  const std::filesystem::path beside = model_directory / "tokenizer.json";
  if (std::filesystem::exists(beside, ignored)) return tokenizer::Tokenizer::Load(beside);
  RuntimeOptions options;
  options.tokenizer = places;
  return std::move(Open(model_directory, options)->tokenizer_);
}

kernels::ProfileRequest Runtime::profile_request() const {
  const model::Weights& weights = model_->weights();
  return {weights.format(), weights.has_blocks(), kernels::DType::kF32, info().operations};
}

std::string Runtime::profile() const { return backend_->ProfileOf(profile_request()); }

kernels::Arithmetic Runtime::arithmetic() const {
  const model::Weights& weights = model_->weights();
  switch (weights.format()) {
    case WeightFormat::kStored:
      return weights.has_blocks() ? kernels::Arithmetic::kInt8 : kernels::Arithmetic::kF32;
    case WeightFormat::kF32:
      return kernels::Arithmetic::kF32;
    case WeightFormat::kBF16:
      return kernels::Arithmetic::kBF16;
    case WeightFormat::kInt8:
    case WeightFormat::kInt4:
      return kernels::Arithmetic::kInt8;
  }
  return kernels::Arithmetic::kF32;
}

std::string Runtime::PackedWeightsName(const Digest& fingerprint) const {
  return fmt::format("{}-{}-{}.weights", fingerprint.Hex(),
                     kernels::NameOf(model_->weights().format()), backend_->packed_layout());
}

void Runtime::UsePackedWeights(const std::filesystem::path& folder, const Digest& fingerprint,
                               FileSystem* files, const CancelFlag* cancel,
                               const model_files::HashProgress& on_progress) {
  if (backend_->packed_layout().empty()) return;
  model::Weights& weights = model_->weights();
  const std::filesystem::path path = folder / PackedWeightsName(fingerprint);
  const Digest key = weights.PackedKey(fingerprint);
  const auto use = [&] {
    try {
      weights.UsePacked(path, key);
      return true;
    } catch (const Error&) {
      return false;  // none, or one that is not to be trusted: it is made anew
    }
  };
  if (use() || files == nullptr) return;
  try {
    weights.WritePacked(*files, path, key, cancel, on_progress);
    use();
  } catch (const Error& error) {
    // A full disk costs the time of packing at every start, and nothing else.
    if (error.kind() == ErrorKind::kCancelled) throw;
  }
}

Digest Runtime::ComputeFingerprint(const CancelFlag* cancel,
                                   const model_files::HashProgress& on_progress) const {
  const Digest weights = model_files::FingerprintOf(*model_files_, 0, cancel, on_progress);
  Hasher hasher;
  hasher.UpdateField("statelib model 1").Update(weights.bytes);
  if (tokenizer_) hasher.Update(tokenizer_->fingerprint().bytes);
  return hasher.Finish();
}

State Runtime::Empty() {
  State state(pool_->Take());
  backend_->ZeroBytes(state.slot_.data(), pool_->slot_bytes());
  return state;
}

State Runtime::Clone(const State& state) {
  State copy(pool_->Take());
  backend_->CopyBytes(state.slot_.data(), copy.slot_.data(), pool_->slot_bytes());
  copy.history_ = state.history_;
  return copy;
}

State Runtime::Restore(const History& history, std::span<const ByteSpan> segments) {
  const model::StateLayout& layout = model_->layout();
  const StateSpec& spec = layout.spec();
  if (segments.size() != spec.size()) {
    Throw(ErrorKind::kMismatch, "[restore] expected {} segments, as the model has, found {}",
          spec.size(), segments.size());
  }
  State state(pool_->Take());
  // Whole, in one transfer, where the backend's memory is not the host's.
  std::byte* const own = backend_->HostAddress(state.slot_.data());
  Bytes staged(own == nullptr ? layout.slot_bytes() : 0);
  std::byte* const to = own == nullptr ? staged.data() : own;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (segments[i].size() != spec[i].bytes()) {
      Throw(ErrorKind::kMismatch, "[restore] {}: expected {} bytes, found {}", spec[i].Label(),
            spec[i].bytes(), segments[i].size());
    }
    CopyBytes(segments[i], std::span(to + layout.OffsetOf(i), spec[i].bytes()));
  }
  if (own == nullptr) backend_->UploadBytes(staged, state.slot_.data());
  state.history_ = history;
  return state;
}

std::vector<Bytes> Runtime::Snapshot(const State& state) {
  const model::StateLayout& layout = model_->layout();
  const StateSpec& spec = layout.spec();
  const std::byte* from = backend_->HostAddress(const_cast<std::byte*>(state.slot_.data()));
  Bytes staged;
  if (from == nullptr) {
    staged.resize(layout.slot_bytes());
    backend_->DownloadBytes(state.slot_.data(), staged);
    from = staged.data();
  }
  std::vector<Bytes> segments;
  for (size_t i = 0; i < spec.size(); ++i) {
    const std::byte* const begin = from + layout.OffsetOf(i);
    segments.emplace_back(begin, begin + spec[i].bytes());
  }
  return segments;
}

void Runtime::CheckTokens(std::span<const TokenId> tokens) const {
  for (const TokenId token : tokens) {
    if (token >= 0 && token < info().vocabulary_size) continue;
    Throw(ErrorKind::kInvalidArgument, "[advance] token: expected 0 to {}, found {}",
          info().vocabulary_size - 1, token);
  }
}

void Runtime::Advance(std::span<const PrefillChunk> sequences, const AdvanceControl& control) {
  for (const PrefillChunk& sequence : sequences) CheckTokens(sequence.tokens);
  std::vector<PrefillChunk> waiting;
  for (const PrefillChunk& sequence : sequences) {
    if (!sequence.tokens.empty()) waiting.push_back(sequence);
  }
  uint64_t tokens_done = 0;
  while (!waiting.empty()) {
    if (control.cancel != nullptr) control.cancel->Check();
    // Equal shares of a step's rows; the first sequences go ahead when there are more sequences
    // than rows.
    const size_t active = std::min(waiting.size(), rows_max()), share = rows_max() / active;
    std::vector<Pass::Item> batch;
    for (size_t i = 0; i < active; ++i) {
      const auto tokens = waiting[i].tokens.first(std::min(share, waiting[i].tokens.size()));
      batch.push_back({waiting[i].state, tokens});
    }
    pass_->Set(batch);
    model_->Advance(pass_->tokens(), pass_->sequences());
    for (size_t i = 0; i < active; ++i) {
      waiting[i].state->history_.Append(batch[i].tokens);
      waiting[i].tokens = waiting[i].tokens.subspan(batch[i].tokens.size());
      tokens_done += batch[i].tokens.size();
    }
    std::erase_if(waiting, [](const PrefillChunk& sequence) { return sequence.tokens.empty(); });
    if (control.on_progress) control.on_progress(tokens_done);
  }
}

void Runtime::Advance(State& state, std::span<const TokenId> tokens,
                      const AdvanceControl& control) {
  const PrefillChunk one{&state, tokens};
  Advance(std::span(&one, 1), control);
}

void Runtime::AdvanceWithLogits(State& state, std::span<const TokenId> tokens,
                                const std::function<void(std::span<const float> logits)>& visit,
                                const CancelFlag* cancel) {
  CheckTokens(tokens);
  const auto vocabulary = static_cast<size_t>(info().vocabulary_size),
             width = static_cast<size_t>(info().hidden_size);
  const size_t rows_max = std::min({tokens.size(), kLogitsRowsMax, this->rows_max()});
  kernels::Buffer hidden = backend_->Allocate(rows_max * width),
                  outputs = backend_->Allocate(rows_max * vocabulary);
  std::vector<float> logits(rows_max * vocabulary);
  for (size_t first = 0; first < tokens.size(); first += rows_max) {
    if (cancel != nullptr) cancel->Check();
    const auto part = tokens.subspan(first, std::min(rows_max, tokens.size() - first));
    const kernels::Rows every{hidden.data(), part.size(), width, width};
    const Pass::Item item{&state, part};
    pass_->Set(std::span(&item, 1));
    model_->Advance(pass_->tokens(), pass_->sequences(), &every);
    state.history_.Append(part);
    model_->Logits(every, {outputs.data(), part.size(), vocabulary, vocabulary});
    const std::span<float> values(logits.data(), part.size() * vocabulary);
    backend_->Download(outputs.data(), values);
    for (size_t i = 0; i < part.size(); ++i) visit(values.subspan(i * vocabulary, vocabulary));
  }
}

void Runtime::VisitLogits(
    std::span<const State* const> states,
    const std::function<void(const kernels::Rows& logits, size_t first)>& visit) {
  const auto vocabulary = static_cast<size_t>(info().vocabulary_size),
             hidden = static_cast<size_t>(info().hidden_size);
  const size_t rows_max = std::min(states.size(), kLogitsRowsMax);
  kernels::Buffer inputs = backend_->Allocate(rows_max * hidden),
                  outputs = backend_->Allocate(rows_max * vocabulary);
  for (size_t first = 0; first < states.size(); first += rows_max) {
    const size_t rows = std::min(rows_max, states.size() - first);
    std::vector<Pass::Item> items;
    for (const State* const state : states.subspan(first, rows)) {
      if (state->is_empty()) {
        throw Error(ErrorKind::kInvalidArgument,
                    "the state has read nothing, so nothing can follow: give a prompt");
      }
      items.push_back({const_cast<State*>(state), {}});  // which is only read
    }
    pass_->Set(items);
    const kernels::Rows gathered{inputs.data(), rows, hidden, hidden};
    const model::StateLayout& layout = model_->layout();
    backend_->GatherState(pass_->sequences(), layout.OffsetOf(layout.spec().size() - 1), gathered);
    const kernels::Rows logits{outputs.data(), rows, vocabulary, vocabulary};
    model_->Logits(gathered, logits);
    visit(logits, first);
  }
}

std::vector<float> Runtime::Logits(std::span<const State* const> states) {
  const auto vocabulary = static_cast<size_t>(info().vocabulary_size);
  std::vector<float> logits(states.size() * vocabulary);
  VisitLogits(states, [&](const kernels::Rows& rows, size_t first) {
    backend_->Download(rows.f32(),
                       std::span(logits).subspan(first * vocabulary, rows.rows * vocabulary));
  });
  return logits;
}

std::vector<kernels::SampleResult> Runtime::Sample(std::span<const State* const> states,
                                                   std::span<const kernels::SampleRow> rows) {
  auto tokens = static_cast<size_t>(info().vocabulary_size);
  if (tokenizer_) tokens = std::min(tokens, tokenizer_->vocabulary_size());
  if (tokens > kernels::kSampleTokensMax) {
    Throw(ErrorKind::kUnsupported, "[sample] vocabulary: expected up to {} tokens, found {}",
          kernels::kSampleTokensMax, tokens);
  }
  std::vector<kernels::SampleResult> results(states.size());
  VisitLogits(states, [&](const kernels::Rows& logits, size_t first) {
    backend_->Sample({logits, tokens, rows.subspan(first, logits.rows),
                      std::span(results).subspan(first, logits.rows)});
  });
  return results;
}

std::vector<float> Runtime::Logits(const State& state) {
  const State* const one = &state;
  return Logits(std::span(&one, 1));
}

}  // namespace statelib::engine
