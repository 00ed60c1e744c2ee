// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/change.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/message_fields.h"
#include "statestore/storage/reference.h"

namespace statelib::storage {

namespace {

constexpr size_t kPathBytesMax = 1 << 16;

void ToProto(const KeyedDerivation& keyed, v1::KeyedDerivation* out) {
  Derivation derivation = keyed.derivation;
  out->set_key(keyed.key);
  out->set_parent(derivation.parent.value_or(0));
  derivation.parent.reset();
  ToProto(derivation, out->mutable_derivation());
  for (const SourceRecord& source : derivation.sources) out->add_source_paths(source.path);
  out->set_separator(derivation.text_template.separator);
  out->set_heading(derivation.text_template.heading);
  out->set_made_from(derivation.made_from);
}

void ToProto(const Change& change, v1::NameChange* out) {
  out->set_name(change.name);
  out->set_tag(change.tag);
  out->set_line(change.line);
  out->set_step(change.step);
  out->set_version(change.version);
  out->set_undoes(change.undoes);
  if (change.kind == ChangeKind::kVersion) SetDigest(change.state, out->mutable_state_id());
  out->set_derivation(change.derivation);
  out->set_state_created_at_ms(change.state_created_at_ms);
  for (const KeyedDerivation& each : change.derivations) ToProto(each, out->add_derivations());
  out->set_other_name(change.other_name);
  out->set_other_tag(change.other_tag);
  for (const uint64_t number : change.forgotten) out->add_forgotten(number);
}

void ToProto(const ModelRow& row, v1::ModelChange* out) {
  ToProto(row.identity, out->mutable_model());
  out->set_name(row.name);
  out->set_path(row.path);
  out->set_size_bytes(row.size_bytes);
  out->set_added_at_ms(row.added_at_ms);
  out->set_description_json(row.description_json);
  out->set_tokenizer_path(row.tokenizer_path);
  out->set_weights(row.weights);
  SetPromptForm(row.card, out, &v1::ModelChange::mutable_card);
  SetPromptForm(row.prompt, out, &v1::ModelChange::mutable_prompt);
}

void ToProto(const Change& change, v1::HadChange* out) {
  out->set_name(change.name);
  out->set_tag(change.tag);
  for (const HadState& state : change.had) {
    v1::HadState* const had = out->add_states();
    SetDigest(state.there, had->mutable_there());
    SetDigest(state.here, had->mutable_here());
  }
}

/// Checks the fields of a record.
class RecordReader : public FieldReader {
 public:
  using FieldReader::FieldReader;

  ChangeRecord Read(const v1::ChangeRecord& message) const {
    ChangeRecord record;
    record.library = ReadDigest(message.library(), "library");
    record.number = message.number();
    record.before = MaybeDigest(message.before(), "record before");
    record.transaction = {message.transaction(),
                          ReadDigest(message.transaction_id(), "transaction"),
                          MaybeDigest(message.transaction_before(), "transaction before")};
    record.place = message.place();
    record.count = message.count();
    const uint64_t largest = INT64_MAX;
    if (record.number == 0 || record.number > largest || record.transaction.number == 0 ||
        record.transaction.number > largest || record.place >= record.count)
      Fail("record {}, of transaction {}, {} of {}", record.number, record.transaction.number,
           record.place, record.count);
    record.change.kind = ReadEnum<ChangeKind>(static_cast<int>(std::min(message.kind(), 1000u)),
                                              static_cast<int>(ChangeKind::kForgotten), "change");
    record.change.made_at_ms = message.made_at_ms();
    ReadChange(message, &record.change);
    return record;
  }

 private:
  std::optional<Digest> MaybeDigest(const std::string& field, const char* name) const {
    if (field.empty()) return std::nullopt;
    return ReadDigest(field, name);
  }

  const std::string& ReadBytes(const std::string& field, const char* name) const {
    if (field.size() > kPathBytesMax)
      Fail("{}: {} bytes, expected at most {}", name, field.size(), kPathBytesMax);
    return field;
  }

