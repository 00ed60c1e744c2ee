// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_schema.h"

#include "core/base/error.h"

namespace statelib::storage {

namespace {

constexpr int64_t kApplicationId = 0x534C4942;  // "SLIB": tells our file from any other SQLite file

// Times are Unix milliseconds, digests 32 raw bytes. A derivation and its parent outlive the state
// they speak of (lineage is kept after gc), so states are named there by id and not by key. Keys
// that a process may hold while gc runs are never used again (AUTOINCREMENT).
constexpr const char* kFirst = R"(
CREATE TABLE settings(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE models(
  fingerprint BLOB PRIMARY KEY NOT NULL CHECK(length(fingerprint) = 32),
  name TEXT UNIQUE,
  architecture TEXT NOT NULL,
  summary TEXT NOT NULL,
  path TEXT,
  size_bytes INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  description TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE fingerprint_cache(
  path TEXT PRIMARY KEY NOT NULL,
  stamp BLOB NOT NULL,
  fingerprint BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE states(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE CHECK(length(id) = 32),
  model BLOB NOT NULL REFERENCES models(fingerprint),
  profile TEXT NOT NULL,
  token_count INTEGER NOT NULL,
  history_chain BLOB NOT NULL,
  content BLOB NOT NULL,
  tokens_kept INTEGER NOT NULL,
  raw_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX states_by_history ON states(history_chain, model, profile);
CREATE INDEX states_by_model ON states(model);
CREATE TABLE state_chunks(
  state INTEGER NOT NULL REFERENCES states(key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  chunk BLOB NOT NULL CHECK(length(chunk) = 32),
  token_count INTEGER NOT NULL,
  PRIMARY KEY(state, position)
) WITHOUT ROWID;
CREATE INDEX state_chunks_by_chunk ON state_chunks(chunk);
CREATE TABLE derivations(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  state BLOB NOT NULL CHECK(length(state) = 32),
  parent_state BLOB,
  parent INTEGER REFERENCES derivations(key),
  operation INTEGER NOT NULL,
  token_count INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX derivations_by_state ON derivations(state);
CREATE INDEX derivations_by_parent ON derivations(parent);
CREATE TABLE sources(
  derivation INTEGER NOT NULL REFERENCES derivations(key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  digest BLOB NOT NULL,
  token_count INTEGER NOT NULL,
  read_at INTEGER NOT NULL,
  PRIMARY KEY(derivation, position)
) WITHOUT ROWID;
CREATE TABLE refs(
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  tag TEXT NOT NULL,
  current INTEGER NOT NULL,
  moved_at INTEGER NOT NULL,
  UNIQUE(name, tag)
);
CREATE INDEX refs_by_tag ON refs(tag, name);
CREATE INDEX refs_by_time ON refs(moved_at);
CREATE TABLE versions(
  ref INTEGER NOT NULL REFERENCES refs(key) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK(number > 0),
  state INTEGER NOT NULL REFERENCES states(key),
  derivation INTEGER NOT NULL REFERENCES derivations(key),
  created_at INTEGER NOT NULL,
  PRIMARY KEY(ref, number)
) WITHOUT ROWID;
CREATE INDEX versions_by_state ON versions(state);
CREATE INDEX versions_by_derivation ON versions(derivation);
)";

// A tokenizer.json that a model is to use instead of its own.
constexpr const char* kModelTokenizers = "ALTER TABLE models ADD COLUMN tokenizer_path TEXT;";

// How a model's weights are held where no format is asked for; empty: as its files have them.
constexpr const char* kModelWeights =
    "ALTER TABLE models ADD COLUMN weights TEXT NOT NULL DEFAULT '';";

// `prefix` is the longest shorter state of the library that a state was computed from; those of a
// state that goes go on from its own. Checkpoints of an ingest that has not ended are unfinished.
constexpr const char* kCheckpoints = R"(
ALTER TABLE states ADD COLUMN prefix INTEGER REFERENCES states(key);
CREATE INDEX states_by_prefix ON states(prefix) WHERE prefix IS NOT NULL;
CREATE TRIGGER states_leave_their_prefix BEFORE DELETE ON states BEGIN
  UPDATE states SET prefix = OLD.prefix WHERE prefix = OLD.key;
END;
CREATE INDEX states_by_length ON states(model, profile, token_count);
DROP INDEX states_by_model;
CREATE TABLE checkpoints(
  state INTEGER PRIMARY KEY REFERENCES states(key) ON DELETE CASCADE,
  unfinished INTEGER NOT NULL,
  made_at INTEGER NOT NULL
);
CREATE INDEX sources_by_content ON sources(size_bytes, digest);
)";

// Every change of what a name stands for is a move, to a version and at a time; an undone one takes
// back the last that was not. A source's path is where it lay, for this machine alone. States that
// lost their last name say when.
constexpr const char* kHistory = R"(
CREATE TABLE moves(
  ref INTEGER NOT NULL REFERENCES refs(key) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  version INTEGER NOT NULL,
  undoes INTEGER NOT NULL,
  moved_at INTEGER NOT NULL,
  PRIMARY KEY(ref, number)
) WITHOUT ROWID;
INSERT INTO moves SELECT ref, number, number, 0, created_at FROM versions;
ALTER TABLE sources ADD COLUMN path TEXT;
ALTER TABLE states ADD COLUMN released_at INTEGER;
CREATE TABLE proofs(
  state INTEGER NOT NULL REFERENCES states(key) ON DELETE CASCADE,
  profile TEXT NOT NULL,
  from_tokens INTEGER NOT NULL,
  proved_at INTEGER NOT NULL,
  PRIMARY KEY(state, profile)
) WITHOUT ROWID;
)";

// What search finds: the sources' texts in passages, and an index of their words that keeps no text
// of its own. A text is stored once, however many states have read it. `first_tokens` has eight
// hexadecimal digits a passage: its first token, counted from the source's.
constexpr const char* kTexts = R"(
CREATE TABLE texts(
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32),
  size_bytes INTEGER NOT NULL
);
CREATE TABLE passages(
  key INTEGER PRIMARY KEY,
  text INTEGER NOT NULL REFERENCES texts(key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  first_byte INTEGER NOT NULL,
  body TEXT NOT NULL,
  UNIQUE(text, position)
);
CREATE TABLE source_texts(
  derivation INTEGER NOT NULL,
  position INTEGER NOT NULL,
  text INTEGER NOT NULL REFERENCES texts(key),
  first_tokens TEXT NOT NULL,
  PRIMARY KEY(derivation, position),
  FOREIGN KEY(derivation, position) REFERENCES sources(derivation, position) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX source_texts_by_text ON source_texts(text);
CREATE VIRTUAL TABLE passages_fts USING fts5(
  body, content='passages', content_rowid='key', tokenize='unicode61 remove_diacritics 2');
)";

// What stood between and before the documents of a derivation, for reading them again.
constexpr const char* kTemplates = R"(
ALTER TABLE derivations ADD COLUMN separator TEXT NOT NULL DEFAULT '';
ALTER TABLE derivations ADD COLUMN heading TEXT NOT NULL DEFAULT '';
)";

// What opening a model has told, so that its states are known without opening it again.
constexpr const char* kOpenedModels = R"(
DELETE FROM fingerprint_cache;
ALTER TABLE fingerprint_cache ADD COLUMN has_blocks INTEGER NOT NULL DEFAULT 0;
)";

// The state that a state's object is a difference to. It cannot go before the other one does.
constexpr const char* kDeltas = R"(
ALTER TABLE states ADD COLUMN base BLOB REFERENCES states(id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX states_by_base ON states(base) WHERE base IS NOT NULL;
)";

// Words are held up to so many bytes before they are written, however long a text is.
constexpr const char* kBoundedWords =
    "INSERT INTO passages_fts(passages_fts, rank) VALUES('hashsize', 65536);";

// What stands in records/ (change_log.h): for each thing that changes, a name, a model or a
// setting, its changes by number, of which the last row stays for ever, so that a number never
// starts again. A line is what a name stood for from its first version to its removal, under
// whatever name; `steps` counts its changes. A change has brought the derivations from the first to
// the last.
constexpr const char* kChanges = R"(
ALTER TABLE refs ADD COLUMN line INTEGER NOT NULL DEFAULT 0;
ALTER TABLE refs ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;
CREATE INDEX refs_by_line ON refs(line);
CREATE TABLE changes(
  key BLOB NOT NULL CHECK(length(key) = 32),
  number INTEGER NOT NULL CHECK(number > 0),
  hash BLOB NOT NULL CHECK(length(hash) = 32),
  kind INTEGER NOT NULL,
  line INTEGER NOT NULL,
  state BLOB,
  first_derivation INTEGER,
  last_derivation INTEGER,
  PRIMARY KEY(key, number)
) WITHOUT ROWID;
CREATE INDEX changes_by_line ON changes(line);
)";

// Every state that a name has ever stood for, or that was found under it elsewhere: by its id
// there and by that of the state which stands for it here. Outlives versions and names.
constexpr const char* kHad = R"(
CREATE TABLE had(
  name TEXT NOT NULL,
  tag TEXT NOT NULL,
  there BLOB NOT NULL CHECK(length(there) = 32),
  here BLOB NOT NULL CHECK(length(here) = 32),
  PRIMARY KEY(name, tag, there)
) WITHOUT ROWID;
INSERT INTO had SELECT DISTINCT refs.name, refs.tag, states.id, states.id FROM versions
  JOIN refs ON refs.key = versions.ref JOIN states ON states.key = versions.state;
)";

// What the parent was called when a derivation was made of it, NAME[:TAG]@N; for one that was
// imported where it came from.
constexpr const char* kMadeFrom =
    "ALTER TABLE derivations ADD COLUMN made_from TEXT NOT NULL DEFAULT '';";

// How a question is put to a model: what was found beside its files or came with its states, and
// what was set here in its place.
constexpr const char* kPromptForms = R"(
ALTER TABLE models ADD COLUMN card_question TEXT;
ALTER TABLE models ADD COLUMN card_stop TEXT;
ALTER TABLE models ADD COLUMN card_refusal TEXT;
ALTER TABLE models ADD COLUMN prompt_question TEXT;
ALTER TABLE models ADD COLUMN prompt_stop TEXT;
ALTER TABLE models ADD COLUMN prompt_refusal TEXT;
)";

// What opening a model tells besides: the operations that it needs of a backend, a bit each.
constexpr const char* kOperations =
    "ALTER TABLE fingerprint_cache ADD COLUMN operations INTEGER NOT NULL DEFAULT 0;";

constexpr const char* kMigrations[] = {kFirst,    kModelTokenizers, kModelWeights, kCheckpoints,
                                       kHistory,  kTexts,           kTemplates,    kOpenedModels,
                                       kDeltas,   kBoundedWords,    kChanges,      kHad,
                                       kMadeFrom, kPromptForms,     kOperations};

int64_t PragmaOf(const Database& database, const char* name) {
  Statement statement = database.Prepare(fmt::format("PRAGMA {}", name));
  return statement.Step() ? statement.Int(0) : 0;
}

}  // namespace

