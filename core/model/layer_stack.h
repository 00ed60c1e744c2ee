// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_LAYER_STACK_H_
#define STATELIB_CORE_MODEL_LAYER_STACK_H_

#include <memory>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "core/model/parts/part.h"
#include "core/model/parts/workspace.h"
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

/// A norm of rows: by their root mean square, or with a bias by mean and variance. Without a weight
/// there is none.
struct Norm {
  VectorRef weight;  // [D]
  VectorRef bias;    // [D], or none
  float epsilon = 1e-5f;

  explicit operator bool() const { return static_cast<bool>(weight); }
};

/// A part as a block uses it.
struct BlockPart {
  std::unique_ptr<Part> part;
  float scale = 1.0f;  ///< of its output
};

/// One residual step of a stack, with h the residual stream [rows, D]:
///   h = h + scale * after(sum of scale_i * part_i(before(h)))
/// Parts of one block are parallel, and are added up in their order.
struct Block {
  int32_t layer = 0;  ///< that its segments belong to; several blocks may make a layer
  Norm before;
  std::vector<BlockPart> parts;
  Norm after;
  float scale = 1.0f;
};

/// Embedding, a residual stream through blocks, final norm and head: the frame into which an
/// architecture puts its parts. Each weight is brought into the backend's form when it is first
/// used, so that generation from a stored state starts with the head alone.
class LayerStack : public Model {
 public:
  /// Declares embedding, head and final norm. The architecture adds its blocks, in order, with
  /// weights declared in weights(), and then calls Finish(). Errors: those of Weights.
  LayerStack(const ModelDims& dims, const model_files::ModelFiles& model_files,
             kernels::Backend& backend);
  /// `part` with a norm before it: the block of most models.
  void AddBlock(int32_t layer, const std::string& norm_name, std::unique_ptr<Part> part);
  void AddBlock(Block block) { blocks_.push_back(std::move(block)); }
  /// Rows that a part takes by name must have been given by one before it (checked).
  void Finish();
  /// Adds to info().notes and to info().doubts.
  void Note(std::string line) { info_.notes.push_back(std::move(line)); }
  void Doubt(std::string line) { info_.doubts.push_back(std::move(line)); }

  const ModelInfo& info() const override { return info_; }
  const StateLayout& layout() const override { return layout_; }
  TokenWork work() const override;
  Weights& weights() override { return weights_; }
  size_t rows_max() const override { return backend_.rows_preferred(); }
  void Advance(const TokenId* tokens, const kernels::SequenceTable& sequences,
               const PassOutputs& outputs) override;
  void Logits(kernels::ConstRows hidden, kernels::Rows out) override;

 private:
  /// What the blocks need of a backend, and whether they find the rows that they take.
  void CheckParts();
  void PlaceSegments();
  void Run(const Block& block, const PartPass& pass, kernels::Rows residual);
  void Apply(const Norm& norm, kernels::ConstRows x, kernels::Rows out);

  kernels::Backend& backend_;
  ModelDims dims_;
  Weights weights_;
  ModelInfo info_;
  MatrixRef embeddings_;
  MatrixRef head_;  // the embeddings when tied
  Norm final_norm_;
  std::vector<Block> blocks_;
  StateLayout layout_;
  size_t hidden_room_ = 0;  // where the hidden rows of a guess are kept, in bytes
  bool gives_embedding_ = false;
  Workspace workspace_;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_LAYER_STACK_H_
