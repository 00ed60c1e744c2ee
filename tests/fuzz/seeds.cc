// SPDX-License-Identifier: Apache-2.0
// Writes the seed corpus of the fuzz targets: small sound files, from which the fuzzer starts.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/model/packed_file.h"
#include "core/model_files/safetensors_writer.h"
#include "core/model_files/statelib_model.h"
#include "statestore/remote/remote.h"
#include "statestore/storage/change.h"
#include "statestore/storage/tokens_object.h"
#include "tests/core/model_files/gguf_builder.h"
#include "tests/core/model_files/torch_archive_builder.h"
#include "tests/fuzz/fuzz_files.h"
#include "tests/fuzz/server_seeds.h"
#include "tests/statestore/documents/zip_builder.h"
#include "tests/statestore/hostile_index.h"
#include "tests/statestore/sample_state.h"

namespace statelib::model_files {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void WriteSafetensorsSeeds(const fs::path& corpus) {
  const std::string floats = CountingFloats(6);
  const ByteSpan bytes = AsBytes(floats);
  const std::vector<TensorToWrite> entries = {{"matrix", ElementType::kF32, {2, 3}, bytes},
                                              {"half", ElementType::kBF16, {4}, bytes.first(8)},
                                              {"scalar", ElementType::kI64, {}, bytes.first(8)},
                                              {"empty", ElementType::kF16, {0}, {}}};
  fs::create_directories(corpus / "fuzz_safetensors");
  fs::remove(corpus / "fuzz_safetensors" / "small");
  WriteSafetensors(FileSystem::Real(), corpus / "fuzz_safetensors" / "small", entries);
  const std::string block(34, '\1');
  const std::vector<TensorToWrite> blocks = {{"x", ElementType::kQ8_0, {1, 32}, AsBytes(block)}};
  WriteStatelibModel(FileSystem::Real(), corpus / "fuzz_safetensors" / "model_file", blocks,
                     R"({"model_type": "mamba"})", "{}");
}

void WriteTextSeeds(const fs::path& corpus) {
  Write(corpus / "fuzz_shard_index" / "two",
        R"({"metadata":{"total_size":1},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})");
  Write(corpus / "fuzz_config" / "mamba",
        R"({"model_type":"mamba","hidden_size":48,"time_step_rank":"auto","use_bias":false})");
  Write(corpus / "fuzz_config" / "infinite",
        R"({"time_step_limit":[0.0,Infinity],"x":{"__float__":"-Infinity"},"y":NaN})");
}

// For the tensors that fuzz_model.cc has.
void WriteModelSeeds(const fs::path& corpus) {
  const std::string sizes =
      R"("vocab_size":5,"hidden_size":4,"num_hidden_layers":1,"state_size":2,"conv_kernel":4,"expand":2,)"
      R"("layer_norm_epsilon":1e-5,"use_bias":true,"use_conv_bias":true,"hidden_act":"silu",)";
  Write(corpus / "fuzz_model" / "mamba",
        "{" + sizes + R"("model_type":"mamba","time_step_rank":3,"eos_token_id":[0,1]})");
  Write(corpus / "fuzz_model" / "falcon_mamba",
        "{" + sizes +
            R"("model_type":"falcon_mamba","time_step_rank":3,"intermediate_size":8,)"
            R"("mixer_rms_eps":1e-6,"tie_word_embeddings":false})");
  Write(
      corpus / "fuzz_model" / "mamba2",
      "{" + sizes +
          R"("model_type":"mamba2","num_heads":4,"head_dim":2,"n_groups":2,"mixer_norm_groups":1,)"
          R"("rms_norm":true,"time_step_limit":[0.0,Infinity]})");
  const std::string original =
      R"({"d_model":4,"n_layer":1,"vocab_size":5,"tie_embeddings":true,)"
      R"("rms_norm":true,"pad_vocab_size_multiple":1,"attn_layer_idx":[],)"
      R"("d_intermediate":0,"ssm_cfg":{"d_state":2,"d_conv":4,"bias":true,)";
  Write(corpus / "fuzz_model" / "mamba_original", original + R"("dt_rank":3}})");
  Write(corpus / "fuzz_model" / "mamba2_original",
        original +
            R"("layer":"Mamba2","headdim":2,"ngroups":2,"rmsnorm":true,"dt_limit":[0.0,1.0]}})");
}

void WriteTorchSeeds(const fs::path& corpus) {
  const std::string tensor =
      PickleTensor(PickleStorage("torch", "FloatStorage", "0", 6), 0, {3, 2}, {1, 3});
  const std::string value = PickleGlobalOp("collections", "OrderedDict") + ")R(" + PickleText("x") +
                            tensor + "q\x01" + PickleText("y") + "h\x01" + "u" + "}b";
  Write(corpus / "fuzz_pickle" / "dict", Pickle(value));
  Write(corpus / "fuzz_torch_file" / "small", BuildTorchArchive(value, {{"0", CountingFloats(6)}}));
  Write(corpus / "fuzz_torch_file" / "zip64",
        BuildTorchArchive(value, {{"0", CountingFloats(6)}}, {.zip64 = true}));
}

void WriteGgufSeeds(const fs::path& corpus) {
  GgufBuilder mamba = SmallMamba(1);
  mamba
      .Array("tokenizer.ggml.tokens", GgufType::kString, 2,
             GgufBuilder::Text("a") + GgufBuilder::Text("b"))
      .Tensor("token_embd.weight", {4, 2}, 0, CountingFloats(8))
      .Tensor("blk.0.ssm_conv1d.weight", {4, 8}, 0, CountingFloats(32))
      .Tensor("blk.0.ssm_out.weight", {32, 1}, 8, std::string(34, '\1'));
  Write(corpus / "fuzz_gguf" / "mamba", mamba.Build());
  GgufBuilder blocks;
  const std::pair<uint32_t, size_t> types[] = {{2, 8 * 18}, {12, 144}, {13, 176}, {14, 210}};
  for (const auto& [type, bytes] : types) {
    blocks.Tensor("t" + std::to_string(type), {256}, type, std::string(bytes, '\x35'));
  }
  Write(corpus / "fuzz_gguf" / "blocks", blocks.Build());
}

// Each holds many kinds of components, so that the fuzzer knows their words.
void WriteTokenizerSeeds(const fs::path& corpus) {
  const std::string byte_level =
      R"({"version":"1.0","added_tokens":[{"id":9,"content":"<s>","special":true,"lstrip":true},)"
      R"({"id":10,"content":"  ","normalized":true,"single_word":true,"rstrip":true}],)"
      R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Strip"},)"
      R"({"type":"Replace","pattern":{"Regex":"\\s{2,}"},"content":" "}]},)"
      R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[)"
      R"({"type":"Punctuation","behavior":"Contiguous"},{"type":"Digits","individual_digits":true},)"
      R"({"type":"Split","pattern":{"Regex":"(?i:'s)|\\p{N}{1,3}"},"behavior":"MergedWithNext",)"
      R"("invert":true},{"type":"ByteLevel","add_prefix_space":true}]},)"
      R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
      R"({"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[9]}}},)"
      R"("decoder":{"type":"ByteLevel"},"model":{"type":"BPE","ignore_merges":true,)"
      R"("vocab":{"a":0,"b":1,"ab":2,"\u0120":3,"\u0120a":4,"1":5},"merges":["a b",["\u0120","a"]]}})";
  const std::string pieces =
      R"({"added_tokens":[],"normalizer":{"type":"Prepend","prepend":"\u2581"},)"
      R"("pre_tokenizer":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"first"},)"
      R"("decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"\u2581"},)"
      R"("content":" "},{"type":"ByteFallback"},{"type":"Fuse"},)"
      R"({"type":"Strip","content":" ","start":1,"stop":1}]},)"
      R"("model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,)"
      R"("vocab":{"<unk>":0,"<0xC3>":1,"<0xA9>":2,"\u2581":3,"a":4,"\u2581a":5},)"
      R"("merges":["\u2581 a"]}})";
  const std::string text("\0a ab's  12 <s>\xC3\xA9\xFF\n", 20);
  Write(corpus / "fuzz_tokenizer" / "byte_level", byte_level + text);
  Write(corpus / "fuzz_tokenizer" / "pieces", pieces + text);

  for (const std::string kind : {"gpt2", "llama"}) {
    std::string tokens, types, scores;
    for (const char* token : {"<s>", "a", "b", "ab", "<0xC3>", "\u2581", "\u0120"}) {
      types += Raw(int32_t{token[0] == '<' ? (token[1] == 's' ? 3 : 6) : 1});
      scores += Raw(-static_cast<float>(scores.size()));
      tokens += GgufBuilder::Text(token);
    }
    GgufBuilder file;
    file.String("tokenizer.ggml.model", kind)
        .String("tokenizer.ggml.pre", "falcon")
        .U32("tokenizer.ggml.bos_token_id", 0)
        .U32("tokenizer.ggml.unknown_token_id", 0)
        .Array("tokenizer.ggml.tokens", GgufType::kString, 7, tokens)
        .Array("tokenizer.ggml.token_type", GgufType::kI32, 7, types)
        .Array("tokenizer.ggml.scores", GgufType::kF32, 7, scores)
        .Array("tokenizer.ggml.merges", GgufType::kString, 1, GgufBuilder::Text("a b"));
    Write(corpus / "fuzz_gguf_tokenizer" / kind, file.Build());
  }
}

