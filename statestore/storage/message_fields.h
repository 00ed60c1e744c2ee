// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_MESSAGE_FIELDS_H_
#define STATELIB_STATESTORE_STORAGE_MESSAGE_FIELDS_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "proto/statelib.pb.h"
#include "statestore/storage/limits.h"
#include "statestore/storage/records.h"

// What the codecs of messages share. For message_codec.cc and change_codec.cc alone.
namespace statelib::storage {

inline void SetDigest(const Digest& digest, std::string* field) {
  field->assign(AsText(digest.bytes));
}

inline void ToProto(const ModelIdentity& model, v1::Model* out) {
  SetDigest(model.fingerprint, out->mutable_fingerprint());
  out->set_architecture(model.architecture);
  out->set_summary(model.summary);
}

/// Nothing for a form that says nothing.
template <typename Message>
void SetPromptForm(const PromptForm& form, Message* message, v1::PromptForm* (Message::*field)()) {
  if (form.empty()) return;
  v1::PromptForm* const out = (message->*field)();
  if (form.question) out->set_question(*form.question);
  if (form.stop) out->set_stop(*form.stop);
  if (form.refusal) out->set_refusal(*form.refusal);
}

inline void ToProto(const Derivation& derivation, v1::Derivation* out) {
  SetDigest(derivation.state, out->mutable_state_id());
  if (derivation.parent_state) SetDigest(*derivation.parent_state, out->mutable_parent_state_id());
  if (derivation.parent) out->set_parent(static_cast<uint32_t>(*derivation.parent + 1));
  out->set_operation(static_cast<v1::Operation>(derivation.operation));
  out->set_token_count(derivation.token_count);
  out->set_created_at_ms(derivation.created_at_ms);
  for (const SourceRecord& source : derivation.sources) {
    v1::Source* item = out->add_sources();
    item->set_name(source.name);
    item->set_size_bytes(source.size_bytes);
    SetDigest(source.digest, item->mutable_digest());
    item->set_token_count(source.token_count);
    item->set_read_at_ms(source.read_at_ms);
  }
}

inline std::string Canonical(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return bytes;
}

/// Checks the fields of one message. Every method throws kCorrupt with the place and the field.
class FieldReader {
 public:
  explicit FieldReader(const std::string& location) : location_(location) {}

  template <typename Message>
  void Parse(ByteSpan bytes, Message* out) const {
    const google::protobuf::LogSilencer silencer;  // the Error says it, once
    google::protobuf::io::CodedInputStream coded(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                 static_cast<int>(bytes.size()));
    coded.SetTotalBytesLimit(static_cast<int>(kManifestBytesMax));
    if (!out->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
      Fail("its header is not a message of this format");
  }

  template <typename... Args>
  [[noreturn]] void Fail(fmt::format_string<Args...> format, Args&&... args) const {
    Throw(ErrorKind::kCorrupt, "{}: {}", location_,
          fmt::format(format, std::forward<Args>(args)...));
  }

  Digest ReadDigest(const std::string& field, const char* name) const {
    const auto digest = Digest::FromBytes(AsBytes(field));
    if (!digest) Fail("{}: expected 32 bytes, found {}", name, field.size());
    return *digest;
  }

  const std::string& ReadText(const std::string& field, const char* name) const {
    if (field.size() > kTextBytesMax)
      Fail("{}: {} bytes, expected at most {}", name, field.size(), kTextBytesMax);
    const bool control = std::any_of(field.begin(), field.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (control) Fail("{}: a control character inside a text", name);
    return field;
  }

  template <typename Enum>
  Enum ReadEnum(int value, int last, const char* name) const {
    if (value < 1 || value > last) {
      Throw(ErrorKind::kUnsupported,
            "{}: {} number {}, this statelib knows 1 to {}; use a newer statelib", location_, name,
            value, last);
    }
    return static_cast<Enum>(value);
  }

  double ReadMeasure(double value, const char* name) const {
    if (!(value >= 0 && value <= std::numeric_limits<double>::max()))
      Fail("{}: expected a number from 0 on, found {}", name, value);
    return value;
  }

  ModelIdentity ReadModel(const v1::Model& message) const {
    return {ReadDigest(message.fingerprint(), "model fingerprint"),
            ReadText(message.architecture(), "model architecture"),
            ReadText(message.summary(), "model summary")};
  }

  PromptForm ReadPromptForm(const v1::PromptForm& message) const {
    PromptForm form;
    if (message.has_question()) form.question = message.question();
    if (message.has_stop()) form.stop = message.stop();
    if (message.has_refusal()) form.refusal = message.refusal();
    try {
      CheckPromptForm(form);
    } catch (const Error& error) {
      Fail("{}", error.what());
    }
    return form;
  }

  Derivation ReadDerivation(const v1::Derivation& message, size_t place) const {
    Derivation derivation;
    derivation.state = ReadDigest(message.state_id(), "derivation's state");
    if (!message.parent_state_id().empty())
      derivation.parent_state = ReadDigest(message.parent_state_id(), "parent state");
    if (message.parent() > place) Fail("derivation {} stands before its parent", place);
    if (message.parent() != 0) derivation.parent = static_cast<int64_t>(message.parent()) - 1;
    derivation.operation = ReadEnum<Operation>(message.operation(), v1::Operation_MAX, "operation");
    derivation.token_count = message.token_count();
    derivation.created_at_ms = message.created_at_ms();
    for (const v1::Source& source : message.sources()) {
      derivation.sources.push_back({ReadText(source.name(), "source name"), source.size_bytes(),
                                    ReadDigest(source.digest(), "source digest"),
                                    source.token_count(), source.read_at_ms()});
    }
    return derivation;
  }

 protected:
  const std::string& location_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_MESSAGE_FIELDS_H_