  void ReadChange(const v1::ChangeRecord& message, Change* out) const {
    switch (message.change_case()) {
      case v1::ChangeRecord::kName:
        if (!IsOfName(out->kind)) break;
        return ReadName(message.name(), out);
      case v1::ChangeRecord::kModel:
        if (out->kind != ChangeKind::kModel) break;
        out->model = ReadModelRow(message.model());
        return;
      case v1::ChangeRecord::kModelRemoved:
        if (out->kind != ChangeKind::kModelRemoved) break;
        out->model.identity.fingerprint = ReadDigest(message.model_removed(), "model");
        return;
      case v1::ChangeRecord::kSetting:
        if (out->kind != ChangeKind::kSetting) break;
        out->setting = ReadText(message.setting().key(), "setting");
        out->value = ReadText(message.setting().value(), "value");
        return;
      case v1::ChangeRecord::kHad:
        if (out->kind != ChangeKind::kHad) break;
        return ReadHad(message.had(), out);
      case v1::ChangeRecord::CHANGE_NOT_SET:
        break;
    }
    Fail("a change of kind {} without what changes", static_cast<int>(out->kind));
  }

  void ReadName(const v1::NameChange& message, Change* out) const {
    CheckedName(message.name(), message.tag());
    out->name = message.name();
    out->tag = message.tag();
    out->line = message.line();
    out->step = message.step();
    out->version = message.version();
    out->undoes = message.undoes();
    out->derivation = message.derivation();
    out->state_created_at_ms = message.state_created_at_ms();
    if (out->line <= 0 || out->step > INT64_MAX) Fail("step {} of line {}", out->step, out->line);
    const bool has_version = out->kind == ChangeKind::kVersion || out->kind == ChangeKind::kReturn;
    if (has_version != (out->version > 0) || out->version > INT64_MAX)
      Fail("version {}", out->version);
    if (out->kind == ChangeKind::kVersion) out->state = ReadDigest(message.state_id(), "state");
    for (const v1::KeyedDerivation& each : message.derivations())
      out->derivations.push_back(ReadKeyed(each));
    ReadForgotten(message, out);
    const bool renames =
        out->kind == ChangeKind::kRenamedTo || out->kind == ChangeKind::kRenamedFrom;
    if (!renames) return;
    CheckedName(message.other_name(), message.other_tag());
    out->other_name = message.other_name();
    out->other_tag = message.other_tag();
  }

  void ReadHad(const v1::HadChange& message, Change* out) const {
    CheckedName(message.name(), message.tag());
    out->name = message.name();
    out->tag = message.tag();
    for (const v1::HadState& state : message.states()) {
      out->had.push_back(
          {ReadDigest(state.there(), "state there"), ReadDigest(state.here(), "state here")});
    }
  }

  void ReadForgotten(const v1::NameChange& message, Change* out) const {
    uint64_t before = 0;
    for (const uint64_t number : message.forgotten()) {
      if (number <= before || number > INT64_MAX) Fail("version {} after {}", number, before);
      out->forgotten.push_back(before = number);
    }
    if (out->forgotten.empty() == (out->kind == ChangeKind::kForgotten))
      Fail("{} forgotten versions", out->forgotten.size());
  }

  void CheckedName(const std::string& name, const std::string& tag) const {
    try {
      CheckName(name);
      CheckTag(tag);
    } catch (const Error& error) {
      Fail("{}", error.what());
    }
  }

  KeyedDerivation ReadKeyed(const v1::KeyedDerivation& message) const {
    KeyedDerivation keyed{message.key(), ReadDerivation(message.derivation(), 0)};
    Derivation& derivation = keyed.derivation;
    // Parents are there before their children.
    if (keyed.key <= 0 || message.parent() < 0 || message.parent() >= keyed.key)
      Fail("derivation {} with the parent {}", keyed.key, message.parent());
    if (message.parent() > 0) derivation.parent = message.parent();
    if (message.source_paths_size() != static_cast<int>(derivation.sources.size()))
      Fail("{} paths of {} sources", message.source_paths_size(), derivation.sources.size());
    for (int i = 0; i < message.source_paths_size(); ++i)
      derivation.sources[static_cast<size_t>(i)].path =
          ReadBytes(message.source_paths(i), "source path");
    derivation.text_template = {ReadBytes(message.separator(), "separator"),
                                ReadBytes(message.heading(), "heading")};
    derivation.made_from = ReadText(message.made_from(), "made_from");
    return keyed;
  }