void WriteDocumentSeeds(const fs::path& corpus) {
  const fs::path folder = corpus / "fuzz_documents";
  Write(folder / "page",
        "<!doctype html><html><meta charset=koi8-r><p>a &amp; b<ul><li>c<pre>d\n e");
  Write(folder / "latin",
        "Stra\xdf"
        "e \xfc"
        "ber\n");
  Write(folder / "utf16", std::string("\xff\xfe"
                                      "a\0b\0\n\0",
                                      8));
  Write(folder / "beyond_unicode",
        "\xef\xbb\xbf\xf5\xaf\xbb\xbf"
        "er\r");
  Write(folder / "docx", documents::DocxOf("<w:p><w:r><w:t>words &amp;</w:t></w:r></w:p>"));
  Write(folder / "epub",
        documents::ZipOf(
            {{"META-INF/container.xml", "<container><rootfile full-path='p.opf'/></container>"},
             {"p.opf",
              "<package><manifest><item id='a' href='a.xhtml'/></manifest><spine><itemref "
              "idref='a'/></spine></package>"},
             {"a.xhtml", "<html><body><p>Chapter</p></body></html>"}}));
}

void WriteStateObjectSeeds(const fs::path& corpus) {
  using namespace storage;
  const fs::path folder = corpus / "fuzz_state_object";
  const auto write = [&](const char* name, const EncodedObject& object) {
    Write(folder / name, std::string(AsText(object.bytes)));
  };
  const StateRecord base = SampleState();
  const auto encode = [](const StateRecord& record, Codec codec, const DeltaBase* delta_base) {
    const StateSpec& spec = record.description.spec;
    std::vector<Bytes> segments;
    for (size_t i = 0; i < spec.size(); ++i)
      segments.push_back(Approximate(CodecFor(codec, spec[i]), spec[i], record.segments[i]));
    return EncodeState(record.description, Views(segments), {}, codec,
                       Fidelity{codec, {}, {}, 1, 0, 0, 1, {0.5}}, delta_base);
  };
  write("exact", Encode(base));
  write("bf16", encode(base, Codec::kBf16, nullptr));
  write("int8", encode(base, Codec::kInt8, nullptr));
  const auto views = Views(base.segments);
  const DeltaBase delta_base{Encode(base).id, views};
  write("delta", encode(SampleStateNear(6), Codec::kDelta, &delta_base));
  write("tokens", EncodeTokens(std::vector<TokenId>{1, 500, 3}));
}

