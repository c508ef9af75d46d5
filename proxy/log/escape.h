// How text that may come from anywhere is written into a line without ending it or looking like
// something else. Pure functions.
#pragma once

#include <spdlog/common.h>

#include <string_view>

namespace lanekeeper {

// As it is, but for control characters (C0, C1, what reorders or ends lines in Unicode),
// backslashes and bytes that are not UTF-8: \n \r \t \\ \x1b \u202e.
void AppendEscaped(std::string_view text, spdlog::memory_buf_t& to);

// The same for the value of a field: in quotes, with quotes escaped too, unless it is a plain word.
void AppendTextValue(std::string_view text, spdlog::memory_buf_t& to);

// A JSON string; bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string_view text, spdlog::memory_buf_t& to);

}  // namespace lanekeeper
