// Random choices that are the same on every machine: the engine is specified to the bit, which the
// distributions of <random> are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace lanekeeper::testing {

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}

  uint64_t Next() { return engine_(); }
  // 0 to limit - 1. A slight bias does not matter here.
  size_t Below(size_t limit) { return static_cast<size_t>(engine_() % limit); }
  size_t Between(size_t least, size_t most) { return least + Below(most - least + 1); }
  bool Chance(size_t percent) { return Below(100) < percent; }

  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  // An index, as often as its weight says.
  size_t Weighted(std::initializer_list<size_t> weights) {
    size_t sum = 0;
    for (const size_t weight : weights) sum += weight;
    size_t left = Below(sum);
    size_t index = 0;
    for (const size_t weight : weights) {
      if (left < weight) break;
      left -= weight;
      ++index;
    }
    return index;
  }

  std::string Bytes(size_t count) {
    std::string bytes(count, '\0');
    uint64_t bits = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i % 8 == 0) bits = Next();
      bytes[i] = static_cast<char>(bits >> (i % 8 * 8));
    }
    return bytes;
  }
  std::string Printable(size_t count) {
    std::string text = Bytes(count);
    for (char& c : text) c = static_cast<char>(' ' + static_cast<unsigned char>(c) % 95);
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace lanekeeper::testing
