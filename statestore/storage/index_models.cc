// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_models.h"

#include "core/base/error.h"
#include "statestore/storage/index_settings.h"

namespace statelib::storage {

namespace {

constexpr const char* kSelect =
    "SELECT fingerprint, architecture, summary, name, path, size_bytes, added_at, description, "
    "tokenizer_path, weights, card_question, card_stop, card_refusal, prompt_question, "
    "prompt_stop, prompt_refusal FROM models ";
constexpr int kCardColumn = 10, kPromptColumn = 13;  // the first of each

/// `index` is where it stands, for messages.
PromptForm ToPromptForm(const Statement& statement, int column,
                        const std::filesystem::path& index) {
  PromptForm form;
  for (const PromptPart& part : PromptParts()) {
    if (!statement.IsNull(column)) form.*part.text = statement.Text(column);
    ++column;
  }
  try {
    CheckPromptForm(form);
  } catch (const Error& error) {
    ThrowDamagedIndex(index, error.what());
  }
  return form;
}

ModelRow ToRow(const Statement& statement, const std::filesystem::path& index) {
  ModelRow row;
  row.identity = {statement.ToDigest(0), statement.Text(1), statement.Text(2)};
  row.name = statement.Text(3);
  row.path = statement.Text(4);
  row.size_bytes = statement.Uint(5);
  row.added_at_ms = statement.Int(6);
  row.description_json = statement.Text(7);
  row.tokenizer_path = statement.Text(8);
  row.weights = statement.Text(9);
  row.card = ToPromptForm(statement, kCardColumn, index);
  row.prompt = ToPromptForm(statement, kPromptColumn, index);
  return row;
}

constexpr size_t kNameDigits = 8;

std::optional<OpenedModel> ToOpened(Statement& statement) {
  if (!statement.Step()) return std::nullopt;
  return OpenedModel{statement.ToDigest(0), statement.Uint(1) != 0, statement.Uint(2)};
}

std::optional<std::string_view> NullIfEmpty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

void IndexModels::Put(const ModelRow& model) {
  CheckPromptForm(model.card);
  CheckPromptForm(model.prompt);
  database_.Write([&] {
    const auto holder = model.name.empty() ? std::nullopt : FindByName(model.name);
    if (holder && holder->identity.fingerprint != model.identity.fingerprint) {
      Throw(ErrorKind::kInvalidArgument,
            "the name {} belongs to another model (fingerprint {}); choose another name, or remove "
            "that one with `statelib model rm {}`",
            model.name, holder->identity.fingerprint.ShortHex(), model.name);
    }
    Statement statement = database_.Prepare(
        "INSERT INTO models(fingerprint, architecture, summary, name, path, size_bytes, added_at, "
        "description, tokenizer_path, weights, card_question, card_stop, card_refusal, "
        "prompt_question, prompt_stop, prompt_refusal) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(fingerprint) DO UPDATE SET architecture = excluded.architecture, "
        "summary = excluded.summary, name = excluded.name, path = excluded.path, "
        "size_bytes = excluded.size_bytes, added_at = excluded.added_at, "
        "description = excluded.description, tokenizer_path = excluded.tokenizer_path, "
        "weights = excluded.weights, card_question = excluded.card_question, "
        "card_stop = excluded.card_stop, card_refusal = excluded.card_refusal, "
        "prompt_question = excluded.prompt_question, prompt_stop = excluded.prompt_stop, "
        "prompt_refusal = excluded.prompt_refusal");
    statement.Bind(model.identity.fingerprint)
        .Bind(model.identity.architecture)
        .Bind(model.identity.summary)
        .Bind(NullIfEmpty(model.name))
        .Bind(NullIfEmpty(model.path))
        .Bind(model.size_bytes)
        .Bind(model.added_at_ms)
        .Bind(model.description_json)
        .Bind(NullIfEmpty(model.tokenizer_path))
        .Bind(model.weights);
    for (const PromptForm* form : {&model.card, &model.prompt})
      for (const PromptPart& part : PromptParts()) statement.Bind(form->*part.text);
    statement.Run();
    pending_.Add({.kind = ChangeKind::kModel, .made_at_ms = model.added_at_ms, .model = model});
  });
}

std::string IndexModels::Learn(const ModelIdentity& identity, const std::string& name,
                               int64_t now_ms, bool name_is_free) {
  ModelRow row;
  database_.Write([&] {
    if (const auto known = Find(identity.fingerprint)) {
      row = *known;
      return;
    }
    row.identity = identity;
    row.name = name;
    if (!name.empty() && (!name_is_free || FindByName(name))) {
      row.name = name + "-" + identity.fingerprint.Hex().substr(0, kNameDigits);
      // So many digits of two models are equal only where somebody means them to be.
      if (FindByName(row.name)) row.name.clear();
    }
    row.added_at_ms = now_ms;
    Put(row);
  });
  return row.name;
}

std::optional<ModelRow> IndexModels::Find(const Digest& fingerprint) const {
  Statement statement = database_.Prepare(std::string(kSelect) + "WHERE fingerprint = ?");
  statement.Bind(fingerprint);
  if (!statement.Step()) return std::nullopt;
  return ToRow(statement, database_.path());
}

ModelRow IndexModels::Get(const Digest& fingerprint) const {
  if (auto row = Find(fingerprint)) return *std::move(row);
  ThrowDamagedIndex(database_.path(), "it has no row of the model " + fingerprint.ShortHex());
}

std::optional<ModelRow> IndexModels::FindByName(const std::string& name) const {
  Statement statement = database_.Prepare(std::string(kSelect) + "WHERE name = ?");
  statement.Bind(name);
  if (!statement.Step()) return std::nullopt;
  return ToRow(statement, database_.path());
}

std::vector<ModelRow> IndexModels::All() const {
  Statement statement = database_.Prepare(std::string(kSelect) + "ORDER BY name, fingerprint");
  std::vector<ModelRow> rows;
  while (statement.Step()) rows.push_back(ToRow(statement, database_.path()));
  return rows;
}

bool IndexModels::Remove(const Digest& fingerprint) {
  bool gone = false;
  database_.Write([&] {
    if (Default() == fingerprint) SetDefault(std::nullopt);
    gone = StatesOf(fingerprint) == 0;
    Statement statement =
        database_.Prepare(gone ? "DELETE FROM models WHERE fingerprint = ?"
                               : "UPDATE models SET path = NULL, tokenizer_path = NULL WHERE "
                                 "fingerprint = ?");
    statement.Bind(fingerprint);
    statement.Run();
    Change change{.kind = gone ? ChangeKind::kModelRemoved : ChangeKind::kModel};
    if (gone) change.model.identity.fingerprint = fingerprint;
    if (!gone) change.model = Get(fingerprint);
    pending_.Add(std::move(change));
  });
  return gone;
}

uint64_t IndexModels::StatesOf(const Digest& fingerprint) const {
  Statement statement = database_.Prepare("SELECT count(*) FROM states WHERE model = ?");
  statement.Bind(fingerprint);
  return statement.Step() ? statement.Uint(0) : 0;
}

std::optional<Digest> IndexModels::Default() const {
  Statement statement = database_.Prepare("SELECT value FROM settings WHERE key = ?");
  statement.Bind(kDefaultSetting);
  if (!statement.Step()) return std::nullopt;
  return statement.MaybeDigest(0);
}

void IndexModels::SetDefault(const std::optional<Digest>& fingerprint) {
  database_.Write([&] {
    SetSetting(database_, kDefaultSetting, fingerprint);
    pending_.Add({.kind = ChangeKind::kSetting,
                  .setting = kDefaultSetting,
                  .value = fingerprint ? fingerprint->Hex() : ""});
  });
}

std::optional<OpenedModel> IndexModels::RememberedAt(const std::string& path,
                                                     const Digest& stamp) const {
  Statement statement = database_.Prepare(
      "SELECT fingerprint, has_blocks, operations FROM fingerprint_cache WHERE path = ? AND stamp "
      "= ?");
  statement.Bind(path).Bind(stamp);
  return ToOpened(statement);
}

std::optional<OpenedModel> IndexModels::Remembered(const Digest& fingerprint) const {
  Statement statement = database_.Prepare(
      "SELECT fingerprint, has_blocks, operations FROM fingerprint_cache WHERE fingerprint = ? "
      "LIMIT 1");
  statement.Bind(fingerprint);
  return ToOpened(statement);
}

void IndexModels::Remember(const std::string& path, const Digest& stamp, const OpenedModel& model) {
  Statement statement = database_.Prepare(
      "INSERT INTO fingerprint_cache(path, stamp, fingerprint, has_blocks, operations) "
      "VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT(path) DO UPDATE SET stamp = excluded.stamp, fingerprint = excluded.fingerprint, "
      "has_blocks = excluded.has_blocks, operations = excluded.operations");
  statement.Bind(path)
      .Bind(stamp)
      .Bind(model.fingerprint)
      .Bind(uint64_t{model.has_blocks})
      .Bind(model.operations);
  statement.Run();
}

}  // namespace statelib::storage
