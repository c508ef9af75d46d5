# The target lanekeeper_grpc: gRPC as archives in the executable, or as shared libraries
# (LANEKEEPER_STATIC_GRPC, CMakeLists.txt). In the executable its thread-local variables and its own
# functions are called directly instead of through tables: 12 % fewer instructions per RPC.
add_library(lanekeeper_grpc INTERFACE)

if(NOT LANEKEEPER_STATIC_GRPC)
  target_link_libraries(lanekeeper_grpc INTERFACE gRPC::grpc++ absl::synchronization)
  set(LANEKEEPER_REPLACED_OPTIONS "")
  return()
endif()

find_package(OpenSSL REQUIRED)
find_library(LANEKEEPER_GRPC_ARCHIVE libgrpc.a REQUIRED)
get_filename_component(archives ${LANEKEEPER_GRPC_ARCHIVE} DIRECTORY)
file(GLOB absl_archives CONFIGURE_DEPENDS ${archives}/libabsl_*.a)
set(grpc_archives "")
foreach(name grpc++ grpc gpr upb address_sorting)
  find_library(LANEKEEPER_ARCHIVE_${name} lib${name}.a REQUIRED)
  list(APPEND grpc_archives ${LANEKEEPER_ARCHIVE_${name}})
endforeach()
list(JOIN grpc_archives "," grpc_archives)
list(JOIN absl_archives "," absl_archives)

target_compile_definitions(lanekeeper_grpc INTERFACE LANEKEEPER_STATIC_GRPC)
target_include_directories(lanekeeper_grpc INTERFACE ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(lanekeeper_grpc INTERFACE
  "$<LINK_GROUP:RESCAN,${grpc_archives},${absl_archives}>" re2 cares z OpenSSL::SSL OpenSSL::Crypto
  Threads::Threads ${CMAKE_DL_LIBS} rt m)
target_link_options(lanekeeper_grpc INTERFACE -Wl,--gc-sections)

# The functions that rpc/replaced_function.h tells of, by the names that they have in this archive.
execute_process(COMMAND ${CMAKE_NM} --defined-only --extern-only ${LANEKEEPER_GRPC_ARCHIVE}
                OUTPUT_VARIABLE symbols ERROR_QUIET)
set(LANEKEEPER_REPLACED_OPTIONS "")
set(names "")
foreach(replaced
    "CQ_BEGIN_OP=_Z16grpc_cq_begin_op"
    "CQ_END_OP=_Z14grpc_cq_end_op"
    "STATUS_CREATE=_ZN9grpc_core12StatusCreateE"
    "EXECUTOR_IS_THREADED=_ZN9grpc_core8Executor17IsThreadedDefaultEv"
    "ERROR_SET_STR=_Z18grpc_error_set_str")
  string(REGEX REPLACE "=.*" "" macro ${replaced})
  string(REGEX REPLACE ".*=" "" prefix ${replaced})
  if(NOT symbols MATCHES " T (${prefix}[A-Za-z0-9_]*)")
    message(FATAL_ERROR "${LANEKEEPER_GRPC_ARCHIVE} has no function ${prefix}*, which lanekeeper "
                        "replaces: configure with -DLANEKEEPER_STATIC_GRPC=OFF")
  endif()
  string(APPEND names "#define LANEKEEPER_NAME_${macro} \"${CMAKE_MATCH_1}\"\n")
  list(APPEND LANEKEEPER_REPLACED_OPTIONS
    "-Wl,--wrap=${CMAKE_MATCH_1}" "-Wl,--undefined=__wrap_${CMAKE_MATCH_1}")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/replaced_names.h CONTENT "#pragma once\n${names}")
# Those that replace a function without calling the original stand before it (unknown_encodings.cc,
# block_pool.cc).
list(APPEND LANEKEEPER_REPLACED_OPTIONS "-Wl,-z,muldefs")
