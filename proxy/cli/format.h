// Times, sizes and text from the network, as a person reads them in a terminal, and messages as a
// program reads them. Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "protos/lanekeeper/admin/v1/admin.pb.h"

namespace lanekeeper {

// At most two units, rounded down: "350ms", "31s", "5m12s", "3h04m", "2d03h". What is below zero
// (clocks are read one after the other) is "0ms".
std::string FormatAge(std::chrono::nanoseconds age);
std::string FormatAge(const google::protobuf::Duration& age);

// "120B", "1.2KiB", "12.3MiB".
std::string FormatBytes(uint64_t bytes);

// "1 connection", "50 connections".
std::string Counted(uint64_t count, std::string_view noun);

// Methods and addresses come from the network: printable ASCII stays, a backslash is doubled, every
// other byte becomes \xNN.
std::string Escape(std::string_view text);

// One line.
std::string ToJsonLine(const google::protobuf::Message& message);
// A line for each stream of a page. Converts the page at once: protobuf looks all types up anew in
// each conversion, which for one stream takes several times as long as the rest.
std::string ToJsonLines(const admin::v1::ListStreamsResponse& page);

// Columns that a UTF-8 text takes, its characters being one wide each.
size_t Width(std::string_view text);

// At most `width` columns of an ASCII text; what is too long has an ellipsis in its middle, since
// methods differ at both ends.
std::string CutMiddle(std::string_view text, size_t width);

// The first `width` columns of a UTF-8 text.
std::string_view CutRight(std::string_view text, size_t width);

}  // namespace lanekeeper
