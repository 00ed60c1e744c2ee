// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_RECORDS_H_
#define STATELIB_STATESTORE_STORAGE_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/base/history.h"
#include "core/base/prompt_form.h"
#include "core/base/segment.h"

// What is stored, as plain values. Times are Unix milliseconds.
namespace statelib::storage {

using ObjectId = Digest;  ///< BLAKE2b-256 of every byte of the object's file
using StateId = ObjectId;

/// Which model a state belongs to. All of it follows from the model's files alone.
struct ModelIdentity {
  Digest fingerprint;
  std::string architecture;  ///< "mamba"
  std::string summary;       ///< for messages: "12 layers, 384 wide, 8192 tokens"

  bool operator==(const ModelIdentity&) const = default;
};

/// A run of a history's tokens, stored as an object of its own.
struct TokenChunk {
  ObjectId id;
  uint32_t token_count = 0;

  bool operator==(const TokenChunk&) const = default;
};

/// A numerics profile under which a state's tokens were read up to `token_count` of them.
struct Continuation {
  std::string profile;
  uint64_t token_count = 0;

  bool operator==(const Continuation&) const = default;
};

/// Everything about a state but its bytes. Nothing here depends on time, names or lineage, so
/// equal states are equal objects.
struct StateDescription {
  ModelIdentity model;
  std::string profile;  ///< numerics profile (kernels/profile.h)
  History history;
  bool tokens_kept = false;        ///< false: the user keeps only count and chain
  std::vector<TokenChunk> chunks;  ///< the history in order; empty when not kept
  StateSpec spec;
  /// What it was continued from, by rising token counts; there where the profile ends in "~".
  std::vector<Continuation> continued_from = {};

  bool operator==(const StateDescription&) const = default;
};

/// A state in memory: segments[i] holds the raw bytes of description.spec[i].
struct StateRecord {
  StateDescription description;
  std::vector<Bytes> segments;
};

/// How a segment is stored. The numbers are written to disk: never reuse one. A segment that a
/// lossy codec stores holds values that the codec keeps exactly (segment_codec.h, Approximate), so
/// reading gives back the bytes that were stored whatever the codec.
enum class Codec : uint8_t {
  kExact = 1,
  kBf16 = 2,
  kInt8 = 3,
  kDelta = 4,  ///< lossless, a difference to the same segment of another state, the base
};

constexpr bool IsLossy(Codec codec) { return codec == Codec::kBf16 || codec == Codec::kInt8; }

/// The profile of values that went through a lossy codec: "exact-f32-r1+int8". What a state of such
/// a profile reads on goes on from those values and keeps the mark. For others the profile itself.
std::string ProfileAfter(const std::string& profile, Codec codec);
/// The profile of values that somebody has changed by hand: "exact-f32-r1+edited". What such a
/// state reads on keeps the mark. It is no exact state's profile, so that a reading never starts
/// from one by itself, and none can be proved.
std::string EditedProfile(const std::string& base_profile);
bool IsEdited(const std::string& profile);
/// The base of a profile (kernels/profile.h): what has to compute further.
std::string BaseProfileOf(const std::string& profile);

/// The history of a state that was edited: no token leads to it, and what it reads on has the
/// history of no state that tokens lead to.
History EditedHistory(const Digest& content);

/// What a lossy codec cost, measured when the state was made from the exact one.
struct Fidelity {
  Codec codec = Codec::kExact;  ///< which one
  Digest exact_content;         ///< content digest of the exact state
  Digest probe;                 ///< hash chain of the tokens that both states went on to read
  uint32_t probe_tokens = 0;
  double mean_kl = 0;                ///< in nats, of the next-token predictions, exact || lossy
  double largest_kl = 0;             ///< of one prediction
  double top1_agreement = 1;         ///< share of predictions with the same likeliest token
  std::vector<double> layer_errors;  ///< by layer: the largest |a - b| / |a| of its segments

