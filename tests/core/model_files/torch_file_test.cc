// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/torch_file.h"

#include <gtest/gtest.h>

#include "core/model_files/fingerprint.h"
#include "core/model_files/model_files.h"
#include "core/model_files/tensor_text.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/torch_archive_builder.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

namespace fs = std::filesystem;
const fs::path kGolden = fs::path(STATELIB_SOURCE_DIR) / "tests/golden";

std::string Floats(std::string_view key, int32_t count) {
  return PickleStorage("torch", "FloatStorage", key, count);
}

/// An archive with the storage "0" of six floats and this one tensor over it.
std::string OneTensor(int32_t offset, const std::vector<int32_t>& sizes,
                      const std::vector<int32_t>& strides) {
  return BuildTorchArchive(
      PickleDict({{"x", PickleTensor(Floats("0", 6), offset, sizes, strides)}}),
      {{"0", CountingFloats(6)}});
}

std::vector<float> ValuesOf(const std::string& archive, const std::string& name) {
  const TorchTensors parsed = ParseTorchFile(AsBytes(archive), "m.bin");
  for (const TensorRef& tensor : parsed.tensors) {
    if (tensor.name == name) return ReadF32(tensor);
  }
  ADD_FAILURE() << name << " is not there";
  return {};
}

void ExpectRefused(ErrorKind kind, std::initializer_list<std::string> parts,
                   const std::string& archive) {
  ExpectError(kind, parts, [&] { ParseTorchFile(AsBytes(archive), "m.bin"); });
}

TEST(TorchFile, OriginalMambaHoldsTheTensorsOfItsPublishedForm) {
  const auto original = ModelFiles::Open(kGolden / "mamba_original");
  const auto published = ModelFiles::Open(kGolden / "mamba");
  for (const TensorRef& tensor : published->tensors().all()) {
    std::string name = tensor.name;
    if (name == "backbone.embeddings.weight") name = "backbone.embedding.weight";
    const TensorRef& other = original->Get(name);
    EXPECT_EQ(other.shape, tensor.shape) << name;
    EXPECT_EQ(AsText(other.bytes), AsText(tensor.bytes)) << name;
  }
  EXPECT_EQ(original->config()["d_model"].Int(1, 1000), 48);
}

TEST(TorchFile, TiedWeightsShareTheirBytes) {
  for (const char* model : {"mamba_original", "mamba2_original"}) {
    const auto original = ModelFiles::Open(kGolden / model);
    EXPECT_EQ(original->Get("lm_head.weight").bytes.data(),
              original->Get("backbone.embedding.weight").bytes.data());
  }
}

TEST(TorchFile, ShardsAreRead) {
  TemporaryDirectory folder;
  const std::string one = PickleTensor(Floats("0", 6), 0, {6}, {1});
  folder.Write("a.bin", BuildTorchArchive(PickleDict({{"x", one}}), {{"0", CountingFloats(6)}}));
  folder.Write("b.bin", BuildTorchArchive(PickleDict({{"y", one}}), {{"0", CountingFloats(6)}}));
  folder.Write("config.json", "{}");
  folder.Write("pytorch_model.bin.index.json", R"({"weight_map":{"x":"a.bin","y":"b.bin"}})");
  EXPECT_EQ(ReadF32(ModelFiles::Open(folder.path())->Get("y"))[5], 5.0f);
}

