# SPDX-License-Identifier: Apache-2.0
# Makes the Debian package and looks into it, without installing it:
# cmake -DBUILD_DIR=... -DCPACK=cpack -DWORK_DIR=... -P package_test.cmake
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
execute_process(COMMAND ${CPACK} --config ${BUILD_DIR}/CPackConfig.cmake -B ${WORK_DIR} OUTPUT_QUIET
                        COMMAND_ERROR_IS_FATAL ANY)
file(GLOB package ${WORK_DIR}/*.deb)

execute_process(COMMAND dpkg-deb --contents ${package} OUTPUT_VARIABLE contents COMMAND_ERROR_IS_FATAL ANY)
foreach(
  file
  bin/statelib
  libexec/statelib/statelib-net
  libexec/statelib/statelib-extract
  share/statelib/models/demo/model.safetensors
  share/statelib/models/demo/tokenizer.json
  share/statelib/models/demo/prompt.toml
  share/statelib/tokenizers/gpt-neox-20b/tokenizer.json
  share/statelib/documents/handbook.md
  share/bash-completion/completions/statelib
  share/zsh/vendor-completions/_statelib
  share/fish/vendor_completions.d/statelib.fish
  share/man/man1/statelib.1
  share/man/man1/statelib-model-add.1
  share/doc/statelib/copyright)
  string(FIND "${contents}" " ./usr/${file}\n" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${file} is not in the package:\n${contents}")
  endif()
endforeach()
if(contents MATCHES "${BUILD_DIR}")
  message(FATAL_ERROR "a path of this machine is in the package:\n${contents}")
endif()

execute_process(COMMAND dpkg-deb --field ${package} Depends OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
foreach(library libc6 libstdc++6 libsqlite3-0 libzstd1 libsodium23 libcurl4)
  string(FIND "${depends}" "${library} " found)
  if(found EQUAL -1)
    message(FATAL_ERROR "the package does not depend on ${library}: ${depends}")
  endif()
endforeach()

# Unpacked anywhere it works with what lies beside it.
execute_process(COMMAND dpkg-deb --extract ${package} ${WORK_DIR}/root COMMAND_ERROR_IS_FATAL ANY)
set(ENV{HOME} ${WORK_DIR})
execute_process(COMMAND ${WORK_DIR}/root/usr/bin/statelib model check OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(FIND "${output}" "${WORK_DIR}/root/usr/share/statelib/models/demo" found)
if(found EQUAL -1)
  message(FATAL_ERROR "the unpacked program did not find its model:\n${output}")
endif()
file(REMOVE_RECURSE ${WORK_DIR})
