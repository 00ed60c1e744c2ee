// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_ARCHITECTURES_H_
#define STATELIB_CORE_MODEL_ARCHITECTURES_H_

#include "core/model/model.h"

namespace statelib::model {

/// One architecture: a name, how its configuration is recognised, and how it is loaded. Adding one
/// is a file that defines these two functions and a row in architectures.cc.
struct Architecture {
  const char* name;
  bool (*recognises)(const JsonValue& config);
  std::unique_ptr<Model> (*load)(const checkpoint::Checkpoint& checkpoint,
                                 kernels::Backend& backend);
};

bool RecognisesMamba1(const JsonValue& config);
std::unique_ptr<Model> LoadMamba1(const checkpoint::Checkpoint& checkpoint,
                                  kernels::Backend& backend);

bool RecognisesMamba2(const JsonValue& config);
std::unique_ptr<Model> LoadMamba2(const checkpoint::Checkpoint& checkpoint,
                                  kernels::Backend& backend);

bool RecognisesFalconMamba(const JsonValue& config);
std::unique_ptr<Model> LoadFalconMamba(const checkpoint::Checkpoint& checkpoint,
                                       kernels::Backend& backend);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_ARCHITECTURES_H_
