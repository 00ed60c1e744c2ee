// SPDX-License-Identifier: Apache-2.0
#include "cli/model_facts.h"

#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/printable.h"
#include "statestore/documents/document_template.h"

namespace statelib::cli {

namespace {

constexpr int kDepthMax = 8;

/// What was found out when the model was added; a null for one that only came with a state.
Json DescriptionOf(const library::ModelDetails& model) {
  // Printing goes as deep as the description does.
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kDepthMax; };
  Json description = Json::parse(model.row.description_json, shallow, false);
  if (!description.is_object() || description.empty()) return nullptr;
  return description;
}

void AddDescription(const Json& description, FactList& facts) {
  // The index is a file like any other: it may say anything.
  const auto member = [](const Json& object, const char* key) {
    const auto place = object.is_object() ? object.find(key) : object.end();
    return place == object.end() ? Json() : *place;
  };
  const auto number = [&](const Json& object, const char* key) {
    const Json value = member(object, key);
    return value.is_number_unsigned() ? value.get<uint64_t>() : 0;
  };
  const auto text = [&](const Json& object, const char* key) {
    const Json value = member(object, key);
    return value.is_string() ? value.get<std::string>() : "";
  };
  facts.Add("parameters", HumanCount(number(description, "parameters")));
  facts.Add("state", HumanBytes(number(description, "state_bytes")) + " a sequence");
  const Json weights = member(description, "weights");
  for (const Json& type : weights.is_array() ? weights : Json::array())
    facts.Add("tensors " + text(type, "type"),
              fmt::format("{}, {}, {}", HumanCount(number(type, "tensors"), "tensor"),
                          HumanCount(number(type, "elements"), "element"),
                          HumanBytes(number(type, "bytes"))));
  for (const Json& note : description.value("notes", Json::array()))
    facts.Add("note", Printable(note.get<std::string>()));
}

Json PromptJson(const library::ModelDetails& model) {
  Json json;
  Json set = Json::array();
  for (const PromptPart& part : PromptParts()) {
    const auto& text = model.prompt.*part.text;
    json[part.name] = text ? Json(*text) : Json(nullptr);
    if (model.row.prompt.*part.text) set.push_back(part.name);
  }
  json["set"] = std::move(set);
  json["problem"] = model.card_problem.empty() ? Json(nullptr) : Json(model.card_problem);
  return json;
}

/// Texts as they are typed.
void AddPrompt(const library::ModelDetails& model, FactList& facts) {
  if (!model.card_problem.empty()) facts.Add("card", model.card_problem);
  for (const PromptPart& part : PromptParts()) {
    const auto& text = model.prompt.*part.text;
    facts.Add(std::string("prompt.") + part.name,
              !text ? "not known"
                    : "'" + documents::Typed(*text) + "'" +
                          (model.row.prompt.*part.text ? " (set here)" : ""));
  }
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
          {"prompt", PromptJson(model)},
          {"description", DescriptionOf(model)},
          {"added_at", IsoTime(model.row.added_at_ms / 1000)}};
}

void PrintModel(const Context& context, const library::ModelDetails& model) {
  const storage::ModelRow& row = model.row;
  FactList facts;
  facts.Add("model", row.name.empty() ? "without a name" : row.name);
  facts.Add("fingerprint", row.identity.fingerprint.Hex());
  facts.Add("architecture", fmt::format("{}, {}", row.identity.architecture, row.identity.summary));
  facts.Add("place", row.path.empty()
                         ? "not known on this machine"
                         : Printable(row.path) + (model.is_present ? "" : " (not there)"));
  if (!row.tokenizer_path.empty()) facts.Add("tokenizer", Printable(row.tokenizer_path));
  if (row.size_bytes > 0) facts.Add("size", HumanBytes(row.size_bytes));
  facts.Add("weights", row.weights.empty() ? "auto" : row.weights);
  if (const Json description = DescriptionOf(model); !description.is_null())
    AddDescription(description, facts);
  AddPrompt(model, facts);
  facts.Add("states", HumanCount(model.states));
  facts.Add("default", model.is_default ? "yes" : "no");
  facts.Print(context.out);
}

void PrintPrompt(const Context& context, const library::ModelDetails& model) {
  FactList facts;
  AddPrompt(model, facts);
  facts.Print(context.out);
}

}  // namespace statelib::cli
