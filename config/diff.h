// What a new configuration changes of the one that is in use, key by key, and from when on each new
// value counts. Pure functions on values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "proxy/base/words.h"

namespace lanekeeper {

// From when on a new value counts.
enum class ChangeEffect : uint8_t { kAtOnce, kNewRpcs, kNewConnections, kRestart };
inline constexpr Names<ChangeEffect, 4> kChangeEffects = {
    {{"at_once", ChangeEffect::kAtOnce},
     {"new_rpcs", ChangeEffect::kNewRpcs},
     {"new_connections", ChangeEffect::kNewConnections},
     {"restart", ChangeEffect::kRestart}}};

struct ConfigChange {
  // "limits.open_rpcs". Entries of a list go by what they begin with: "listen[[::1]:80].address".
  std::string key;
  // As --print-config writes them; empty where the entry is not in the list.
  std::optional<std::string> before;
  std::optional<std::string> after;
  ChangeEffect effect = ChangeEffect::kRestart;
};

// Every key whose value differs, in the order of printing, entries that go behind those that stay.
std::vector<ConfigChange> Diff(const Config& before, const Config& after);

// Of a key as the loader asks for it, entries of lists as "listen[].address"; nothing for a key
// that there is not.
std::optional<ChangeEffect> EffectOf(std::string_view key);

// What can be put into use without a restart: `after`, with the values of `before` where only a
// restart changes them.
Config WithoutRestart(const Config& before, Config after);

}  // namespace lanekeeper
