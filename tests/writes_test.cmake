# SPDX-License-Identifier: Apache-2.0
# Reads the code and fails with a line for each write that goes past core/base/file_system.h, through which every write of
# the library goes, so that tests can make the n-th one fail. Run: cmake -DSOURCE_DIR=… -P writes_test.cmake
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/conclude.cmake)

# What changes files otherwise is no part of a library: the empty files of locks, the system's temporary folder,
# a converted model's folder, /dev/null.
set(write "ofstream|std::fstream|fopen|O_CREAT|O_WRONLY|O_RDWR|O_TMPFILE|mkdtemp|mkstemp")
set(write "${write}|::(unlink|unlinkat|rename|renameat|link|symlink|mkdir|rmdir|truncate|ftruncate|fallocate)\\(")
set(write "${write}|(filesystem|fs)::(remove|rename|create_|copy|resize_file|permissions|last_write_time)")
set(writers "^(core/model/convert|statestore/documents/extractor|statestore/library/exchange")
set(writers "${writers}|statestore/storage/file_lock)\\.cc$")
set(wrong "")
set(writes_seen 0)
foreach(layer core/model_files core/tokenizer core/model core/engine statestore cli/serve)
  file(GLOB_RECURSE sources RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/${layer}/*.h" "${SOURCE_DIR}/${layer}/*.cc")
  foreach(source IN LISTS sources)
    file(STRINGS "${SOURCE_DIR}/${source}" lines REGEX "${write}")
    foreach(line IN LISTS lines)
      if(source MATCHES "${writers}")
        math(EXPR writes_seen "${writes_seen} + 1")
      else()
        string(STRIP "${line}" line)
        list(APPEND wrong "${source}: writes past the FileSystem: ${line}")
      endif()
    endforeach()
  endforeach()
endforeach()

conclude("${writes_seen}" 4 "writes that are allowed" "${wrong}")
