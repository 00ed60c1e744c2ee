// SPDX-License-Identifier: Apache-2.0
#include "core/engine/runtime.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <deque>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model_files/fingerprint.h"

namespace statelib::engine {

using kernels::WeightFormat;

namespace {

/// Reads given tokens into a state, and passes logits on.
class TokenReader : public BatchSequence {
 public:
  using OnLogits = std::function<void(std::span<const float>)>;

  TokenReader(State& state, std::span<const TokenId> tokens, Wanted wanted = Wanted::kState,
              OnLogits on_logits = {})
      : state_(state), tokens_(tokens), wanted_(wanted), on_logits_(std::move(on_logits)) {}

  State& state() override { return state_; }
  Wanted wanted() const override { return wanted_; }
  size_t tokens_left() const override { return tokens_.size() - done_; }
  std::span<const TokenId> Next(size_t count) override { return tokens_.subspan(done_, count); }
  void Took(size_t count, const Given& given) override {
    done_ += count;
    if (tokens_left() == 0) wanted_ = Wanted::kState;
    if (on_logits_) on_logits_(given.logits);
  }
  size_t tokens_done() const { return done_; }

 private:
  State& state_;
  std::span<const TokenId> tokens_;
  Wanted wanted_;
  OnLogits on_logits_;
  size_t done_ = 0;
};

}  // namespace

std::unique_ptr<Runtime> Runtime::OpenWithoutTokenizer(const std::filesystem::path& model_directory,
                                                       const RuntimeOptions& options) {
  std::unique_ptr<Runtime> runtime(new Runtime());
  runtime->backend_ = MakeBackend(options.backend);
  runtime->model_files_ =
      model::OpenModelFiles(model_directory, options.config_facts, options.architectures);
  runtime->model_ =
      model::LoadModel(*runtime->model_files_, *runtime->backend_, options.architectures);
  model::Weights& weights = runtime->model_->weights();
  // A profile that this backend cannot have is refused where the state is loaded.
  const char* const needed = runtime->WeightChoiceFor(options.profile);
  weights.HoldAs(FormatOf(!options.weights.empty() ? options.weights.c_str()
                          : needed != nullptr      ? needed
                                                   : "auto"));
  if (runtime->profile().empty()) {
    std::vector<std::string_view> choices;
    for (const char* const choice : WeightChoices())
      if (!runtime->ProfileWith(choice).empty()) choices.emplace_back(choice);
    Throw(ErrorKind::kUnsupported,
          "[{}] weights held as {}: this backend does not have them; take {}",
          runtime->backend_name(), kernels::NameOf(weights.format()), fmt::join(choices, " or "));
  }
  runtime->pool_ = std::make_unique<StatePool>(*runtime->backend_, runtime->model_->layout());
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
  return {weights.format(), weights.has_blocks(), model_->layout().token_dtype(),
          info().operations};
}

std::string Runtime::ProfileWith(std::string_view weights) const {
  kernels::ProfileRequest request = profile_request();
  request.format = FormatOf(weights);
  return backend_->ProfileOf(request);
}

const char* Runtime::WeightChoiceFor(std::string_view base) const {
  if (base.empty()) return nullptr;  // which is what a format has that the backend lacks
  for (const char* const choice : WeightChoices())
    if (ProfileWith(choice) == base) return choice;
  return nullptr;
}

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

std::unique_ptr<Batch> Runtime::MakeBatch() {
  auto tokens = static_cast<size_t>(info().vocabulary_size);
  if (tokenizer_) tokens = std::min(tokens, tokenizer_->vocabulary_size());
  return std::make_unique<Batch>(*model_, *backend_, tokens);
}

State Runtime::Empty() {
  State state(*pool_);
  backend_->ZeroBytes(state.slot_.data(), pool_->layout().slot_bytes());
  return state;
}

State Runtime::Clone(const State& state) {
  State copy(*pool_);
  backend_->CopyBytes(state.slot_.data(), copy.slot_.data(), pool_->layout().slot_bytes());
  copy.pages_ = state.pages_;
  copy.history_ = state.history_;
  return copy;
}

State Runtime::Restore(const History& history, std::span<const ByteSpan> segments) {
  const model::StateLayout& layout = model_->layout();
  const StateSpec spec = layout.SpecFor(history.token_count());
  if (segments.size() != spec.size()) {
    Throw(ErrorKind::kMismatch, "[restore] expected {} segments, as the model has, found {}",
          spec.size(), segments.size());
  }
  for (size_t i = 0; i < spec.size(); ++i) {
    if (segments[i].size() != spec[i].bytes()) {
      Throw(ErrorKind::kMismatch, "[restore] {}: expected {} bytes, found {}", spec[i].Label(),
            spec[i].bytes(), segments[i].size());
    }
  }
  State state(*pool_);
  // Whole, in one transfer, where the backend's memory is not the host's.
  std::byte* const own = backend_->HostAddress(state.slot_.data());
  Bytes staged(own == nullptr ? layout.slot_bytes() : 0);
  std::byte* const to = own == nullptr ? staged.data() : own;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (!layout.segments()[i].is_per_token)
      CopyBytes(segments[i], std::span(to + layout.OffsetOf(i), spec[i].bytes()));
  }
  if (own == nullptr) backend_->UploadBytes(staged, state.slot_.data());
  const uint64_t end = history.token_count();
  for (size_t group = 0; group < layout.groups(); ++group) {
    state.pages_[group].Fill(
        layout.FirstKept(group, end), end, [&](std::byte* page, const PageRows& rows) {
          layout.ForEachOfGroup(group, [&](size_t i, size_t offset, size_t token_bytes) {
            CopyBytes(segments[i].subspan(rows.done * token_bytes, rows.count * token_bytes),
                      {page + offset + rows.row * token_bytes, rows.count * token_bytes});
          });
        });
  }
  state.history_ = history;
  return state;
}

