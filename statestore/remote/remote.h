// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_REMOTE_H_
#define STATELIB_STATESTORE_REMOTE_REMOTE_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "statestore/storage/import.h"
#include "statestore/storage/message_codec.h"

// Where libraries meet: a place that holds objects and versions of names, each version with a
// signed manifest of its own (storage/manifest.h). What travels is what a bundle carries, in parts.
namespace statelib::remote {

using storage::ObjectId;
using storage::RemoteVersion;
using storage::StateId;
using TransferObject = storage::BundleManifest::Object;
using Sink = std::function<void(ByteSpan bytes)>;

/// The names and versions of a remote as one file: head (file_head.h) and a RemoteCatalogue.
Bytes EncodeCatalogue(const std::vector<RemoteVersion>& versions);
/// Errors: kCorrupt, kUnsupported.
std::vector<RemoteVersion> DecodeCatalogue(ByteSpan bytes, const std::string& location);

/// The newest version of a name, which is its current one; null when there is none.
const RemoteVersion* NewestOf(const std::vector<RemoteVersion>& versions, const std::string& name,
                              const std::string& tag);

/// Whether a name has had a state there.
bool Has(const std::vector<RemoteVersion>& versions, const std::string& name,
         const std::string& tag, const StateId& state);

/// A version that is to be added to a name.
struct Publication {
  std::string name;
  std::string tag;
  StateId state;
  uint64_t token_count = 0;
  Bytes manifest;       ///< signed or not, of this one version
  uint64_t number = 0;  ///< of the version where it comes from, for messages
  /// What the library that it comes from has had of this name: the remote's newest version has to
  /// be one of them. Empty: whatever is there is superseded.
  std::optional<std::vector<StateId>> had = std::vector<StateId>();
};

/// Whether a name may go on from its newest version, which may be null, with a publication.
/// Errors: kMismatch, with both versions and what to do, when the publication's library has not had
/// the newest version. `location` is the remote's, and may be empty.
void CheckGoesOn(const Publication& publication, const RemoteVersion* newest,
                 const std::string& location);

/// Adds publications to a catalogue, in their order, each as the next version of its name; one
/// whose state the name has had there already changes nothing. The first of a name has to go on
/// from what is there, the others go on from it. `manifest` is the hash of its manifest's bytes for
/// the entry. Errors: those of CheckGoesOn; then nothing is added.
void AddPublications(std::span<const Publication> publications, int64_t now_ms,
                     const std::string& location, std::vector<RemoteVersion>* versions);

/// One remote, whatever its kind. One thread. Errors of every method: kIo for what a further
/// attempt may mend (a cut connection, a full disk); kNotFound, kCorrupt, kUnsupported, kMismatch
/// for what it will not; kBusy; kCancelled.
class Remote {
 public:
  virtual ~Remote() = default;

  virtual const std::string& location() const = 0;  ///< for messages
  /// Every version of every name; nothing on a remote that nobody has pushed to.
  virtual std::vector<RemoteVersion> List() = 0;
  /// The bytes of a version's signed manifest. Not checked: DecodeManifest does that.
  virtual Bytes GetManifest(const RemoteVersion& version) = 0;
  /// Which of the objects are there whole.
  virtual std::vector<bool> HasObjects(std::span<const TransferObject> objects) = 0;
  /// Hands an object's bytes from `offset` on to the sink. Not checked: the receiver compares the
  /// hash of the whole with the id.
  virtual void GetObject(const TransferObject& object, uint64_t offset, const Sink& sink) = 0;
  /// Stores an object durably, going on where a transfer that was cut off had come to if the remote
  /// can. It is there for others only whole and after its hash was found to be its id.
  virtual void PutObject(const TransferObject& object, const ByteSource& bytes) = 0;
  /// Makes versions visible, all at once, whose objects are there. False, and nothing has changed,
  /// when others published at the same moment: look again. Errors: also those of CheckGoesOn.
  virtual bool Publish(std::span<const Publication> publications, int64_t now_ms) = 0;
};

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_REMOTE_H_
