// What messages consist of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

// The bytes of a message, known from its number alone: both ends can make and check them piece by
// piece without keeping a copy. Pseudo-random, the same in every run; two messages start at
// different places, so a message that is swapped, repeated or shifted does not compare equal.
class Pattern {
 public:
  explicit Pattern(uint64_t message_number);

  // Bytes of the message at `offset`.
  void Write(char* to, size_t offset, size_t size) const;
  bool Equals(std::string_view bytes, size_t offset) const;

 private:
  size_t start_;
};

}  // namespace bench