bool IsBlank(const Database& database) {
  Statement statement = database.Prepare("SELECT count(*) FROM sqlite_schema");
  return statement.Step() && statement.Int(0) == 0;
}

bool HasTable(const Database& database, std::string_view name) {
  Statement statement =
      database.Prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?");
  statement.Bind(name);
  return statement.Step() && statement.Int(0) == 1;
}

std::span<const char* const> Migrations() { return kMigrations; }

size_t SchemaVersion(const Database& database, std::span<const char* const> migrations) {
  const size_t newest = migrations.size();
  const int64_t version = PragmaOf(database, "user_version");
  if (!IsBlank(database) && PragmaOf(database, "application_id") != kApplicationId) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: an SQLite file of another program, not the index of a statelib library; choose "
          "another folder",
          database.path().string());
  }
  if (version < 0 || static_cast<size_t>(version) > newest) {
    Throw(ErrorKind::kUnsupported,
          "{}: library schema version {}, this statelib knows versions up to {}; use a statelib "
          "that knows version {}",
          database.path().string(), version, newest, version);
  }
  return static_cast<size_t>(version);
}

void Migrate(Database& database, std::span<const char* const> migrations) {
  // A look without the write lock is enough for every opening but the first.
  if (SchemaVersion(database, migrations) == migrations.size()) return;
  database.Write([&] {
    const size_t version = SchemaVersion(database, migrations);
    for (size_t i = version; i < migrations.size(); ++i) database.Execute(migrations[i]);
    database.Execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                 kApplicationId, migrations.size()));
  });
}

void CheckSchema(const Database& database, std::span<const char* const> migrations) {
  const size_t version = SchemaVersion(database, migrations);
  if (version < migrations.size()) {
    Throw(ErrorKind::kUnsupported,
          "{}: library schema version {}, this statelib reads version {}; run any statelib command "
          "with write access to the library once to migrate it",
          database.path().string(), version, migrations.size());
  }
}

}  // namespace statelib::storage