  bool operator==(const Fidelity&) const = default;
};

struct SegmentEntry {
  Codec codec = Codec::kExact;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
  Digest frame_digest;

  bool operator==(const SegmentEntry&) const = default;
};

/// The header of a state object.
struct StateHeader {
  StateDescription description;
  Digest content;                      ///< see ContentDigest
  std::vector<SegmentEntry> segments;  ///< as description.spec
  /// Of a state that a lossy codec made; a state that goes on from one has only the profile's mark.
  std::optional<Fidelity> fidelity = {};
  /// The state that segments of kDelta are differences to: one of the same model, profile and spec
  /// that has no base itself. Empty when there is no such segment.
  std::optional<StateId> base = {};

  bool operator==(const StateHeader&) const = default;
};

/// How token ids became bytes. The numbers are written to disk: never reuse one.
enum class TokenEncoding : uint8_t { kVarint = 1, kPlanes = 2 };

/// The header of a tokens object.
struct TokensHeader {
  uint32_t token_count = 0;
  TokenEncoding encoding = TokenEncoding::kVarint;
  uint32_t raw_bytes = 0;
  uint32_t stored_bytes = 0;
  Digest frame_digest;

  bool operator==(const TokensHeader&) const = default;
};

/// A whole object file in memory.
struct EncodedObject {
  ObjectId id;
  Bytes bytes;
};

/// How a state came to be. The numbers are written to disk: never reuse one.
enum class Operation : uint8_t {
  kIngest = 1,
  kAppend = 2,
  kGenerate = 3,
  kImport = 4,
  kCopy = 5,
  kRecode = 6,
  kAt = 7,
  kEdit = 8,  ///< somebody changed numbers of the parent
};

const char* NameOf(Operation operation);  ///< "ingest", "append", …

/// A document that went into a derivation.
struct SourceRecord {
  std::string name;  ///< as the user gave it
  uint64_t size_bytes = 0;
  Digest digest;
  uint64_t token_count = 0;
  int64_t read_at_ms = 0;
  std::string path = {};  ///< where it lay on this machine; never leaves it; empty: not a file

  bool operator==(const SourceRecord&) const = default;
};

/// What stood around the texts of documents that were read into one state.
struct SourceTemplate {
  std::string separator = {};  ///< between two documents
  std::string heading = {};    ///< before each, with its fields

  bool operator==(const SourceTemplate&) const = default;
};

/// One way in which a state came to be. A state that was reached in several ways has several.
struct Derivation {
  StateId state;
  std::optional<StateId> parent_state;  ///< empty: from nothing; it may be gone by now
  std::optional<int64_t> parent;        ///< the parent's own derivation: its key
  Operation operation = Operation::kIngest;
  uint64_t token_count = 0;  ///< of the state
  int64_t created_at_ms = 0;
  std::vector<SourceRecord> sources;
  SourceTemplate text_template = {};  ///< of the sources; never leaves this machine
  /// The parent as NAME[:TAG]@N when this was made of it; of an import, what came in as it is
  /// called where it comes from. Empty: it had no name. Never leaves this machine.
  std::string made_from = {};

  bool operator==(const Derivation&) const = default;
};

/// A model that the library knows: one that was added, or one that some state needs.
struct ModelRow {
  ModelIdentity identity;
  std::string name;         ///< empty: it came with a state and nobody has named it
  std::string path;         ///< its folder; empty: not on this machine as far as is known
  uint64_t size_bytes = 0;  ///< of its files
  int64_t added_at_ms = 0;
  std::string description_json = "{}";
  std::string tokenizer_path;  ///< a tokenizer.json that it is to use; empty: its own
  std::string weights;         ///< the format that it is held in unless another one is asked for
  PromptForm card = {};        ///< what was found beside its files, or came with its states
  PromptForm prompt = {};      ///< what was set here, in the card's place

  bool operator==(const ModelRow&) const = default;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_RECORDS_H_