  ModelRow ReadModelRow(const v1::ModelChange& message) const {
    ModelRow row;
    row.identity = ReadModel(message.model());
    row.name = ReadText(message.name(), "model name");
    row.path = ReadBytes(message.path(), "model path");
    row.size_bytes = std::min<uint64_t>(message.size_bytes(), INT64_MAX);
    row.added_at_ms = message.added_at_ms();
    row.description_json = ReadBytes(message.description_json(), "model description");
    row.tokenizer_path = ReadBytes(message.tokenizer_path(), "tokenizer path");
    row.weights = ReadText(message.weights(), "weights");
    row.card = ReadPromptForm(message.card());
    row.prompt = ReadPromptForm(message.prompt());
    return row;
  }
};

/// The oldest format that can say a change, so that older readers take what they understand.
uint32_t VersionOf(const Change& change) {
  if (change.kind == ChangeKind::kForgotten) return kForgettingRecordVersion;
  return change.model.card.empty() && change.model.prompt.empty() ? 1 : kPromptRecordVersion;
}

}  // namespace

Digest KeyOf(const Change& change) {
  Hasher hasher;
  hasher.UpdateField("statelib record 1");
  if (IsOfName(change.kind)) {
    hasher.UpdateField("name").UpdateField(change.name).UpdateField(change.tag);
  } else if (change.kind == ChangeKind::kHad) {
    hasher.UpdateField("had").UpdateField(change.name).UpdateField(change.tag);
  } else if (change.kind == ChangeKind::kSetting) {
    hasher.UpdateField("setting").UpdateField(change.setting);
  } else {
    hasher.UpdateField("model").UpdateField(change.model.identity.fingerprint.Hex());
  }
  return hasher.Finish();
}

std::string SerializeRecord(const ChangeRecord& record) {
  v1::ChangeRecord message;
  SetDigest(record.library, message.mutable_library());
  message.set_number(record.number);
  if (record.before) SetDigest(*record.before, message.mutable_before());
  message.set_transaction(record.transaction.number);
  SetDigest(record.transaction.id, message.mutable_transaction_id());
  if (record.transaction.before)
    SetDigest(*record.transaction.before, message.mutable_transaction_before());
  message.set_place(record.place);
  message.set_count(record.count);
  const Change& change = record.change;
  message.set_kind(static_cast<uint32_t>(change.kind));
  message.set_made_at_ms(change.made_at_ms);
  if (IsOfName(change.kind)) {
    ToProto(change, message.mutable_name());
  } else if (change.kind == ChangeKind::kModel) {
    ToProto(change.model, message.mutable_model());
  } else if (change.kind == ChangeKind::kModelRemoved) {
    SetDigest(change.model.identity.fingerprint, message.mutable_model_removed());
  } else if (change.kind == ChangeKind::kHad) {
    ToProto(change, message.mutable_had());
  } else {
    message.mutable_setting()->set_key(change.setting);
    message.mutable_setting()->set_value(change.value);
  }
  return Canonical(message);
}

ChangeRecord ParseRecord(ByteSpan bytes, const std::string& location) {
  const RecordReader reader(location);
  v1::ChangeRecord message;
  reader.Parse(bytes, &message);
  ChangeRecord record = reader.Read(message);
  if (AsText(bytes) != SerializeRecord(record)) reader.Fail("its record is not in canonical form");
  return record;
}

RecordFile EncodeRecord(const ChangeRecord& record) {
  RecordFile file{
      KeyOf(record.change),
      record.number,
      {},
      MakeHead(kRecordFile, VersionOf(record.change), AsBytes(SerializeRecord(record)))};
  file.hash = HashOf(file.bytes);
  return file;
}

ChangeRecord DecodeRecord(const RecordFile& file, const std::string& location) {
  if (const Digest found = HashOf(file.bytes); found != file.hash) {
    Throw(ErrorKind::kCorrupt, "{}: damaged record: expected hash {}, found {}", location,
          file.hash.ShortHex(), found.ShortHex());
  }
  const ByteSpan header = CheckedHeader(kRecordFile, file.bytes, location);
  if (file.bytes.size() != HeadBytes(header.size()))
    Throw(ErrorKind::kCorrupt, "{}: {} bytes after the record", location,
          file.bytes.size() - HeadBytes(header.size()));
  ChangeRecord record = ParseRecord(header, location);
  if (VersionOf(record.change) != VersionOf(file.bytes))
    Throw(ErrorKind::kCorrupt, "{}: a record of format {} in format {}", location,
          VersionOf(record.change), VersionOf(file.bytes));
  if (KeyOf(record.change) != file.key || record.number != file.number)
    Throw(ErrorKind::kCorrupt, "{}: the record is of another thing or number than its name says",
          location);
  return record;
}

}  // namespace statelib::storage
