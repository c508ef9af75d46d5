// What the parts go by, out of the configuration. Pure functions; any thread.
#pragma once

#include <cstddef>

#include "config/config.h"
#include "proxy/downstream/request_head.h"
#include "proxy/rpc/rpc.h"

namespace lanekeeper {

RpcRules RpcRulesOf(const Config& config);
RequestRules RequestRulesOf(const Config& config);

// Above this a header block is not kept whole: far above what we let pass, which fails one RPC.
size_t HeaderListBytesMax(const LimitsConfig& limits);

}  // namespace lanekeeper
