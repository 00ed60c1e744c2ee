// SPDX-License-Identifier: Apache-2.0
#include "core/model/convert.h"

#include <algorithm>
#include <cmath>

#include "core/base/atomic_file.h"
#include "core/base/mapped_file.h"
#include "core/base/random_name.h"
#include "core/model/architectures.h"
#include "core/model/gguf_writing.h"
#include "core/model/layer_stack.h"
#include "core/model_files/encode.h"
#include "core/model_files/safetensors_writer.h"
#include "core/model_files/statelib_model.h"
#include "kernels/exact/fixed_log.h"
#include "kernels/exact/math.h"

namespace statelib::model {

namespace {

namespace fs = std::filesystem;
using model_files::ByteSink;
using model_files::ElementType;
using model_files::ModelFiles;
using model_files::TensorRef;
using model_files::TensorToWrite;

constexpr int64_t kPieceElements = int64_t{1} << 20;
constexpr std::string_view kDecay = ".mixer.A";
constexpr std::string_view kDecayLog = ".mixer.A_log";

std::string WithEnding(const std::string& name, std::string_view from, std::string_view to) {
  return name.substr(0, name.size() - from.size()) + std::string(to);
}

/// What happens to the elements of a tensor on their way.
using ElementMap = float (*)(float);

float DecayOfLog(float value) { return -kernels::exact::Exp(value); }
// Not the C library's, for what it gives is part of the new model's fingerprint.
float LogOfDecay(float value) {
  return static_cast<float>(kernels::exact::FixedLog(-static_cast<double>(value)));
}

/// A matrix product's weights, or an embedding: what may be of a smaller type.
bool IsMatrix(const TensorRef& tensor) {
  return tensor.shape.size() == 2 && tensor.name.ends_with(".weight");
}

bool IsOriginal(const ModelFiles& model_files) { return !model_files.config().Find("model_type"); }

class Converter {
 public:
  Converter(const ModelFiles& from, const ConvertOptions& options)
      : from_(from), options_(options) {}

  Conversion Run(const fs::path& to) {
    const std::vector<TensorToWrite> tensors = Tensors();
    for (const TensorToWrite& tensor : tensors)
      total_ += model_files::StorageBytes(tensor.type, tensor.shape).value_or(0);
    if (options_.form == ModelForm::kHuggingFace) {
      WriteFolder(to, tensors);
    } else {
      WriteFile(to, tensors);
    }
    conversion_.tensor_bytes = total_;
    return std::move(conversion_);
  }

 private:
  std::vector<TensorToWrite> Tensors() const {
    std::vector<TensorToWrite> tensors;
    const bool is_tied = IsOriginal(from_) && IsTied();
    for (const TensorRef& tensor : from_.tensors().all()) {
      const bool as_it_is = options_.form == ModelForm::kModelFile;
      if (!as_it_is && is_tied && tensor.name == "lm_head.weight") continue;
      tensors.push_back(as_it_is ? Outgoing(tensor, tensor.name, nullptr) : Published(tensor));
    }
    return tensors;
  }

  bool IsTied() const {
    const auto tied = from_.config().Find("tie_embeddings");
    return HasTiedHead(from_, !tied || tied->Bool());
  }

  /// A tensor under the name that Hugging Face's models have, but for A in GGUF.
  TensorToWrite Published(const TensorRef& tensor) const {
    const bool wants_decay = options_.form == ModelForm::kGguf;
    if (wants_decay && tensor.name.ends_with(kDecayLog))
      return Outgoing(tensor, WithEnding(tensor.name, kDecayLog, kDecay), DecayOfLog);
    if (!wants_decay && tensor.name.ends_with(kDecay))
      return Outgoing(tensor, WithEnding(tensor.name, kDecay, kDecayLog), LogOfDecay);
    const bool is_embedding = tensor.name == "backbone.embedding.weight";
    return Outgoing(tensor, is_embedding ? "backbone.embeddings.weight" : tensor.name, nullptr);
  }

  ElementType TypeOf(const TensorRef& tensor, ElementMap map) const {
    const bool form_has_blocks = options_.form != ModelForm::kHuggingFace;
    const bool keeps = map == nullptr && (form_has_blocks || !IsBlockType(tensor.type));
    const ElementType own = keeps ? tensor.type : ElementType::kF32;
    if (!IsMatrix(tensor)) {
      const bool small_are_f32 = options_.weights || options_.form == ModelForm::kGguf;
      return small_are_f32 ? ElementType::kF32 : own;
    }
    const ElementType wanted = options_.weights.value_or(own);
    return model_files::StorageBytes(wanted, tensor.shape) ? wanted : own;
  }

  TensorToWrite Outgoing(const TensorRef& tensor, const std::string& name, ElementMap map) const {
    const ElementType type = TypeOf(tensor, map);
    TensorToWrite outgoing{name, type, tensor.shape};
    outgoing.stream = [this, &tensor, type, map](const ByteSink& sink) {
      Stream(tensor, type, map, sink);
    };
    return outgoing;
  }

  void Stream(const TensorRef& tensor, ElementType type, ElementMap map,
              const ByteSink& sink) const {
    const model_files::ElementTypeInfo& info = model_files::InfoOf(tensor.type);
    const size_t piece_bytes =
        static_cast<size_t>(kPieceElements) / info.block_elements * info.block_bits / 8;
    for (ByteSpan rest = tensor.bytes; !rest.empty();) {
      if (options_.cancel != nullptr) options_.cancel->Check();
      TensorRef piece = tensor;
      piece.bytes = rest.first(std::min(rest.size(), piece_bytes));
      rest = rest.subspan(piece.bytes.size());
      const Bytes encoded =
          type == tensor.type && map == nullptr ? Bytes() : Encoded(piece, type, map);
      const ByteSpan out = encoded.empty() ? piece.bytes : ByteSpan(encoded);
      sink(out);
      from_.Forget(piece.bytes);
      done_ += out.size();
      if (options_.on_progress) options_.on_progress(done_, total_);
    }
  }

