// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/models.h"

#include <gmock/gmock.h>

#include "core/model/architectures.h"
#include "core/model/convert.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

class Models : public DemoLibrary {
 protected:
  ModelPlace Choose(const std::string& choice, const storage::ResolvedState* state = nullptr) {
    return ChooseModel(&library_, choice, state, {"/fallback", "fallback"});
  }
};

TEST_F(Models, AnAddedModelIsListedShownAndRemoved) {
  const ModelDetails added = AddModel(library_, DemoModel(), "mine");
  EXPECT_EQ(added.row.identity, model_.identity);
  EXPECT_EQ(added.row.identity.summary, "12 layers, 384 wide, 8192 tokens");
  EXPECT_TRUE(added.is_present);
  EXPECT_FALSE(added.is_default);
  EXPECT_GT(added.row.size_bytes, 1'000'000u);
  ASSERT_EQ(ListModels(library_).size(), 1u);
  const std::string digits = added.row.identity.fingerprint.Hex().substr(0, 8);
  EXPECT_EQ(ShowModel(library_, digits).row.name, "mine");
  EXPECT_TRUE(RemoveModel(library_, "mine"));
  ExpectError(ErrorKind::kNotFound, "there is no model named mine",
              [&] { ShowModel(library_, "mine"); });
  EXPECT_TRUE(std::filesystem::exists(DemoModel() / "config.json"));
}

TEST_F(Models, WithoutANameTheFoldersNameIsTaken) {
  EXPECT_EQ(AddModel(library_, DemoModel(), "").row.name, "demo");
  EXPECT_EQ(AddModel(library_, DemoModel(), "new-name").row.name, "new-name");
  EXPECT_EQ(AddModel(library_, DemoModel(), "").row.name, "new-name");
  EXPECT_EQ(ListModels(library_).size(), 1u);
  ExpectError(ErrorKind::kInvalidArgument, "does not belong there",
              [&] { AddModel(library_, DemoModel(), "a b"); });
}

TEST_F(Models, AreChosenByNameByStateByDefaultThenByFallback) {
  EXPECT_EQ(Choose("").directory, "/fallback");
  const auto other = OtherModel();
  AddModel(library_, other, "other");
  SetDefaultModel(library_, "other");
  EXPECT_TRUE(ShowModel(library_, "other").is_default);
  EXPECT_EQ(Choose("").name, "other");
  IngestText("a", "Some words.");
  const storage::ResolvedState state = library_.Resolve("a");
  EXPECT_EQ(Choose("", &state).directory, DemoModel());
  EXPECT_EQ(Choose("other", &state).name, "other");
  EXPECT_EQ(Choose(DemoModel().string()).directory, DemoModel());
  ExpectError(ErrorKind::kNotFound, "the library knows demo, other", [&] { Choose("missing"); });
}

TEST_F(Models, AGivenTokenizerIsRememberedAndUsedAgain) {
  const auto other = OtherModel();
  std::filesystem::rename(other / "tokenizer.json", other / "elsewhere.json");
  ExpectError(ErrorKind::kNotFound, "name a tokenizer.json with --tokenizer FILE",
              [&] { AddModel(library_, other, "other"); });
  const ModelDetails added = AddModel(library_, other, "other", {other / "elsewhere.json", ""});
  EXPECT_EQ(added.row.tokenizer_path, other / "elsewhere.json");
  EXPECT_EQ(ShowModel(library_, "other").row.tokenizer_path, other / "elsewhere.json");
  const LoadedModel loaded = LoadModel(library_, Choose("other"), {});
  EXPECT_EQ(loaded.runtime->tokenizer_path(), other / "elsewhere.json");
  EXPECT_EQ(loaded.identity.fingerprint, added.row.identity.fingerprint);
}

TEST_F(Models, OneWhoseFolderIsGoneIsNamedWithAdvice) {
  const auto other = OtherModel();
  AddModel(library_, other, "other");
  std::filesystem::remove_all(other);
  EXPECT_FALSE(ShowModel(library_, "other").is_present);
  ExpectError(ErrorKind::kNotFound, "say where it is with `statelib model add PATH`",
              [&] { Choose("other"); });
}