TEST(TorchFile, ReadsViewsOfAStorage) {
  using Values = std::vector<float>;
  EXPECT_EQ(ValuesOf(OneTensor(0, {2, 3}, {3, 1}), "x"), (Values{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(ValuesOf(OneTensor(2, {2, 2}, {2, 1}), "x"), (Values{2, 3, 4, 5}));
  EXPECT_EQ(ValuesOf(OneTensor(0, {3, 2}, {1, 3}), "x"), (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(ValuesOf(OneTensor(1, {2}, {4}), "x"), (Values{1, 5}));
  EXPECT_EQ(ValuesOf(OneTensor(0, {2, 3}, {0, 1}), "x"), (Values{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(ValuesOf(OneTensor(3, {}, {}), "x"), (Values{3}));
  EXPECT_EQ(ValuesOf(OneTensor(3, {1, 1, 2}, {77, 0, 1}), "x"), (Values{3, 4}));
  EXPECT_EQ(ValuesOf(OneTensor(99, {0, 5}, {5, 1}), "x"), (Values{}));
}

TEST(TorchFile, ViewsOutsideTheirStorageAreRefused) {
  for (const std::string& archive :
       {OneTensor(1, {2, 3}, {3, 1}), OneTensor(0, {7}, {1}), OneTensor(6, {}, {}),
        OneTensor(0, {2}, {6}), OneTensor(0, {2, 3}, {3}),
        OneTensor(0, {0x7fffffff, 0x7fffffff, 0x7fffffff}, {0x7fffffff, 0x7fffffff, 1})}) {
    ExpectRefused(ErrorKind::kCorrupt, {"tensor \"x\"", "inside its storage of 6 elements"},
                  archive);
  }
  ExpectRefused(ErrorKind::kCorrupt, {"not negative"}, OneTensor(-1, {2}, {1}));
  ExpectRefused(ErrorKind::kCorrupt, {"not negative"}, OneTensor(0, {2}, {-1}));
}

TEST(TorchFile, RepeatedElementsDoNotFillTheMemory) {
  ExpectRefused(ErrorKind::kUnsupported, {"repeat elements"},
                OneTensor(0, {1 << 20, 1 << 20}, {0, 0}));
}

TEST(TorchFile, EveryStorageClassAndParameterIsRead) {
  const auto one = [](const char* storage_class, size_t bytes) {
    const std::string storage = PickleStorage("torch", storage_class, "0", 3);
    return BuildTorchArchive(PickleDict({{"x", PickleTensor(storage, 0, {3}, {1})}}),
                             {{"0", std::string(bytes, '\0')}});
  };
  const std::pair<const char*, ElementType> classes[] = {
      {"FloatStorage", ElementType::kF32},     {"HalfStorage", ElementType::kF16},
      {"BFloat16Storage", ElementType::kBF16}, {"DoubleStorage", ElementType::kF64},
      {"LongStorage", ElementType::kI64},      {"IntStorage", ElementType::kI32},
      {"ShortStorage", ElementType::kI16},     {"CharStorage", ElementType::kI8},
      {"ByteStorage", ElementType::kU8},       {"BoolStorage", ElementType::kBool}};
  for (const auto& [name, type] : classes) {
    const std::string archive = one(name, 3 * InfoOf(type).block_bits / 8);
    EXPECT_EQ(ParseTorchFile(AsBytes(archive), "m").tensors.at(0).type, type);
  }
  const std::string tensor = PickleTensor(Floats("0", 6), 0, {6}, {1});
  const std::string parameter = PickleGlobalOp("torch._utils", "_rebuild_parameter") + "(" +
                                tensor + "\x88" + PickleGlobalOp("collections", "OrderedDict") +
                                ")RtR";
  EXPECT_EQ(ValuesOf(BuildTorchArchive(PickleDict({{"x", parameter}}), {{"0", CountingFloats(6)}}),
                     "x")[4],
            4.0f);
}

TEST(TorchFile, UntypedStorageTakesItsTypeFromTheTensor) {
  const std::string storage = PickleStorage("torch.storage", "UntypedStorage", "0", 24);
  const std::string tensor = PickleGlobalOp("torch._utils", "_rebuild_tensor_v3") + "(" + storage +
                             PickleInt(1) + PickleInts({5}) + PickleInts({1}) + "\x89" +
                             PickleGlobalOp("collections", "OrderedDict") + ")R" +
                             PickleGlobalOp("torch", "float32") + "tR";
  EXPECT_EQ(
      ValuesOf(BuildTorchArchive(PickleDict({{"x", tensor}}), {{"0", CountingFloats(6)}}), "x"),
      (std::vector<float>{1, 2, 3, 4, 5}));
}

TEST(TorchFile, StateDictIsFoundInsideTheDictsOfTrainingScripts) {
  const std::string inner = PickleDict({{"x", PickleTensor(Floats("0", 6), 0, {6}, {1})}});
  for (const char* key : {"state_dict", "model"}) {
    const std::string outer = PickleDict({{"epoch", PickleInt(3)}, {key, inner}});
    EXPECT_EQ(ValuesOf(BuildTorchArchive(outer, {{"0", CountingFloats(6)}}), "x").size(), 6u);
  }
  const std::string deep =
      PickleDict({{"model", PickleDict({{"model", PickleDict({{"model", inner}})}})}});
  ExpectRefused(ErrorKind::kUnsupported, {"expected a dict of tensors"},
                BuildTorchArchive(deep, {{"0", CountingFloats(6)}}));
}

TEST(TorchFile, Zip64ArchivesAreRead) {
  const std::string value = PickleDict({{"x", PickleTensor(Floats("0", 6), 0, {6}, {1})}});
  EXPECT_EQ(ValuesOf(BuildTorchArchive(value, {{"0", CountingFloats(6)}}, {.zip64 = true}), "x")[5],
            5.0f);
}

TEST(TorchFile, StoragesAreCheckedAgainstTheArchive) {
  const std::string value = PickleDict({{"x", PickleTensor(Floats("0", 6), 0, {6}, {1})}});
  ExpectRefused(ErrorKind::kCorrupt, {"\"m/data/0\"", "expected 6 elements of type F32, found 20"},
                BuildTorchArchive(value, {{"0", CountingFloats(5)}}));
  ExpectRefused(ErrorKind::kCorrupt, {"expected the storage \"m/data/0\" in the archive"},
                BuildTorchArchive(value, {{"1", CountingFloats(6)}}));
  const std::string wrong = PickleStorage("torch", "Size", "0", 6);
  ExpectRefused(ErrorKind::kUnsupported, {"expected a storage class, found torch.Size"},
                BuildTorchArchive(PickleDict({{"x", PickleTensor(wrong, 0, {6}, {1})}}),
                                  {{"0", CountingFloats(6)}}));
}

TEST(TorchFile, OtherFormatsAreRefusedByName) {
  const std::string legacy = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.";
  ExpectRefused(ErrorKind::kUnsupported, {"before PyTorch 1.6"}, legacy);
  ExpectRefused(ErrorKind::kUnsupported, {"TorchScript archive (\"m/constants.pkl\")"},
                BuildZip({{"m/data.pkl", "x"}, {"m/constants.pkl", "x"}}));
  ExpectRefused(ErrorKind::kUnsupported, {"TorchScript"},
                BuildZip({{"m/data.pkl", "x"}, {"m/code/__torch__.py", "x"}}));
  ExpectRefused(ErrorKind::kCorrupt, {"one FOLDER/data.pkl in the archive, found 0"},
                BuildZip({{"other", "x"}}));
  ExpectRefused(ErrorKind::kCorrupt, {"found 2"},
                BuildZip({{"a/data.pkl", ""}, {"b/data.pkl", ""}}));
  ExpectRefused(ErrorKind::kUnsupported, {"byte order \"little\", found \"big\""},
                BuildZip({{"m/data.pkl", ""}, {"m/byteorder", "big"}}));
  ExpectRefused(ErrorKind::kUnsupported, {"expected a state dict, found another object"},
                BuildTorchArchive("K\x01", {}));
  ExpectRefused(ErrorKind::kUnsupported, {"found 0 members without any"},
                BuildTorchArchive("}", {}));
}

TEST(TorchFile, ACallThatIsNoTensorIsRefused) {
  const auto one = [](const std::string& value) {
    return BuildTorchArchive(PickleDict({{"x", value}}), {{"0", CountingFloats(6)}});
  };
  ExpectRefused(ErrorKind::kUnsupported, {"expected a dense tensor, found torch.device"},
                one(PickleGlobalOp("torch", "device") + PickleText("cpu") + "\x85R"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected 6 arguments", "found 0"},
                one(PickleGlobalOp("torch._utils", "_rebuild_tensor_v2") + ")R"));
  // A parameter whose tensor is itself.
  ExpectRefused(ErrorKind::kCorrupt, {"expected a parameter that holds a tensor"},
                one(PickleGlobalOp("torch._utils", "_rebuild_parameter") + "K\x01\x85R"));
  ExpectRefused(ErrorKind::kCorrupt, {"expected a storage of the archive"},
                one(PickleTensor("N", 0, {6}, {1})));
}

TEST(TorchFile, CutAtEveryByteIsRefused) {
  const std::string archive = OneTensor(0, {2, 3}, {3, 1});
  for (size_t length = 0; length < archive.size(); ++length) {
    ExpectError(ErrorKind::kCorrupt, {"m.bin"},
                [&] { ParseTorchFile(AsBytes(archive).first(length), "m.bin"); });
  }
}

TEST(TorchFile, EveryFlippedBitIsRefusedOrInsideTheFile) {
  const std::string archive = OneTensor(0, {3, 2}, {1, 3});
  for (size_t at = 0; at < archive.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = archive;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      try {
        const TorchTensors parsed = ParseTorchFile(AsBytes(changed), "m.bin");
        for (const TensorRef& tensor : parsed.tensors) {
          ASSERT_EQ(StorageBytes(tensor.type, tensor.shape), tensor.bytes.size());
          Hasher().Update(tensor.bytes).Finish();  // touches every byte
        }
      } catch (const Error& error) {
        ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      }
    }
  }
}

}  // namespace
}  // namespace statelib::model_files
