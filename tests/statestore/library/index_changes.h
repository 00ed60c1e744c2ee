// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_LIBRARY_INDEX_CHANGES_H_
#define STATELIB_TESTS_STATESTORE_LIBRARY_INDEX_CHANGES_H_

namespace statelib::library {

/// What somebody has done to the index, and the words in which it is found.
struct IndexChange {
  const char* name;
  const char* sql;
  const char* found;  ///< in a problem of verify, or in the error of opening
};

inline constexpr IndexChange kIndexChanges[] = {
    // Links that lead back.
    {"BaseIsItself", "UPDATE states SET base = id WHERE base IS NOT NULL", "that is no base of it"},
    {"EveryBaseIsItself", "UPDATE states SET base = id", "that is no base of it"},
    {"BasesInACircle",
     "UPDATE states SET base = (SELECT id FROM states AS other WHERE other.key <> states.key AND "
     "other.token_count > 8 LIMIT 1) WHERE token_count > 8",
     "that is no base of it"},
    {"BaseOfAnotherProfile", "UPDATE states SET profile = 'other' WHERE token_count = 9",
     "that is no base of it"},
    {"BaseThatIsGone", "DELETE FROM states WHERE token_count = 9", "that is not there"},
    {"DerivationIsItsParent", "UPDATE derivations SET parent = key", "a parent that is not older"},
    {"DerivationsInACircle", "UPDATE derivations SET parent = 4 - key WHERE key < 4",
     "a parent that is not older"},
    {"ParentThatIsGone", "UPDATE derivations SET parent = -5 WHERE key = 2", "that is not there"},
    {"PrefixIsItself", "UPDATE states SET prefix = key", "one that is not shorter"},
    {"PrefixesInACircle", "UPDATE states SET prefix = 1 + key % 6", "one that is not shorter"},
    // Versions and moves that lead elsewhere.
    {"VersionOfAnotherState", "UPDATE versions SET state = 3 WHERE ref = 1 AND number = 1",
     "the version a:latest@1 points elsewhere"},
    {"VersionOfAnotherMaking", "UPDATE versions SET derivation = 3 WHERE ref = 1 AND number = 2",
     "the version a:latest@2 points elsewhere"},
    {"MakingOfAnotherLength", "UPDATE derivations SET token_count = 99 WHERE key = 1",
     "different numbers of tokens"},
    {"VersionOfNoState", "UPDATE versions SET state = 77", "that is not there"},
    {"VersionOfNoMaking", "UPDATE versions SET derivation = 77", "that is not there"},
    {"NoCurrentVersion", "UPDATE refs SET current = 9",
     "the current version of a:latest is missing"},
    {"NoVersions", "DELETE FROM versions", "the current version of a:latest is missing"},
    {"CurrentIsNotTheLastMove", "UPDATE refs SET current = 2 WHERE name = 'a'",
     "not at the version that it was moved to last"},
    {"NoMoves", "DELETE FROM moves", "not at the version that it was moved to last"},
    {"MovesToNowhere", "UPDATE moves SET version = 50", "a move to a:latest@50"},
    {"MovesWithoutEnd", "UPDATE moves SET number = 9223372036854775807 WHERE ref = 2", ""},
    {"VersionsWithoutEnd",
     "UPDATE versions SET number = 9223372036854775807 WHERE ref = 2; UPDATE refs SET current = "
     "9223372036854775807 WHERE key = 2; UPDATE moves SET version = 9223372036854775807 WHERE "
     "ref "
     "= 2",
     ""},
    // Tables that are gone or others.
    {"NoMovesTable", "DROP TABLE moves", "it has no table \"moves\""},
    {"NoFullText", "DROP TABLE passages_fts", "it has no table \"passages_fts\""},
    {"NoStatesTable", "DROP TABLE states", "it has no index \"states_by_base\""},
    {"NoColumn", "ALTER TABLE sources DROP COLUMN path", "the table \"sources\" is another one"},
    {"NoIndex", "DROP INDEX refs_by_tag", "it has no index \"refs_by_tag\""},
    {"NoTrigger", "DROP TRIGGER states_leave_their_prefix", "it has no trigger"},
    {"EndlessView",
     "DROP TABLE proofs; CREATE VIEW proofs AS WITH RECURSIVE n(state) AS (SELECT 1 UNION ALL "
     "SELECT state + 1 FROM n) SELECT state, 'x' AS profile, 0 AS from_tokens, 0 AS proved_at "
     "FROM "
     "n",
     "it has no table \"proofs\""},
    {"EndlessTrigger",
     "CREATE TRIGGER more AFTER DELETE ON refs BEGIN INSERT INTO settings WITH RECURSIVE n(x) AS "
     "(SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 'k' || x, x FROM n; END",
     "it has a trigger \"more\" that statelib does not make"},
    {"NoFullTextData", "DELETE FROM passages_fts_data", "the words that search looks in"},
    {"FullTextOfNoise", "UPDATE passages_fts_data SET block = randomblob(64)",
     "the words that search looks in"},
    {"FullTextOfZeros", "UPDATE passages_fts_data SET block = zeroblob(100000)",
     "the words that search looks in"},
    {"FullTextOfOtherWords", "UPDATE passages SET body = replace(body, 'fox', 'hen')",
     "the words that search looks in"},
    {"FullTextOfAPassageThatIsGone", "DELETE FROM passages WHERE key = 1",
     "the words that search looks in"},
    {"FullTextOfOtherLengths", "UPDATE passages_fts_docsize SET sz = x'01'",
     "the words that search looks in"},
    {"FullTextWithoutALength", "DELETE FROM passages_fts_docsize WHERE id = 1",
     "the words that search looks in"},
    // Values of another kind.
    {"TokenCountIsAText", "UPDATE states SET token_count = 'many'", "states.token_count holds"},
    {"TokenCountIsNegative", "UPDATE states SET token_count = -1", "a negative number"},
    {"TokenCountIsHuge", "UPDATE states SET token_count = 9223372036854775807",
     "the index says something else"},
    {"SizesAreHuge",
     "UPDATE states SET raw_bytes = 9223372036854775807, stored_bytes = 9223372036854775807",
     "the index says something else"},
    {"SizesAreFractions", "UPDATE states SET raw_bytes = 1.5", "states.raw_bytes holds"},
    {"IdsAreShort",
     "PRAGMA ignore_check_constraints = ON; UPDATE states SET id = CAST(key AS BLOB)",
     "no hash of 32 bytes"},
    {"ModelsAreTexts", "UPDATE states SET model = 'demo'", "states.model holds"},
    {"ChainIsShort", "UPDATE states SET history_chain = x'00'", "no hash of 32 bytes"},
    {"ContentIsNull", "UPDATE states SET content = x''", "no hash of 32 bytes"},
    {"ProfileIsBytes", "UPDATE states SET profile = x'ff00'", "states.profile holds"},
    {"ChunksAreHuge", "UPDATE state_chunks SET token_count = 4294967301", "expected 1 to"},
    {"ChunksAreEmpty", "UPDATE state_chunks SET token_count = 0", "expected 1 to"},
    {"ChunksWithoutEnd",
     "INSERT INTO state_chunks WITH RECURSIVE n(x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM n "
     "WHERE x < 100000) SELECT 1, x, (SELECT chunk FROM state_chunks LIMIT 1), 4096 FROM n; "
     "UPDATE "
     "states SET token_count = 409600000",
     "the index says something else"},
    {"ChunkPositionsAreTexts", "UPDATE state_chunks SET position = 'first'",
     "state_chunks.position holds"},
    {"SourcesAreHuge",
     "UPDATE sources SET size_bytes = 9223372036854775807, token_count = "
     "9223372036854775807",
     ""},
    {"SourcesAreTexts", "UPDATE sources SET size_bytes = 'x', token_count = 'y', digest = 'z'",
     "sources.size_bytes holds"},
    {"OperationIsUnknown", "UPDATE derivations SET operation = 4000000000", ""},
    {"TimesAreExtreme",
     "UPDATE refs SET moved_at = -9223372036854775808; UPDATE versions SET created_at = "
     "9223372036854775807; UPDATE states SET created_at = -9223372036854775808; UPDATE moves SET "
     "moved_at = 9223372036854775807",
     ""},
    {"FirstTokensAreNoise", "UPDATE source_texts SET first_tokens = 'zzzzzzzzzzzz'", ""},
    {"PassagesAreBytes", "UPDATE passages SET body = x'ff00ff', first_byte = -3",
     "passages.body holds"},
    {"BudgetIsAText", "UPDATE settings SET value = 'much'", ""},
    {"BudgetIsNegative", "UPDATE settings SET value = -1 WHERE key <> 'default_model'", ""},
    {"DefaultIsShort", "UPDATE settings SET value = x'01'", ""},
    {"NoSequenceLeft", "UPDATE sqlite_sequence SET seq = 9223372036854775807", ""},
    // Texts that are no names, and texts for a terminal.
    {"NameOfControls", "UPDATE refs SET name = char(27) || '[2J' || char(10) WHERE key = 1",
     "a name that is none"},
    {"NameUpTheTree", "UPDATE refs SET name = '../../x' WHERE key = 1", "a name that is none"},
    {"TagOfControls", "UPDATE refs SET tag = char(13) WHERE key = 1", "a name that is none"},
    {"NameIsANumber", "UPDATE refs SET name = x'00' WHERE key = 1", "refs.name holds"},
    {"LongName", "UPDATE refs SET name = hex(zeroblob(3000000)) WHERE key = 1",
     "a name that is none"},
    {"TextsOfControls",
     "UPDATE models SET name = char(27), architecture = char(10), summary = char(7), path = "
     "char(0), description = '{\"weights\": [1, {\"type\": 5}], \"parameters\": -1}'",
     ""},
    {"PromptOfControls", "UPDATE models SET card_question = char(27) || '{question}'",
     "a prompt form that is none: prompt.question: expected text in UTF-8"},
    {"PromptWithoutAQuestion", "UPDATE models SET prompt_question = 'Who?'",
     "expected {question} once"},
    {"PromptIsHuge", "UPDATE models SET card_stop = hex(zeroblob(3000000))",
     "prompt.stop: 6000000 bytes"},
    {"PromptIsANumber", "UPDATE models SET prompt_refusal = x'00ff', card_refusal = 5",
     "models.prompt_refusal holds"},
    {"SourceOfControls", "UPDATE sources SET name = char(27) || char(10), path = '/dev/zero'", ""},
    {"SourceIsAFolder", "UPDATE sources SET path = '/', size_bytes = 4096", ""},
    {"NoModel", "DELETE FROM models", "that is not there"},
};

}  // namespace statelib::library

#endif  // STATELIB_TESTS_STATESTORE_LIBRARY_INDEX_CHANGES_H_