TEST_F(Models, TheFallbackIsFoundByItsFingerprintWhereverItIsNow) {
  const std::filesystem::path before = folder_.path() / "before";
  std::filesystem::copy(DemoModel(), before);
  AddModel(library_, before, "demo");
  SetDefaultModel(library_, "demo");
  IngestText("a", "Some words.");
  AddModel(library_, before, "demo");
  const storage::ResolvedState state = library_.Resolve("a");
  const ModelPlace fallback{DemoModel(), "demo"};
  EXPECT_EQ(ChooseModel(&library_, "", &state, fallback).directory, before);
  std::filesystem::remove_all(before);
  EXPECT_EQ(ChooseModel(&library_, "", &state, fallback).directory, DemoModel());
  EXPECT_EQ(ChooseModel(&library_, "", nullptr, fallback).directory, DemoModel());
  EXPECT_EQ(ChooseModel(&library_, "demo", &state, fallback).directory, DemoModel());
  // Under whatever name the library knows it, and however that is told.
  AddModel(library_, DemoModel(), "renamed");
  RemoveModel(library_, "renamed");
  EXPECT_EQ(ChooseModel(&library_, "", &state, fallback).directory, DemoModel());
  // Another model is none.
  ExpectError(ErrorKind::kNotFound, "add it with `statelib model add PATH`", [&] {
    ChooseModel(&library_, "renamed", nullptr, {OtherModel(), "fallback"});
  });
}

TEST_F(Models, AFileIsAModelAsAFolderIs) {
  const auto demo = model::OpenModelFiles(DemoModel());
  for (const auto& [form, name] : {std::pair(model::ModelForm::kGguf, "small.gguf"),
                                   std::pair(model::ModelForm::kModelFile, "packed.model")}) {
    const std::filesystem::path file = library_.path() / name;
    model::Convert(*demo, file, {.form = form});
    uint64_t bytes_read = 0;
    const ModelDetails added =
        AddModel(library_, file, "", {}, "", nullptr, [&](uint64_t done, uint64_t total) {
          bytes_read = done;
          EXPECT_LE(done, total);
        });
    EXPECT_EQ(added.row.name, file.stem().string());
    EXPECT_TRUE(added.is_present);
    EXPECT_GT(bytes_read, 1'000'000u);
    EXPECT_THAT(added.row.description_json, testing::HasSubstr("\"weights\":[{\"type\":"));
    EXPECT_EQ(Choose(file.string()).directory, file);
    EXPECT_EQ(Choose(file.stem().string()).directory, file);
    const auto runtime = OpenRuntime(Choose(file.string()), {});
    EXPECT_EQ(runtime->tokenizer().fingerprint(), model_.runtime->tokenizer().fingerprint());
  }
  // Nothing is lost in a model file, so it is the same model, with the states that it has.
  EXPECT_EQ(ShowModel(library_, "packed").row.identity.fingerprint, model_.identity.fingerprint);
}

TEST_F(Models, OneThatStatesNeedIsOnlyForgottenToLieSomewhere) {
  IngestText("a", "Some words.");
  EXPECT_EQ(ShowModel(library_, "demo").states, 1u);
  EXPECT_FALSE(RemoveModel(library_, "demo"));
  EXPECT_EQ(ShowModel(library_, "demo").row.path, "");
}

TEST_F(Models, AFingerprintIsComputedAnewWhenAFileChanges) {
  const auto other = OtherModel();
  const Digest before = LoadModel(library_, {other, ""}, {}).identity.fingerprint;
  EXPECT_EQ(LoadModel(library_, {other, ""}, {}).identity.fingerprint, before);
  // What is remembered is what is used: a wrong memory shows.
  storage::Database database =
      storage::Database::Open(library_.path() / "index.db", storage::Database::Mode::kWrite);
  database.Execute("UPDATE fingerprint_cache SET fingerprint = zeroblob(32)");
  EXPECT_EQ(LoadModel(library_, {other, ""}, {}).identity.fingerprint, Digest());
  std::ofstream(other / "config.json", std::ios::app) << " ";
  const Digest after = LoadModel(library_, {other, ""}, {}).identity.fingerprint;
  EXPECT_NE(after, Digest());
  EXPECT_NE(after, before);
}

