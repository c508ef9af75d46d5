// Adds options of our own kinds to commands: refused values are usage errors that say what was
// expected. Used while the command line is set up; the targets must outlive its parsing.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/address.h"
#include "protos/lanekeeper/admin/v1/admin.pb.h"

namespace lanekeeper {

// "10s", "1m30s"; refused below `least`.
CLI::Option* AddDuration(CLI::App& command, const std::string& name,
                         std::chrono::milliseconds* target, const std::string& what,
                         std::chrono::milliseconds least = {});

// A whole number of at least 1.
CLI::Option* AddCount(CLI::App& command, const std::string& name, std::optional<uint64_t>* target,
                      const std::string& what);

// One or more ids of streams, or at most one.
CLI::Option* AddIds(CLI::App& command, std::vector<uint64_t>* target, const std::string& what);
CLI::Option* AddId(CLI::App& command, std::optional<uint64_t>* target, const std::string& what);

// --method, --peer, --state, --min-age and --stuck.
std::vector<CLI::Option*> AddFilter(CLI::App& command, admin::v1::StreamFilter* target);

// --admin: the environment's LANEKEEPER_ADMIN, else 127.0.0.1:9465, unless given. What gRPC dials.
void AddAdminAddress(CLI::App& command, std::string* target);

// --metrics likewise, with LANEKEEPER_METRICS and 127.0.0.1:9464.
void AddMetricsAddress(CLI::App& command, ListenAddress* target);

}  // namespace lanekeeper
