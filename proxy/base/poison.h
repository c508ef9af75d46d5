// Memory that is kept for later must not be used until then: the address sanitizer is told, where
// the build has it (LANEKEEPER_SANITIZE), as it is told of free(). Any thread.
#pragma once

#include <cstddef>

#ifdef LANEKEEPER_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace lanekeeper {

#ifdef LANEKEEPER_POISONS
// GCC 12 takes handing over the address of what is not written yet for a read of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
inline void Poison(const void* memory, size_t bytes) { __asan_poison_memory_region(memory, bytes); }
inline void Unpoison(const void* memory, size_t bytes) {
  __asan_unpoison_memory_region(memory, bytes);
}
#pragma GCC diagnostic pop
#else
inline void Poison(const void*, size_t) {}
inline void Unpoison(const void*, size_t) {}
#endif

}  // namespace lanekeeper