TEST_F(Models, AChangeThatKeepsSizeAndTimeOfWritingIsNoticed) {
  const auto other = OtherModel();
  const std::filesystem::path config = other / "config.json";
  const Digest before = LoadModel(library_, {other, ""}, {}).identity.fingerprint;
  const auto time = std::filesystem::last_write_time(config);
  std::fstream(config, std::ios::in | std::ios::out).seekp(-1, std::ios::end).put('\n');
  std::filesystem::last_write_time(config, time);
  EXPECT_NE(LoadModel(library_, {other, ""}, {}).identity.fingerprint, before);
}

TEST_F(Models, WithoutTrustEverythingIsReadAnew) {
  const auto other = OtherModel();
  const Digest before = LoadModel(library_, {other, ""}, {}).identity.fingerprint;
  storage::Database database =
      storage::Database::Open(library_.path() / "index.db", storage::Database::Mode::kWrite);
  database.Execute("UPDATE fingerprint_cache SET fingerprint = zeroblob(32)");
  EXPECT_EQ(LoadModel(library_, {other, ""}, {}).identity.fingerprint, Digest());
  const auto load = [&] {
    return LoadModel(library_, {other, ""}, {}, nullptr, {}, Trust::kNothing);
  };
  EXPECT_EQ(load().identity.fingerprint, before);
  EXPECT_EQ(LoadModel(library_, {other, ""}, {}).identity.fingerprint, before);
}

TEST_F(Models, TheKeyOfAModelIsRememberedUntilAFileOfItChanges) {
  const auto other = OtherModel();
  const ModelPlace place{other, ""};
  EXPECT_FALSE(RememberedKey(library_, place, {}));
  const ModelKey key = LoadModel(library_, place, {}).key();
  EXPECT_EQ(RememberedKey(library_, place, {}), key);
  engine::RuntimeOptions options;
  options.weights = "int8";
  EXPECT_EQ(RememberedKey(library_, place, options),
            (ModelKey{key.fingerprint, LoadModel(library_, place, options).key().profile}));
  EXPECT_EQ(RememberedKey(library_, {other, "", "", "bf16"}, {})->profile, "bf16-r1");
  EXPECT_FALSE(RememberedKey(library_, {other, "", DemoModel() / "tokenizer.json"}, {}))
      << "another file, so perhaps another tokenizer";
  for (const char* const name : {"config.json", "new.json"}) {
    std::ofstream(other / name, std::ios::app) << " ";
    EXPECT_FALSE(RememberedKey(library_, place, {})) << name;
    LoadModel(library_, place, {});
    EXPECT_TRUE(RememberedKey(library_, place, {})) << name;
  }
  std::filesystem::remove_all(other);
  EXPECT_FALSE(RememberedKey(library_, place, {})) << "a path alone says nothing";
}

TEST_F(Models, TheKeyOfAModelWithBlocksIsThatOfItsStates) {
  const std::filesystem::path file = library_.path() / "small.gguf";
  model::Convert(*model::OpenModelFiles(DemoModel()), file,
                 {.form = model::ModelForm::kGguf, .weights = model_files::ElementType::kQ8_0});
  const ModelKey key = LoadModel(library_, {file, ""}, {}).key();
  EXPECT_EQ(key.profile, "blocks-r1");
  EXPECT_EQ(RememberedKey(library_, {file, ""}, {}), key);
}

TEST_F(Models, AKnownModelThatIsGoneHasTheKeyThatItHad) {
  const auto other = OtherModel();
  const ModelDetails added = AddModel(library_, other, "other", {}, "int8");
  std::filesystem::remove_all(other);
  const auto find = [&] { return FindModel(&library_, "other", nullptr, {}); };
  EXPECT_EQ(RememberedKey(library_, find(), {}),
            (ModelKey{added.row.identity.fingerprint, "int8-r1"}));
  ModelPlace place = find();
  place.tokenizer = DemoModel() / "tokenizer.json";
  EXPECT_FALSE(RememberedKey(library_, place, {})) << "nobody knows what they are together";
}

}  // namespace
}  // namespace statelib::library
