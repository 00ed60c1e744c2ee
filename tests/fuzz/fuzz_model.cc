// SPDX-License-Identifier: Apache-2.0
// A config.json beside the tensors of a small Mamba-1 and of a small Mamba-2: whatever the
// configuration promises is compared with the tensors before it is used, and a model that loads
// computes.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/model/architectures.h"
#include "core/model_files/config_json.h"
#include "core/model_files/safetensors_writer.h"
#include "kernels/backends.h"
#include "tests/core/model/logits_of.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::model {
namespace {

namespace fs = std::filesystem;

struct Shape {
  const char* name;
  std::vector<int64_t> shape;
};

// D = 4, E = 8, N = 2, V = 5, K = 4; Mamba-1 with R = 3, Mamba-2 with four heads in two groups.
// Both spellings of the embedding, and everything that is optional.
const std::vector<Shape> kShared = {{"backbone.embeddings.weight", {5, 4}},
                                    {"backbone.embedding.weight", {5, 4}},
                                    {"backbone.norm_f.weight", {4}},
                                    {"lm_head.weight", {5, 4}},
                                    {"backbone.layers.0.norm.weight", {4}},
                                    {"backbone.layers.0.mixer.out_proj.weight", {4, 8}},
                                    {"backbone.layers.0.mixer.out_proj.bias", {4}}};
const std::vector<Shape> kMamba1 = {{"backbone.layers.0.mixer.in_proj.weight", {16, 4}},
                                    {"backbone.layers.0.mixer.in_proj.bias", {16}},
                                    {"backbone.layers.0.mixer.conv1d.weight", {8, 1, 4}},
                                    {"backbone.layers.0.mixer.conv1d.bias", {8}},
                                    {"backbone.layers.0.mixer.x_proj.weight", {7, 8}},
                                    {"backbone.layers.0.mixer.dt_proj.weight", {8, 3}},
                                    {"backbone.layers.0.mixer.dt_proj.bias", {8}},
                                    {"backbone.layers.0.mixer.A_log", {8, 2}},
                                    {"backbone.layers.0.mixer.D", {8}}};
const std::vector<Shape> kMamba2 = {{"backbone.layers.0.mixer.in_proj.weight", {28, 4}},
                                    {"backbone.layers.0.mixer.in_proj.bias", {28}},
                                    {"backbone.layers.0.mixer.conv1d.weight", {16, 1, 4}},
                                    {"backbone.layers.0.mixer.conv1d.bias", {16}},
                                    {"backbone.layers.0.mixer.dt_bias", {4}},
                                    {"backbone.layers.0.mixer.A_log", {4}},
                                    {"backbone.layers.0.mixer.D", {4}},
                                    {"backbone.layers.0.mixer.norm.weight", {8}}};

/// A folder with those tensors, whose config.json is each input in turn. Gone with the process.
class Folder {
 public:
  explicit Folder(const std::vector<Shape>& own)
      : path_(InMemory() /
              ("fuzz-model-" + std::to_string(::getpid()) + "-" + std::to_string(own.size()))) {
    fs::create_directories(path_);
    const std::vector<float> values(128, 0.25f);
    std::vector<model_files::TensorToWrite> tensors;
    for (const auto* shapes : {&kShared, &own}) {
      for (const Shape& tensor : *shapes) {
        size_t count = sizeof(float);
        for (const int64_t extent : tensor.shape) count *= static_cast<size_t>(extent);
        tensors.push_back({tensor.name, model_files::ElementType::kF32, tensor.shape,
                           std::as_bytes(std::span(values)).first(count)});
      }
    }
    model_files::WriteSafetensors(FileSystem::Real(), path_ / "model.safetensors", tensors);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& With(ByteSpan config) const {
    // A new file each time: some file systems write a file out at once that is cut and filled
    // again.
    fs::remove(path_ / "config.json");
    std::ofstream(path_ / "config.json", std::ios::binary) << AsText(config);
    return path_;
  }

 private:
  /// A disk that is busy would make the fuzzer wait, or take an input for one that hangs.
  static fs::path InMemory() {
    const fs::path memory = "/dev/shm";
    return fs::is_directory(memory) ? memory : fs::temp_directory_path();
  }

  fs::path path_;
};

void LoadAndCompute(const fs::path& folder) {
  const auto model_files = model::OpenModelFiles(folder);
  const auto backend = kernels::MakeReferenceBackend();
  const auto model = LoadModel(*model_files, *backend);
  for (const SegmentSpec& segment : model->layout().SpecFor(0)) Promise(segment.elements() <= 128);
  StateAfter(*model, *backend, {1, 0});
  for (const TokenId end : model->info().end_of_text_ids)
    Promise(end >= 0 && end < model->info().vocabulary_size);
  model_files::ParseConfig(AsBytes(PublishedConfig(*model_files)), "published");
}

}  // namespace
}  // namespace statelib::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace statelib::model;
  static const Folder mamba1(kMamba1), mamba2(kMamba2);
  for (const Folder* folder : {&mamba1, &mamba2}) {
    statelib::ReadHostile(data, size,
                          [&](statelib::ByteSpan config) { LoadAndCompute(folder->With(config)); });
  }
  return 0;
}
