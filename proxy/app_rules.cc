#include "proxy/app_rules.h"

#include <algorithm>
#include <limits>

namespace lanekeeper {

RpcRules RpcRulesOf(const Config& config) {
  const LimitsConfig& limits = config.limits;
  const bool own = limits.response_metadata_size_bytes.has_value();
  return {.message_bytes_max = limits.message_size_bytes
                                   ? static_cast<uint64_t>(*limits.message_size_bytes)
                                   : std::numeric_limits<uint64_t>::max(),
          .response_metadata_bytes_max = static_cast<size_t>(
              limits.response_metadata_size_bytes.value_or(limits.metadata_size_bytes)),
          .response_metadata_key = own ? "response_metadata_size" : "metadata_size",
          .access_log = AccessLog(config.log.access)};
}

RequestRules RequestRulesOf(const Config& config) {
  return {static_cast<size_t>(config.limits.metadata_size_bytes), config.upstream.authority,
          config.upstream.tls.ca ? "https" : "http"};
}

size_t HeaderListBytesMax(const LimitsConfig& limits) {
  constexpr int64_t kAtLeast = 64 * 1024;
  constexpr int64_t kFactor = 4;
  const int64_t largest =
      std::max(limits.metadata_size_bytes, limits.response_metadata_size_bytes.value_or(0));
  return static_cast<size_t>(std::max(kAtLeast, largest * kFactor));
}

}  // namespace lanekeeper
