// A header block: names and values in the order in which they came, duplicates apart, in one flat
// arena. Owns the bytes. Values only; no thread of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

  void Add(std::string_view name, std::string_view value, bool never_index = false) {
    entries_.push_back({static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(name.size()),
                        static_cast<uint32_t>(value.size()), never_index});
    bytes_.append(name).append(value);
  }
  void Reserve(size_t fields, size_t bytes) {
    entries_.reserve(fields);
    bytes_.reserve(bytes);
  }
  void Clear() {
    entries_.clear();
    bytes_.clear();
  }

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  size_t bytes() const { return bytes_.size(); }
  // As HTTP/2 counts it: name + value + 32 a field.
  size_t list_bytes() const { return bytes_.size() + entries_.size() * kFieldOverheadBytes; }

  Field operator[](size_t index) const {
    const Entry& entry = entries_[index];
    const std::string_view all = bytes_;
    return {all.substr(entry.offset, entry.name_size),
            all.substr(entry.offset + entry.name_size, entry.value_size), entry.never_index};
  }

  // The value of the first field of that name; a view without data where there is none.
  std::string_view Find(std::string_view name) const {
    for (size_t i = 0; i < size(); ++i) {
      const Field field = (*this)[i];
      if (field.name == name) return field.value;
    }
    return {};
  }
  bool Has(std::string_view name) const { return Find(name).data() != nullptr; }

 private:
  struct Entry {
    uint32_t offset;
    uint32_t name_size;
    uint32_t value_size;
    bool never_index;
  };

  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace lanekeeper::http2
