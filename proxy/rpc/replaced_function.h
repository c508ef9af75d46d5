// How a function of core is replaced by one of ours that calls the original.
// Linked with core's shared libraries, the executable's function of the same name is found first,
// and the original is the next of that name. Linked with its archives (LANEKEEPER_STATIC_GRPC), the
// linker sends every call of NAME to __wrap_NAME and calls the original __real_NAME (ld(1),
// --wrap); NAME holds the version of absl, so CMake reads it out of the archive
// (grpc_archives.cmake).
//
//   int f(int) LANEKEEPER_REPLACES(LANEKEEPER_NAME_F);           ours
//   int OriginalF(int) LANEKEEPER_ORIGINAL(LANEKEEPER_NAME_F);   never defined
//   int f(int x) { static auto* const original = LANEKEEPER_FIND(f, OriginalF); ... }
#pragma once

#ifdef LANEKEEPER_STATIC_GRPC

#include "replaced_names.h"

#define LANEKEEPER_REPLACES(NAME) __asm__("__wrap_" NAME)
#define LANEKEEPER_ORIGINAL(NAME) __asm__("__real_" NAME)
#define LANEKEEPER_FIND(OURS, ORIGINAL) (&(ORIGINAL))

#else

#include <dlfcn.h>

#define LANEKEEPER_REPLACES(NAME)
#define LANEKEEPER_ORIGINAL(NAME)
#define LANEKEEPER_FIND(OURS, ORIGINAL) (::lanekeeper::NextOfSameName(&(OURS)))

namespace lanekeeper {

// The name is looked up rather than written, for it holds the version of absl.
template <class Function>
Function* NextOfSameName(Function* ours) {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(ours), &info);
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, info.dli_sname));
}

}  // namespace lanekeeper

#endif