// Every kind of record, and library.toml.
void WriteRecordSeeds(const fs::path& corpus) {
  using storage::Change;
  using storage::ChangeKind;
  const Digest digest = HashOf(AsBytes("x"));
  storage::KeyedDerivation derivation{2, {}};
  derivation.derivation.state = digest;
  derivation.derivation.parent = 1;
  derivation.derivation.sources = {{"a.txt", 12, digest, 5, 7, "/a\nb"}};
  derivation.derivation.text_template = {"\n", "# {name}\n"};
  Change name{.made_at_ms = 9, .name = "a", .tag = "latest", .line = 1, .step = 1};
  Change version = name, back = name, renamed = name, removed = name;
  version.version = 1;
  version.state = digest;
  version.derivation = 2;
  version.derivations = {derivation};
  back.kind = ChangeKind::kReturn;
  back.version = 1;
  back.undoes = true;
  renamed.kind = ChangeKind::kRenamedTo;
  renamed.other_name = "b";
  renamed.other_tag = "v1";
  removed.kind = ChangeKind::kRemoved;
  Change forgotten = name;
  forgotten.kind = ChangeKind::kForgotten;
  forgotten.forgotten = {1, 3};
  Change model{.kind = ChangeKind::kModel}, model_removed{.kind = ChangeKind::kModelRemoved};
  model.model = {{digest, "mamba", "small"}, "demo",         "/m", 7, 9, "{}", "/t", "int8",
                 {"{question}", "\n", {}},   {{}, "", "No."}};
  model_removed.model.identity.fingerprint = digest;
  Change setting{.kind = ChangeKind::kSetting, .setting = "default_model", .value = digest.Hex()};
  Change had{.kind = ChangeKind::kHad, .name = "a", .tag = "latest", .had = {{digest, digest}}};
  const std::vector<Change> all = {version,       back,    renamed, removed,  model,
                                   model_removed, setting, had,     forgotten};
  for (size_t i = 0; i < all.size(); ++i) {
    const storage::ChangeRecord record{digest, i + 1, digest, {i + 1, digest, digest},
                                       0,      1,     all[i]};
    Write(corpus / "fuzz_records" / std::to_string(i),
          std::string(AsText(storage::EncodeRecord(record).bytes)));
  }
  Write(corpus / "fuzz_records" / "library", storage::TextOf({digest}));
}

