// A header block: names and values in the order in which they came, duplicates apart, one behind
// the other in one piece of memory. Owns the bytes; an iterator and the views that it gives are
// valid until the list changes. Values only; no thread of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "proxy/base/pool.h"

namespace lanekeeper::http2 {

struct Field {
  std::string_view name;
  std::string_view value;
  // Must never enter a compression table, ours or a later hop's (RFC 7541 section 7.1.3).
  bool never_index = false;
};

class FieldList {
 public:
  // What one field adds to a block's size (RFC 9113 section 6.5.2).
  static constexpr size_t kFieldOverheadBytes = 32;

  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    Field operator*() const {
      const Head head = HeadAt(at_);
      const char* name = at_ + sizeof(Head);
      return {
          {name, head.name_size}, {name + head.name_size, head.value_size}, head.never_index != 0};
    }
    Iterator& operator++() {
      const Head head = HeadAt(at_);
      at_ += sizeof(Head) + head.name_size + head.value_size;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_;
  };

  FieldList() = default;
  FieldList(const FieldList& other) { *this = other; }
  FieldList(FieldList&&) noexcept = default;
  FieldList& operator=(const FieldList& other) {
    if (this != &other) Assign(other, nullptr);
    return *this;
  }
  FieldList& operator=(FieldList&&) noexcept = default;

  void Add(std::string_view name, std::string_view value, bool never_index = false) {
    const Head head{static_cast<uint32_t>(name.size()), static_cast<uint32_t>(value.size()),
                    never_index ? 1u : 0u};
    const size_t bytes = sizeof head + name.size() + value.size();
    Memory& memory = WithRoom(bytes);
    char* to = memory.bytes() + memory.used;
    std::memcpy(to, &head, sizeof head);
    name.copy(to + sizeof head, name.size());
    value.copy(to + sizeof head + name.size(), value.size());
    memory.used += static_cast<uint32_t>(bytes);
    ++memory.count;
  }
  void Add(const Field& field) { Add(field.name, field.value, field.never_index); }
  // Room for that many fields with so many bytes of names and values in all. With a pool the list
  // stays on its thread, and what it has goes back there.
  void Reserve(size_t fields, size_t bytes, Pool* pool = nullptr) {
    WithRoom(fields * sizeof(Head) + bytes, pool);
  }
  // A copy of another list, in memory as Reserve says.
  void Assign(const FieldList& other, Pool* pool) {
    Clear();
    if (other.empty()) return;
    Memory& to = WithRoom(other.memory_->used, pool);
    std::memcpy(to.bytes(), other.memory_->bytes(), other.memory_->used);
    to.used = other.memory_->used;
    to.count = other.memory_->count;
  }
  // Keeps its memory for the next block, if that is little.
  void Clear() {
    if (memory_ == nullptr) return;
    if (memory_->capacity > kKeptBytesMax) return memory_.reset();
    memory_->used = memory_->count = 0;
  }

  size_t size() const { return memory_ == nullptr ? 0 : memory_->count; }
  bool empty() const { return size() == 0; }
  // Of names and values.
  size_t bytes() const { return used() - size() * sizeof(Head); }
  // As HTTP/2 counts it: name + value + 32 a field.
  size_t list_bytes() const { return bytes() + size() * kFieldOverheadBytes; }

  Iterator begin() const { return Iterator(memory_ == nullptr ? nullptr : memory_->bytes()); }
  Iterator end() const {
    return Iterator(memory_ == nullptr ? nullptr : memory_->bytes() + memory_->used);
  }

  // The value of the first field of that name; a view without data where there is none.
  std::string_view Find(std::string_view name) const {
    for (const Field field : *this) {
      if (field.name == name) return field.value;
    }
    return {};
  }
  bool Has(std::string_view name) const { return Find(name).data() != nullptr; }

 private:
  static constexpr size_t kKeptBytesMax = 4096;
  // In front of each field's name and value.
  struct Head {
    uint32_t name_size;
    uint32_t value_size;
    uint32_t never_index;
  };
  // In front of all fields; one pointer, because an idle stream has several lists.
  struct Memory {
    Pool* pool;  // that it came from; malloc without one
    uint32_t capacity;
    uint32_t used;
    uint32_t count;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };
  struct Free {
    void operator()(Memory* memory) const {
      if (memory->pool == nullptr) return std::free(memory);
      memory->pool->Deallocate(memory, sizeof(Memory) + memory->capacity);
    }
  };

  static Head HeadAt(const char* at) {
    Head head;
    std::memcpy(&head, at, sizeof head);
    return head;
  }
  size_t used() const { return memory_ == nullptr ? 0 : memory_->used; }

  Memory& WithRoom(size_t bytes, Pool* pool = nullptr) {
    if (memory_ == nullptr || used() + bytes > memory_->capacity) Grow(used() + bytes, pool);
    return *memory_;
  }
  // An empty list gets exactly so much, one that grows twice as much as it has.
  void Grow(size_t needed, Pool* pool) {
    if (memory_ != nullptr) pool = memory_->pool;
    const size_t capacity =
        memory_ == nullptr ? needed : std::max(needed, 2 * size_t{memory_->capacity});
    const size_t whole = sizeof(Memory) + capacity;
    void* larger = pool == nullptr ? std::malloc(whole) : pool->Allocate(whole);
    if (larger == nullptr) throw std::bad_alloc();
    auto* memory = new (larger) Memory{pool, static_cast<uint32_t>(capacity), 0, 0};
    if (memory_ != nullptr) {
      memory->used = memory_->used;
      memory->count = memory_->count;
      std::memcpy(memory->bytes(), memory_->bytes(), memory_->used);
    }
    memory_.reset(memory);
  }

  std::unique_ptr<Memory, Free> memory_;
};

}  // namespace lanekeeper::http2