  static Bytes Encoded(TensorRef& piece, ElementType type, ElementMap map) {
    const model_files::ElementTypeInfo& info = model_files::InfoOf(piece.type);
    piece.shape = {static_cast<int64_t>(piece.bytes.size() * 8 / info.block_bits) *
                   info.block_elements};
    std::vector<float> values = model_files::ReadF32(piece);
    const auto is_decay = [](float value) { return value < 0 && std::isfinite(value); };
    if (map == LogOfDecay && !std::ranges::all_of(values, is_decay))
      Throw(ErrorKind::kCorrupt, "{}: expected finite decays below zero", piece.Label());
    if (map != nullptr) std::ranges::transform(values, values.begin(), map);
    return model_files::Encode(type, values, piece.Label());
  }

  /// config.json in Hugging Face's form.
  std::string PublishedJson() const {
    std::string config =
        IsOriginal(from_) ? PublishedConfig(from_) : std::string(AsText(from_.config_bytes()));
    if (!options_.weights) return config;
    std::string name(model_files::InfoOf(*options_.weights).torch_dtype);
    name.erase(0, std::string_view("torch.").size());
    const bool says_dtype = from_.config().Find("dtype").has_value();
    const model_files::ConfigFact fact{says_dtype ? "dtype" : "torch_dtype", '"' + name + '"'};
    return model_files::WithFacts(AsBytes(config), {&fact, 1}, from_.path().string());
  }

  void WriteFile(const fs::path& to, const std::vector<TensorToWrite>& tensors) {
    const bool replaces = !FindOutputPlace(to).is_stream && FileSystem::Real().Exists(to);
    if (replaces && !options_.replace) ThrowExists(to);
    if (options_.form == ModelForm::kGguf) {
      WriteGgufForm(from_, PublishedConfig(from_), tensors, to, &conversion_.notes);
      return;
    }
    const Bytes tokenizer = from_.TokenizerJson();
    if (tokenizer.empty()) NoteNoTokenizer();
    model_files::WriteStatelibModel(FileSystem::Real(), to, tensors,
                                    std::string(AsText(from_.config_bytes())),
                                    std::string(AsText(tokenizer)));
  }

  /// The files are made in a folder beside `to`, which then takes its name, or gives its files to
  /// the folder that is there.
  void WriteFolder(const fs::path& to, const std::vector<TensorToWrite>& tensors) {
    if (to == "-")
      Throw(ErrorKind::kInvalidArgument,
            "safetensors: a folder, which standard output cannot take");
    FileSystem& files = FileSystem::Real();
    const bool exists = files.Exists(to) && !files.List(to).empty();
    if (exists && !options_.replace) ThrowExists(to);
    // Without the separator that a folder's name may end with.
    const fs::path target = FollowLinks(to.has_filename() ? to : to.parent_path());
    const fs::path temporary = TemporaryBeside(target);
    files.CreateDirectories(temporary);
    try {
      WriteFilesInto(temporary, tensors);
      if (exists) {
        for (const fs::path& name : files.List(temporary)) Place(temporary / name, to / name);
        files.SyncDirectory(to);
      } else {
        files.Rename(temporary, target);
      }
      files.SyncDirectory(target.has_parent_path() ? target.parent_path() : ".");
    } catch (...) {
      std::error_code ignored;
      fs::remove_all(temporary, ignored);
      throw;
    }
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
  }

  /// A link, or what is no regular file, stays and gets the bytes.
  static void Place(const fs::path& from, const fs::path& to) {
    const OutputPlace place = FindOutputPlace(to);
    if (place.path == to && !place.is_stream) return FileSystem::Real().Rename(from, to);
    const MappedFile whole = MappedFile::Open(from);
    WriteFileAtomically(FileSystem::Real(), to, whole.bytes());
  }

  void WriteFilesInto(const fs::path& folder, const std::vector<TensorToWrite>& tensors) {
    FileSystem& files = FileSystem::Real();
    model_files::WriteSafetensors(files, folder / "model.safetensors", tensors);
    WriteFileAtomically(files, folder / "config.json", AsBytes(PublishedJson()));
    const Bytes tokenizer = from_.TokenizerJson();
    if (tokenizer.empty()) return NoteNoTokenizer();
    WriteFileAtomically(files, folder / "tokenizer.json", tokenizer);
  }

  void NoteNoTokenizer() {
    conversion_.notes.push_back(
        fmt::format("{}: there is no tokenizer.json to take along", from_.path().string()));
  }

  [[noreturn]] static void ThrowExists(const fs::path& to) {
    Throw(
        ErrorKind::kInvalidArgument,
        "{}: expected nothing there, found something; give another name, or --force to replace it",
        to.string());
  }

  const ModelFiles& from_;
  const ConvertOptions& options_;
  Conversion conversion_;
  uint64_t total_ = 0;
  mutable uint64_t done_ = 0;
};

}  // namespace

Conversion Convert(const ModelFiles& model_files, const fs::path& to,
                   const ConvertOptions& options) {
  if (options.form == ModelForm::kHuggingFace && options.weights &&
      model_files::IsBlockType(*options.weights)) {
    Throw(ErrorKind::kInvalidArgument,
          "safetensors: expected f32, bf16 or f16, found int8, which the format's readers do not "
          "know; choose --to gguf or --to statelib");
  }
  return Converter(model_files, options).Run(to);
}

}  // namespace statelib::model