engine::Snapshot Runtime::BeginSnapshot(const State& state, uint64_t first_token) {
  return {*pool_, state, first_token};
}

void Runtime::Advance(std::span<const PrefillChunk> sequences, const AdvanceControl& control) {
  std::deque<TokenReader> readers;
  const auto batch = MakeBatch();
  for (const PrefillChunk& sequence : sequences) {
    CheckTokens(info(), sequence.tokens);
    batch->Add(readers.emplace_back(*sequence.state, sequence.tokens));
  }
  do {
    if (control.cancel != nullptr) control.cancel->Check();
    if (!batch->Step()) return;
    uint64_t tokens_done = 0;
    for (const TokenReader& reader : readers) tokens_done += reader.tokens_done();
    if (control.on_progress) control.on_progress(tokens_done);
  } while (true);
}

void Runtime::Advance(State& state, std::span<const TokenId> tokens,
                      const AdvanceControl& control) {
  const PrefillChunk one{&state, tokens};
  Advance(std::span(&one, 1), control);
}

void Runtime::AdvanceWithLogits(State& state, std::span<const TokenId> tokens,
                                const std::function<void(std::span<const float> logits)>& visit,
                                const CancelFlag* cancel) {
  CheckTokens(info(), tokens);
  const auto vocabulary = static_cast<size_t>(info().vocabulary_size);
  TokenReader reader(state, tokens, Wanted::kEveryLogits, [&](std::span<const float> logits) {
    for (; !logits.empty(); logits = logits.subspan(vocabulary)) visit(logits.first(vocabulary));
  });
  const auto batch = MakeBatch();
  batch->Add(reader);
  do {
    if (cancel != nullptr) cancel->Check();
  } while (batch->Step());
}

std::vector<float> Runtime::Logits(std::span<const State* const> states) {
  const auto vocabulary = static_cast<size_t>(info().vocabulary_size);
  std::vector<float> all(states.size() * vocabulary);
  std::deque<TokenReader> readers;
  const auto batch = MakeBatch();
  for (size_t i = 0; i < states.size(); ++i) {
    if (states[i]->is_empty()) {
      throw Error(ErrorKind::kInvalidArgument,
                  "the state has read nothing, so nothing can follow: give a prompt");
    }
    // It reads nothing, so the state stays as it is.
    batch->Add(readers.emplace_back(const_cast<State&>(*states[i]), std::span<const TokenId>(),
                                    Wanted::kLastLogits, [&all, i](std::span<const float> logits) {
                                      std::copy(logits.begin(), logits.end(),
                                                all.begin() +
                                                    static_cast<std::ptrdiff_t>(i * logits.size()));
                                    }));
  }
  while (batch->Step()) {
  }
  return all;
}

std::vector<float> Runtime::Logits(const State& state) {
  const State* const one = &state;
  return Logits(std::span(&one, 1));
}

}  // namespace statelib::engine
