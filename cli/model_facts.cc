// SPDX-License-Identifier: Apache-2.0
#include "cli/model_facts.h"

#include "cli/terminal/printable.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"

namespace statelib::cli {

namespace {

/// What was found out when the model was added; a null for one that only came with a state.
Json DescriptionOf(const library::ModelDetails& model) {
  Json description = Json::parse(model.row.description_json, nullptr, false);
  if (!description.is_object() || description.empty()) return nullptr;
  return description;
}

void AddDescription(const Json& description, FactList& facts) {
  const auto number = [](const Json& object, const char* key) {
    return object.value(key, uint64_t{0});
  };
  facts.Add("parameters", HumanCount(number(description, "parameters")));
  facts.Add("state", HumanBytes(number(description, "state_bytes")) + " a sequence");
  for (const Json& type : description.value("weights", Json::array()))
    facts.Add("tensors " + type.value("type", ""),
              fmt::format("{}, {}, {}", HumanCount(number(type, "tensors"), "tensor"),
                          HumanCount(number(type, "elements"), "element"),
                          HumanBytes(number(type, "bytes"))));
}

}  // namespace

Json ModelJson(const library::ModelDetails& model) {
  return {{"name", model.row.name},
          {"fingerprint", model.row.identity.fingerprint.Hex()},
          {"architecture", model.row.identity.architecture},
          {"summary", model.row.identity.summary},
          {"path", model.row.path},
          {"tokenizer", model.row.tokenizer_path},
          {"present", model.is_present},
          {"default", model.is_default},
          {"states", model.states},
          {"size_bytes", model.row.size_bytes},
          {"weights", model.row.weights.empty() ? "auto" : model.row.weights},
          {"description", DescriptionOf(model)},
          {"added_at", IsoTime(model.row.added_at_ms / 1000)}};
}

void PrintModel(const Context& context, const library::ModelDetails& model) {
  const storage::ModelRow& row = model.row;
  FactList facts;
  facts.Add("model", row.name.empty() ? "without a name" : row.name);
  facts.Add("fingerprint", row.identity.fingerprint.Hex());
  facts.Add("architecture", fmt::format("{}, {}", row.identity.architecture, row.identity.summary));
  facts.Add("place", row.path.empty() ? "not known on this machine"
                                      : Printable(row.path, LineBreaks::kEscape) +
                                            (model.is_present ? "" : " (not there)"));
  if (!row.tokenizer_path.empty())
    facts.Add("tokenizer", Printable(row.tokenizer_path, LineBreaks::kEscape));
  if (row.size_bytes > 0) facts.Add("size", HumanBytes(row.size_bytes));
  facts.Add("weights", row.weights.empty() ? "auto" : row.weights);
  if (const Json description = DescriptionOf(model); !description.is_null())
    AddDescription(description, facts);
  facts.Add("states", HumanCount(model.states));
  facts.Add("default", model.is_default ? "yes" : "no");
  facts.Print(context.out);
}

}  // namespace statelib::cli
