// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_LAYER_STACK_H_
#define STATELIB_CORE_MODEL_LAYER_STACK_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "core/model/weights.h"

namespace statelib::model {

/// The parts of a configuration that every architecture here has.
struct ModelDims {
  std::string architecture;
  int64_t vocabulary = 0;  // V
  int64_t hidden = 0;      // D
  int64_t layers = 0;
  float norm_epsilon = 1e-5f;  ///< of every layer's norm and of the final one
  bool tied_head = true;       ///< the head is the embedding, as the configuration says
  std::vector<TokenId> end_of_text_ids;
};

/// The name that a model's embedding has: Hugging Face's, or that of the original files.
std::string EmbeddingName(const model_files::ModelFiles& model_files);
/// Whether the head is the embedding: as the configuration says, unless it says so beside a head
/// that is stored and differs. Reads both where both are stored.
bool HasTiedHead(const model_files::ModelFiles& model_files, bool says_tied);

/// Embedding, a residual stream through layers, final norm and head: the frame into which an
/// architecture puts its layers. Each weight is brought into the backend's form when it is first
/// used, so that generation from a stored state starts with the head alone.
class LayerStack : public Model {
 public:
  const ModelInfo& info() const override { return info_; }
  const StateLayout& layout() const override { return layout_; }
  TokenWork work() const override;
  Weights& weights() override { return weights_; }
  size_t rows_max() const override { return backend_.rows_preferred(); }
  void Advance(const TokenId* tokens, const kernels::SequenceTable& sequences,
               const kernels::Rows* every_hidden) override;
  void Logits(kernels::ConstRows hidden, kernels::Rows out) override;

 protected:
  /// spec: the segments of one layer's state; each layer has the same. The derived constructor
  /// declares its layers with weights() and then calls Finish().
  LayerStack(const ModelDims& dims, const StateSpec& layer_spec,
             const model_files::ModelFiles& model_files, kernels::Backend& backend);
  void Finish();
  /// Adds to info().notes and to info().doubts.
  void Note(std::string line) { info_.notes.push_back(std::move(line)); }
  void Doubt(std::string line) { info_.doubts.push_back(std::move(line)); }

  /// Allocates activations for rows_max() rows. Called once, before the first AdvanceLayer().
  virtual void AllocateActivations() = 0;
  /// Adds layer `index`'s output to the residual stream [rows, D].
  virtual void AdvanceLayer(size_t index, const kernels::SequenceTable& sequences,
                            kernels::Rows residual) = 0;

  /// Where segment `kind` of layer `index` (its place in the layer's spec) begins in a slot.
  size_t StateOf(size_t index, size_t kind) const {
    return layout_.OffsetOf(index * segments_per_layer_ + kind);
  }
  /// A bias that the architecture's configuration demands, forbids, or (without a word) leaves to
  /// the tensors.
  VectorRef OptionalVector(std::optional<bool> wanted, const std::string& name, int64_t size);
  /// The taps of a depthwise convolution, [channels, 1, kernel] in the file, [kernel, channels]
  /// here.
  VectorRef ConvolutionTaps(const std::string& name, int64_t channels, int64_t kernel);
  /// The decays A, all of them negative: mixer.A as it is, which is how GGUF holds them, else
  /// -exp(mixer.A_log); `layout` then reorders them. The runtime's own exp, for a state's bits must
  /// not depend on the machine's libm.
  VectorRef Decays(const std::string& mixer, std::initializer_list<int64_t> shape,
                   const Weights::Transform& layout = {});
  /// A vector, or zeros where the configuration says that there is none.
  VectorRef VectorOrZeros(bool present, const std::string& name, int64_t size);

  kernels::Backend& backend() { return backend_; }
  const ModelDims& dims() const { return dims_; }

 private:
  kernels::Backend& backend_;
  ModelDims dims_;
  size_t segments_per_layer_;
  StateLayout layout_;
  Weights weights_;
  ModelInfo info_;
  MatrixRef embeddings_;
  MatrixRef head_;  // the embeddings when tied
  VectorRef final_norm_;
  kernels::Buffer residual_;  // [rows_max(), D]; empty until the first Advance()
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_LAYER_STACK_H_
