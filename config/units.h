// Reads and writes durations ("1m30s") and sizes ("64KiB"). Values only; any thread.
// Every parser returns nothing on refusal and then says in *why what it expected and what it found.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanekeeper {

// Whole numbers with units h, m, s and ms, longest first; a bare "0" is off. Other bare numbers are
// refused: nobody should have to remember whether a timeout counts seconds or milliseconds.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text, std::string* why);

// A whole number with one of B, KiB, MiB and GiB, in bytes; of bare numbers only "0".
std::optional<int64_t> ParseSize(std::string_view text, std::string* why);

// A whole number in plain decimal: no sign, no leading zeros (octal to some YAML readers), no 0x10,
// no 1_000.
std::optional<int64_t> ParseWholeNumber(std::string_view text, std::string* why);

// Both parse back to the same value; neither takes negative ones.
std::string FormatDuration(std::chrono::milliseconds duration);
std::string FormatSize(int64_t bytes);

}  // namespace lanekeeper
