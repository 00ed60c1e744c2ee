// SPDX-License-Identifier: Apache-2.0
// Models whose configuration and tensors are spelt otherwise than the published ones, or
// contradict each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/model/architectures.h"
#include "core/model/convert.h"
#include "core/model_files/fingerprint.h"
#include "kernels/backends.h"
#include "tests/core/model/logits_of.h"
#include "tests/loose_tensors.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

namespace fs = std::filesystem;

using model_files::ModelFiles;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Facts = std::vector<model_files::ConfigFact>;

fs::path Golden(const std::string& name) {
  return fs::path(STATELIB_SOURCE_DIR) / "tests/golden" / name;
}

std::vector<std::string> NotesOf(const ModelFiles& model_files) {
  const auto backend = kernels::MakeReferenceBackend();
  return LoadModel(model_files, *backend)->info().notes;
}

class Spellings : public testing::Test {
 protected:
  /// A golden model with its tensors changed.
  std::unique_ptr<ModelFiles> With(const std::string& golden,
                                   const std::function<void(LooseTensors&)>& change,
                                   const Facts& facts = {}) {
    const fs::path folder = folder_.path() / std::to_string(++count_);
    fs::create_directories(folder);
    fs::copy_file(Golden(golden) / "config.json", folder / "config.json");
    LooseTensors tensors = ReadLoose(Golden(golden) / "model.safetensors");
    change(tensors);
    WriteLoose(folder / "model.safetensors", tensors);
    return OpenModelFiles(folder, facts);
  }

  /// The embedding again as a head, each value mapped.
  static auto AddHead(const std::function<float(float)>& map) {
    return [map](LooseTensors& tensors) {
      LooseTensor head = Named(tensors, "backbone.embeddings.weight");
      head.name = "lm_head.weight";
      head.Map(map);
      tensors.push_back(std::move(head));
    };
  }

  const TemporaryDirectory folder_;
  int count_ = 0;
};

TEST_F(Spellings, ADifferingHeadBesideATiedConfigurationIsUsedAndNoted) {
  const auto add = AddHead([](float value) { return 2 * value; });
  for (const std::string golden : {"mamba", "mamba2", "falcon_mamba"}) {
    const auto tied = With(golden, add, {{"tie_word_embeddings", "true"}}),
               untied = With(golden, add, {{"tie_word_embeddings", "false"}});
    EXPECT_THAT(NotesOf(*tied), ElementsAre(HasSubstr("the stored head is used"))) << golden;
    EXPECT_THAT(NotesOf(*untied), IsEmpty()) << golden;
    EXPECT_EQ(LogitsOf(*tied), LogitsOf(*untied)) << golden;
    // Whatever form it takes on, the head goes along.
    for (const auto& [form, name] :
         {std::pair(ModelForm::kHuggingFace, "folder"), std::pair(ModelForm::kGguf, "m.gguf"),
          std::pair(ModelForm::kModelFile, "m.statelib")}) {
      const fs::path to = folder_.path() / (golden + name);
      Convert(*tied, to, {.form = form});
      EXPECT_EQ(LogitsOf(*OpenModelFiles(to)), LogitsOf(*tied)) << golden << " " << name;
    }
  }
}

TEST_F(Spellings, AnEqualHeadBesideATiedConfigurationIsTheEmbedding) {
  const auto model_files = With("mamba", AddHead([](float value) { return value; }));
  const auto backend = kernels::MakeReferenceBackend();
  const auto plain = OpenModelFiles(Golden("mamba"));
  EXPECT_THAT(NotesOf(*model_files), IsEmpty());
  EXPECT_EQ(LoadModel(*model_files, *backend)->info().parameters,
            LoadModel(*plain, *backend)->info().parameters);
}

