// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/torch_file.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/error.h"
#include "core/base/lfs_pointer.h"
#include "core/base/printable.h"
#include "core/model_files/pickle.h"
#include "core/model_files/tensor_text.h"
#include "core/model_files/torch_globals.h"
#include "core/model_files/zip_archive.h"

namespace statelib::model_files {

namespace {

constexpr size_t kRankMax = 16;
constexpr size_t kTensorsMax = 200'000;  // one key in the pickle can be named many times
constexpr int kWrappersMax = 2;
constexpr int kParametersMax = 2;
// The members under which training scripts keep the state dict.
constexpr std::string_view kWrapperKeys[] = {"state_dict", "model", "model_state_dict"};
// How a file of the format before zip begins: protocol 2, the integer 0x1950a86a20f9469cfc6c.
constexpr std::array<uint8_t, 14> kLegacyMagic = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                                  0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

void RefuseLegacy(ByteSpan file, const std::string& path) {
  const ByteSpan magic = std::as_bytes(std::span(kLegacyMagic));
  if (file.size() < magic.size() || !std::ranges::equal(file.first(magic.size()), magic)) return;
  Throw(ErrorKind::kUnsupported,
        "{}: expected the zip format of torch.save, found the format from before PyTorch 1.6; load "
        "and save it once with a newer PyTorch",
        path);
}

/// "archive" for an archive whose pickle is "archive/data.pkl".
std::string FolderOf(const std::vector<ZipEntry>& entries, const std::string& path) {
  constexpr std::string_view kPickleName = "/data.pkl";
  std::vector<std::string> folders;
  for (const ZipEntry& entry : entries) {
    const std::string_view name = entry.name;
    if (name.ends_with("/constants.pkl") || name.find("/code/") != std::string_view::npos) {
      Throw(ErrorKind::kUnsupported,
            "{}: expected a state dict, found a TorchScript archive ({}); save the model's "
            "state_dict() by torch.save",
            path, Quoted(name));
    }
    const size_t folder = name.find('/');
    if (folder != std::string_view::npos && name.substr(folder) == kPickleName) {
      folders.emplace_back(name.substr(0, folder));
    }
  }
  if (folders.size() != 1) {
    Throw(ErrorKind::kCorrupt, "{}: expected one FOLDER/data.pkl in the archive, found {}", path,
          folders.size());
  }
  return folders[0];
}

struct Storage {
  ElementType type = ElementType::kF32;
  bool untyped = false;  ///< bytes, whose element type stands beside the tensor
  ByteSpan bytes;
};

/// Makes tensors of the nodes of one state dict.
class StateDictReader {
 public:
  StateDictReader(const PickleGraph& graph, const std::vector<ZipEntry>& entries,
                  std::string folder, const std::string& path, uint64_t copy_bytes_max)
      : graph_(graph),
        entries_(entries),
        folder_(std::move(folder)),
        path_(std::make_shared<const std::string>(path)),
        copy_bytes_left_(copy_bytes_max) {}

  TorchTensors Read() {
    const PickleNode& dict = StateDict();
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleNode& value = graph_[dict.items[i + 1]];
      if (value.kind != PickleKind::kCall) continue;  // a step count, a version, …
      if (result_.tensors.size() >= kTensorsMax) {
        Throw(ErrorKind::kCorrupt, "{}: expected at most {} tensors, found more", *path_,
              kTensorsMax);
      }
      name_ = NameOfTensor(graph_[dict.items[i]]);
      AddTensor(value);
    }
    if (result_.tensors.empty()) {
      Throw(ErrorKind::kUnsupported, "{}: expected a dict of tensors, found {} members without any",
            *path_, dict.items.size() / 2);
    }
    return std::move(result_);
  }

 private:
  template <typename... Args>
  [[noreturn]] void Fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    Throw(kind, "{}: tensor {}: {}", *path_, Quoted(name_),
          fmt::format(format, std::forward<Args>(args)...));
  }

  /// The dict of tensors, taken out of at most kWrappersMax dicts around it.
  const PickleNode& StateDict() {
    const PickleNode* dict = &graph_[graph_.root];
    for (int depth = 0;; ++depth) {
      if (dict->kind != PickleKind::kDict) {
        Throw(ErrorKind::kUnsupported,
              "{}: expected a state dict, found another object; save the model's state_dict() by "
              "torch.save",
              *path_);
      }
      const PickleNode* inner = depth < kWrappersMax ? Wrapped(*dict) : nullptr;
      if (inner == nullptr) return *dict;
      dict = inner;
    }
  }

