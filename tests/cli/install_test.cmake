# SPDX-License-Identifier: Apache-2.0
# Installs into an empty prefix and uses the installed program with its demo model, the source tree's being out of
# its reach: cmake -DBUILD_DIR=... -DBIN_DIR=bin -DWORK_DIR=... -P install_test.cmake
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix OUTPUT_QUIET
                        COMMAND_ERROR_IS_FATAL ANY)

set(statelib ${WORK_DIR}/prefix/${BIN_DIR}/statelib)
set(ENV{STATELIB_HOME} ${WORK_DIR}/library)
set(ENV{HOME} ${WORK_DIR})

# run(WANTED ARGUMENT...): the program's output must contain WANTED.
function(run wanted)
  execute_process(COMMAND ${statelib} ${ARGN} WORKING_DIRECTORY ${WORK_DIR} OUTPUT_VARIABLE output
                          ERROR_VARIABLE errors RESULT_VARIABLE result)
  string(FIND "${output}${errors}" "${wanted}" found)
  if(NOT result EQUAL 0 OR found EQUAL -1)
    message(FATAL_ERROR "statelib ${ARGN} ended with ${result}, '${wanted}' was wanted:\n${output}\n${errors}")
  endif()
endfunction()

run("${WORK_DIR}/prefix/share/statelib/models/demo" model check)
run("passed" model check)
run("1120" tokenize --text "The budget")
run("12092" tokenize --text "Hello" --tokenizer ${WORK_DIR}/prefix/share/statelib/tokenizers/gpt-neox-20b/tokenizer.json)
file(WRITE ${WORK_DIR}/note.txt "The door of the map room is painted silver.\n")
run("note@1" ingest note note.txt)
run("0 reprocessed" generate note "The door" --max-tokens 2)
# What needs the network is a program of its own, which the first one has to find.
execute_process(COMMAND ${statelib} serve --listen nowhere ERROR_VARIABLE errors RESULT_VARIABLE result)
if(NOT result EQUAL 2 OR NOT errors MATCHES "expected HOST:PORT")
  message(FATAL_ERROR "statelib serve --listen nowhere ended with ${result}:\n${errors}")
endif()
file(REMOVE_RECURSE ${WORK_DIR})
