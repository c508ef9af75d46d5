// Memory that is kept for later must not be used until then: the address sanitizer is told, where
// it is on, as it is told of free(). Nothing in other builds. Any thread.
#pragma once

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__  // g++
#define LANEKEEPER_POISONS 1
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define LANEKEEPER_POISONS 1
#endif
#endif

#ifdef LANEKEEPER_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace lanekeeper {

#ifdef LANEKEEPER_POISONS
inline void Poison(const void* memory, size_t bytes) { __asan_poison_memory_region(memory, bytes); }
inline void Unpoison(const void* memory, size_t bytes) {
  __asan_unpoison_memory_region(memory, bytes);
}
#else
inline void Poison(const void*, size_t) {}
inline void Unpoison(const void*, size_t) {}
#endif

}  // namespace lanekeeper