void WritePackedWeightsSeed(const fs::path& corpus) {
  const std::string floats = CountingFloats(30);
  model::PackedFileWriter writer(FileSystem::Real(), corpus / "fuzz_packed_weights" / "two");
  writer.Append({1, 2, 5}, AsBytes(floats).first(100));
  writer.Append({0, 1, 3}, AsBytes(floats).first(12));
  writer.Finish(HashOf(ByteSpan()));
}

std::string Whole(const fs::path& file) {
  return std::string(AsText(FileSystem::Real().ReadFile(file, 1u << 20)));
}

/// What leaves a library: bundles, with and without tokens, and their manifests.
void WriteBundleSeeds(const fs::path& corpus) {
  using namespace storage;
  const MemoryFolder folder("fuzz-seeds");
  MakeLibraryOfEverything(folder.path() / "library");
  const Repository repository =
      Repository::Open(folder.path() / "library", Repository::Access::kRead);
  const std::pair<const char*, std::vector<std::string>> bundles[] = {
      {"one", {"a@1"}}, {"line", {"a@1", "a@2", "far"}}, {"delta", {"delta"}}};
  for (const auto& [name, states] : bundles) {
    std::vector<ResolvedState> resolved;
    for (const std::string& state : states) resolved.push_back(repository.Resolve(state));
    for (const bool tokens : {true, false}) {
      ExportOptions options;
      options.manifest.tokens = tokens;
      const std::string seed = name + std::string(tokens ? "" : "_without_tokens");
      ExportBundle(repository, resolved, FileSystem::Real(), folder.path() / seed, options);
      Write(corpus / "fuzz_bundle" / seed, Whole(folder.path() / seed));
      const auto manifest =
          OutgoingManifest::Build(repository, resolved, options.manifest).manifest();
      Write(corpus / "fuzz_manifest" / seed,
            std::string(AsText(EncodeManifest(manifest, nullptr))));
    }
  }
  const auto signed_manifest =
      OutgoingManifest::Build(repository, std::vector{repository.Resolve("a@1")}, {}).manifest();
  const SigningKey key = SigningKey::FromSeed({});
  Write(corpus / "fuzz_manifest" / "signed",
        std::string(AsText(EncodeManifest(signed_manifest, &key))));
  std::vector<RemoteVersion> versions;
  for (const uint64_t number : {1, 2}) {
    RemoteVersion version;
    version.name = "a";
    version.tag = "latest";
    version.number = number;
    version.state = repository.Resolve("a@" + std::to_string(number)).state.id;
    versions.push_back(version);
  }
  Write(corpus / "fuzz_catalogue" / "two", std::string(AsText(remote::EncodeCatalogue(versions))));
}

/// Statements of fuzz_index.cc: table, row, what, column, value, as its reader takes them from the
/// end; the fuzzer finds more.
void WriteIndexSeeds(const fs::path& corpus) {
  std::string input;
  for (int i = 0; i < 64; ++i) input += static_cast<char>(i * 37 + 11);
  Write(corpus / "fuzz_index" / "some", input);
  Write(corpus / "fuzz_index" / "few", input.substr(0, 9));
}

}  // namespace
}  // namespace statelib::model_files

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds CORPUS\n", stderr);
    return 2;
  }
  const std::filesystem::path corpus = argv[1];
  statelib::model_files::WriteSafetensorsSeeds(corpus);
  statelib::model_files::WriteTextSeeds(corpus);
  statelib::model_files::WriteModelSeeds(corpus);
  statelib::model_files::WriteTorchSeeds(corpus);
  statelib::model_files::WriteGgufSeeds(corpus);
  statelib::model_files::WriteTokenizerSeeds(corpus);
  statelib::model_files::WriteDocumentSeeds(corpus);
  statelib::model_files::WriteStateObjectSeeds(corpus);
  statelib::model_files::WriteRecordSeeds(corpus);
  statelib::WriteServerSeeds(corpus);
  statelib::model_files::WritePackedWeightsSeed(corpus);
  statelib::model_files::WriteBundleSeeds(corpus);
  statelib::model_files::WriteIndexSeeds(corpus);
  return 0;
}