TEST_F(Spellings, ADifferingHeadOfTheOriginalFormGoesAlongToo) {
  // The original form's configuration with its tensors as safetensors.
  const auto model_files = [&] {
    const auto original = OpenModelFiles(Golden("mamba_original"));
    const fs::path folder = folder_.path() / "original";
    fs::create_directories(folder);
    fs::copy_file(Golden("mamba_original") / "config.json", folder / "config.json");
    LooseTensors tensors;
    for (const model_files::TensorRef& tensor : original->tensors().all())
      tensors.push_back({tensor.name, tensor.type, tensor.shape,
                         Bytes(tensor.bytes.begin(), tensor.bytes.end())});
    Named(tensors, "lm_head.weight").Map([](float value) { return 2 * value; });
    WriteLoose(folder / "model.safetensors", tensors);
    return OpenModelFiles(folder);
  }();
  EXPECT_THAT(NotesOf(*model_files), ElementsAre(HasSubstr("the stored head is used")));
  const fs::path to = folder_.path() / "published";
  Convert(*model_files, to, {.form = ModelForm::kHuggingFace});
  EXPECT_EQ(LogitsOf(*OpenModelFiles(to)), LogitsOf(*model_files));
  EXPECT_NE(LogitsOf(*model_files), LogitsOf(*OpenModelFiles(Golden("mamba_original"))));
}

TEST_F(Spellings, AnEmbeddingOfTheOriginalNameIsFound) {
  for (const std::string golden : {"mamba", "mamba2", "falcon_mamba"}) {
    const auto model_files = With(golden, [](LooseTensors& tensors) {
      Named(tensors, "backbone.embeddings.weight").name = "backbone.embedding.weight";
    });
    EXPECT_EQ(LogitsOf(*model_files), LogitsOf(*OpenModelFiles(Golden(golden)))) << golden;
  }
}

TEST_F(Spellings, APrefixOfTrainingIsNoPartOfTheNames) {
  const auto plain = OpenModelFiles(Golden("mamba"));
  const auto prefixed = With("mamba", [](LooseTensors& tensors) {
    for (LooseTensor& tensor : tensors) tensor.name = "module." + tensor.name;
  });
  EXPECT_EQ(LogitsOf(*prefixed), LogitsOf(*plain));
  EXPECT_EQ(model_files::FingerprintOf(*prefixed), model_files::FingerprintOf(*plain));
  ASSERT_EQ(prefixed->notes().size(), 1u);
  EXPECT_THAT(prefixed->notes()[0], HasSubstr("begins with \"module.\""));
}

TEST_F(Spellings, ANormThatAConfigurationDeniesBesideItsWeightIsUsedAndNoted) {
  const auto plain = OpenModelFiles(Golden("mamba2"));
  const auto denied = OpenModelFiles(Golden("mamba2"), Facts{{"rms_norm", "false"}});
  EXPECT_EQ(LogitsOf(*denied), LogitsOf(*plain));
  EXPECT_THAT(NotesOf(*denied), ElementsAre(HasSubstr("rms_norm false")));
  // Without its weight there is none.
  const auto without = With("mamba2",
                            [](LooseTensors& tensors) {
                              std::erase_if(tensors, [](const LooseTensor& t) {
                                return t.name.ends_with("mixer.norm.weight");
                              });
                            },
                            {{"rms_norm", "false"}});
  EXPECT_NE(LogitsOf(*without), LogitsOf(*plain));
  EXPECT_THAT(NotesOf(*without), IsEmpty());
}

TEST_F(Spellings, OnlyAGatedNormOfSeveralGroupsIsDoubted) {
  const auto doubts = [](const char* golden, const Facts& facts) {
    const auto backend = kernels::MakeReferenceBackend();
    return LoadModel(*OpenModelFiles(Golden(golden), facts), *backend)->info().doubts;
  };
  EXPECT_THAT(doubts("mamba2", {}), ElementsAre(HasSubstr("--set mixer_norm_groups=1")));
  EXPECT_THAT(doubts("mamba2", {{"mixer_norm_groups", "1"}}),
              ElementsAre(HasSubstr("--set mixer_norm_groups=4")));
  EXPECT_THAT(doubts("mamba", {}), IsEmpty());
}

}  // namespace
}  // namespace statelib::model
