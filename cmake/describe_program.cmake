# SPDX-License-Identifier: Apache-2.0
# Writes the completion scripts and the pages of the manual that a program makes of its declarations:
# cmake -DPROGRAM=... -DOUT_DIR=... -P describe_program.cmake
file(REMOVE_RECURSE ${OUT_DIR})
file(MAKE_DIRECTORY ${OUT_DIR}/man1)

# run(OUTPUT_FILE ARGUMENT...)
function(run output_file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${output_file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${OUT_DIR}/statelib.bash completion bash)
run(${OUT_DIR}/_statelib completion zsh)
run(${OUT_DIR}/statelib.fish completion fish)
run(/dev/null help --man ${OUT_DIR}/man1)
