# SPDX-License-Identifier: Apache-2.0
# Reads every include of the code and fails with a line for each that goes against the direction of dependence:
# kernels <- core <- statestore <- cli, and proto <- statestore; and for each word of which a folder must know nothing.
# Run: cmake -DSOURCE_DIR=… -P architecture_test.cmake
include(${CMAKE_CURRENT_LIST_DIR}/conclude.cmake)

set(of_kernels kernels)
set(of_core_base core/base kernels/dtype.h kernels/device_error.h)
set(of_core_model_files core/base core/model_files kernels)
set(of_core_tokenizer core/base core/tokenizer)
set(of_core_model core/base core/model_files core/model kernels)
set(of_core_engine core kernels)
set(of_statestore_documents core/base statestore/documents)
set(of_statestore_storage core/base statestore/storage proto/ kernels/profile.h)
set(of_statestore_remote core/base statestore/storage statestore/remote)
set(of_statestore_library kernels core statestore/storage statestore/remote statestore/library)
set(of_cli cli kernels core statestore)
set(layers kernels core/base core/model_files core/tokenizer core/model core/engine statestore/documents statestore/storage
           statestore/remote statestore/library cli)
# Headers that one place alone may include: a pattern, and what the place's path must match.
set(kept "\\.pb\\.h" "^statestore/storage/(message_codec\\.cc|change_codec\\.cc|message_fields\\.h)$"
         "^sqlite3\\.h" "^statestore/storage/sqlite_database\\.cc$"
         "^(cuda|cublas)" "^kernels/cuda/" "^curl/" "^statestore/remote/http_client\\.cc$"
         # They take long to compile.
         "^boost/" "^cli/serve/(http_server|request_parser|transport)\\.cc$")

# The files of models know no architecture.
set(untold_of_core_model_files "[Mm]amba")

set(wrong "")
set(includes_read 0)
foreach(layer IN LISTS layers)
  string(REPLACE "/" "_" key "${layer}")
  file(GLOB_RECURSE sources RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/${layer}/*.h" "${SOURCE_DIR}/${layer}/*.cc"
       "${SOURCE_DIR}/${layer}/*.cu" "${SOURCE_DIR}/${layer}/*.cuh")
  foreach(source IN LISTS sources)
    if(DEFINED untold_of_${key})
      file(STRINGS "${SOURCE_DIR}/${source}" told REGEX "${untold_of_${key}}")
      if(told)
        list(APPEND wrong "${source}: says ${untold_of_${key}}, of which ${layer} knows nothing")
      endif()
    endif()
    file(STRINGS "${SOURCE_DIR}/${source}" lines REGEX "^#include")
    foreach(line IN LISTS lines)
      math(EXPR includes_read "${includes_read} + 1")
      string(REGEX MATCH "[<\"]([^>\"]*)[>\"]" matched "${line}")
      set(included "${CMAKE_MATCH_1}")
      list(LENGTH kept kept_count)
      math(EXPR last "${kept_count} - 2")
      foreach(i RANGE 0 ${last} 2)
        math(EXPR place "${i} + 1")
        list(GET kept ${i} pattern)
        list(GET kept ${place} keeper)
        if(included MATCHES "${pattern}" AND NOT source MATCHES "${keeper}")
          list(APPEND wrong "${source}: includes ${included}, which belongs to ${keeper} alone")
        endif()
      endforeach()
      # Another header than one of this repository is nobody's business here.
      if(NOT included MATCHES "^(kernels|core|proto|statestore|cli|tests|examples)/")
        continue()
      endif()
      set(allowed FALSE)
      foreach(folder IN LISTS of_${key})
        string(FIND "${included}" "${folder}" at)
        if(at EQUAL 0)
          set(allowed TRUE)
        endif()
      endforeach()
      if(NOT allowed)
        list(JOIN of_${key} ", " folders)
        list(APPEND wrong "${source}: includes ${included}, but ${layer} may include ${folders} alone")
      endif()
    endforeach()
  endforeach()
endforeach()

conclude("${includes_read}" 500 "includes" "${wrong}")