  const PickleNode* Wrapped(const PickleNode& dict) {
    for (const std::string_view key : kWrapperKeys) {
      for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
        const PickleNode& value = graph_[dict.items[i + 1]];
        if (graph_[dict.items[i]].text == key && value.kind == PickleKind::kDict) return &value;
      }
    }
    return nullptr;
  }

  std::string NameOfTensor(const PickleNode& key) {
    if (key.kind != PickleKind::kString || !IsPlainName(key.text)) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected tensor names of 1 to 1024 bytes without control characters, found {}",
            *path_, key.kind == PickleKind::kString ? Quoted(key.text) : "no text");
    }
    return std::string(key.text);
  }

  TorchGlobal CalleeOf(const PickleNode& call) {
    return static_cast<TorchGlobal>(graph_[call.items[0]].integer);
  }

  std::span<const PickleId> ArgumentsOf(const PickleNode& call) {
    return graph_[call.items[1]].items;
  }

  void AddTensor(const PickleNode& value) {
    const PickleNode* call = &value;
    for (int depth = 0; CalleeOf(*call) == TorchGlobal::kRebuildParameter; ++depth) {
      const std::span<const PickleId> arguments = ArgumentsOf(*call);
      if (arguments.empty() || depth == kParametersMax ||
          graph_[arguments[0]].kind != PickleKind::kCall) {
        Fail(ErrorKind::kCorrupt, "expected a parameter that holds a tensor, found none");
      }
      call = &graph_[arguments[0]];
    }
    const std::span<const PickleId> arguments = ArgumentsOf(*call);
    size_t least = 0;
    switch (CalleeOf(*call)) {
      case TorchGlobal::kRebuildTensor:
        least = 4;
        break;
      case TorchGlobal::kRebuildTensorV2:
        least = 6;
        break;
      case TorchGlobal::kRebuildTensorV3:
        least = 7;
        break;
      default:
        Fail(ErrorKind::kUnsupported, "expected a dense tensor, found {}", NameOf(CalleeOf(*call)));
    }
    if (arguments.size() < least) {
      Fail(ErrorKind::kCorrupt, "expected {} arguments that describe it, found {}", least,
           arguments.size());
    }
    Storage storage = StorageOf(graph_[arguments[0]]);
    if (storage.untyped) {
      if (least != 7) Fail(ErrorKind::kCorrupt, "expected a typed storage, found an untyped one");
      storage.type = DTypeOf(graph_[arguments[6]]);
    }
    Place(storage, IntegerOf(graph_[arguments[1]], "offset"), AxesOf(arguments[2], "sizes"),
          AxesOf(arguments[3], "strides"));
  }

  int64_t IntegerOf(const PickleNode& node, const char* what) {
    if (node.kind != PickleKind::kInteger || node.integer < 0) {
      Fail(ErrorKind::kCorrupt, "{}: expected integers that are not negative, found others", what);
    }
    return node.integer;
  }

  /// Sizes or strides: a tuple, or torch.Size of one.
  std::vector<int64_t> AxesOf(PickleId id, const char* what) {
    const PickleNode* node = &graph_[id];
    if (node->kind == PickleKind::kCall && CalleeOf(*node) == TorchGlobal::kSize &&
        ArgumentsOf(*node).size() == 1) {
      node = &graph_[ArgumentsOf(*node)[0]];
    }
    if (node->kind != PickleKind::kTuple || node->items.size() > kRankMax) {
      Fail(ErrorKind::kCorrupt, "{}: expected a tuple of at most {} integers, found another", what,
           kRankMax);
    }
    std::vector<int64_t> axes;
    for (const PickleId axis : node->items) axes.push_back(IntegerOf(graph_[axis], what));
    return axes;
  }

  ElementType DTypeOf(const PickleNode& node) {
    const std::optional<ElementType> type =
        node.kind == PickleKind::kGlobal ? DTypeElement(static_cast<TorchGlobal>(node.integer))
                                         : std::nullopt;
    if (!type) Fail(ErrorKind::kUnsupported, "expected a dtype of torch, found another object");
    return *type;
  }

  /// The storage that a persistent id names: ("storage", class, key, device, element count).
  Storage StorageOf(const PickleNode& node) {
    const PickleNode* id = node.kind == PickleKind::kPersistent ? &graph_[node.items[0]] : nullptr;
    if (id == nullptr || id->kind != PickleKind::kTuple || id->items.size() < 5 ||
        graph_[id->items[0]].text != "storage" ||
        graph_[id->items[1]].kind != PickleKind::kGlobal ||
        graph_[id->items[2]].kind != PickleKind::kString) {
      Fail(ErrorKind::kCorrupt, "expected a storage of the archive, found another object");
    }
    const auto global = static_cast<TorchGlobal>(graph_[id->items[1]].integer);
    Storage storage;
    storage.untyped = global == TorchGlobal::kUntypedStorage;
    if (const std::optional<ElementType> type = StorageElement(global)) {
      storage.type = *type;
    } else {
      Fail(ErrorKind::kUnsupported, "expected a storage class, found {}", NameOf(global));
    }
    const std::string entry_name = fmt::format("{}/data/{}", folder_, graph_[id->items[2]].text);
    const ZipEntry* entry = FindEntry(entries_, entry_name);
    if (entry == nullptr) {
      Fail(ErrorKind::kCorrupt, "expected the storage {} in the archive, found none",
           Quoted(entry_name));
    }
    const int64_t count = IntegerOf(graph_[id->items[4]], "element count of its storage");
    if (StorageBytes(storage.type, std::span(&count, 1)) != entry->bytes.size()) {
      Fail(ErrorKind::kCorrupt, "storage {}: expected {} elements of type {}, found {} bytes",
           Quoted(entry_name), count, NameOf(storage.type), entry->bytes.size());
    }
    storage.bytes = entry->bytes;
    return storage;
  }

  void Place(const Storage& storage, int64_t offset, std::vector<int64_t> sizes,
             const std::vector<int64_t>& strides) {
    const uint64_t element_bytes = InfoOf(storage.type).block_bits / 8;
    const auto count = static_cast<int64_t>(storage.bytes.size() / element_bytes);
    const std::optional<uint64_t> bytes = StorageBytes(storage.type, sizes);
    if (!bytes || sizes.size() != strides.size() ||
        (*bytes > 0 && !Fits(offset, sizes, strides, count))) {
      Fail(ErrorKind::kCorrupt,
           "expected it inside its storage of {} elements, found offset {}, sizes {}, strides {}",
           count, offset, ShapeText(sizes), ShapeText(strides));
    }
    TensorRef tensor{name_, storage.type, std::move(sizes), {}, path_};
    if (*bytes == 0) {
      tensor.bytes = storage.bytes.first(0);
    } else if (IsDense(tensor.shape, strides)) {
      tensor.bytes = storage.bytes.subspan(static_cast<uint64_t>(offset) * element_bytes, *bytes);
    } else {
      tensor.bytes = Gather(storage, static_cast<uint64_t>(offset), tensor.shape, strides, *bytes);
    }
    result_.tensors.push_back(std::move(tensor));
  }

  /// Whether the last element of a tensor that is not empty lies inside `count` elements.
  static bool Fits(int64_t offset, const std::vector<int64_t>& sizes,
                   const std::vector<int64_t>& strides, int64_t count) {
    int64_t last = offset;
    for (size_t i = 0; i < sizes.size(); ++i) {
      int64_t step = 0;
      if (__builtin_mul_overflow(sizes[i] - 1, strides[i], &step) ||
          __builtin_add_overflow(last, step, &last)) {
        return false;
      }
    }
    return last < count;
  }

  static bool IsDense(const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides) {
    int64_t expected = 1;
    for (size_t i = sizes.size(); i-- > 0;) {
      if (sizes[i] != 1 && strides[i] != expected) return false;
      expected *= sizes[i];
    }
    return true;
  }

  /// Copies a strided tensor into dense rows.
  ByteSpan Gather(const Storage& storage, uint64_t offset, const std::vector<int64_t>& sizes,
                  const std::vector<int64_t>& strides, uint64_t bytes) {
    // A stride of 0 makes a huge tensor of one element: no more is copied than the file holds.
    if (bytes > copy_bytes_left_) {
      Fail(ErrorKind::kUnsupported,
           "expected dense rows, found strides {} that repeat elements; save it .contiguous()",
           ShapeText(strides));
    }
    copy_bytes_left_ -= bytes;
    const uint64_t element_bytes = InfoOf(storage.type).block_bits / 8;
    Bytes& copy = result_.copies.emplace_back(bytes);
    std::vector<int64_t> index(sizes.size(), 0);
    for (uint64_t done = 0; done < bytes; done += element_bytes) {
      uint64_t from = offset;
      for (size_t i = 0; i < sizes.size(); ++i)
        from += static_cast<uint64_t>(index[i] * strides[i]);
      std::ranges::copy(storage.bytes.subspan(from * element_bytes, element_bytes),
                        copy.begin() + static_cast<ptrdiff_t>(done));
      for (size_t i = sizes.size(); i-- > 0 && ++index[i] == sizes[i];) index[i] = 0;
    }
    return copy;
  }

  const PickleGraph& graph_;
  const std::vector<ZipEntry>& entries_;
  std::string folder_;
  std::shared_ptr<const std::string> path_;
  uint64_t copy_bytes_left_;
  std::string name_;  ///< of the tensor at hand, for messages
  TorchTensors result_;
};

}  // namespace

TorchTensors ParseTorchFile(ByteSpan archive, const std::string& path) {
  RefuseLfsPointer(archive, path);
  RefuseLegacy(archive, path);
  const std::vector<ZipEntry> entries = ReadStoredZip(archive, path);
  const std::string folder = FolderOf(entries, path);
  const ZipEntry* order = FindEntry(entries, folder + "/byteorder");
  if (order != nullptr && AsText(order->bytes) != "little") {
    Throw(ErrorKind::kUnsupported, "{}: expected the byte order \"little\", found {}", path,
          Quoted(AsText(order->bytes)));
  }
  const std::string pickle_name = folder + "/data.pkl";
  const PickleGraph graph = ReadPickle(FindEntry(entries, pickle_name)->bytes, TorchGlobalNames(),
                                       fmt::format("{}: {}", path, Quoted(pickle_name)));
  return StateDictReader(graph, entries, folder, path, archive.size()).Read();
}

TensorFile OpenTorchFile(const std::filesystem::path& path) {
  MappedFile file = MappedFile::Open(path);
  TorchTensors parsed = ParseTorchFile(file.bytes(), path.string());
  return TensorFile(std::move(file), std::move(parsed.tensors), std::move(parsed.copies));
}

}  // namespace statelib::model_files
