// Metadata and statuses for generated RPCs: everything that gRPC allows, and mostly little of it.
#pragma once

#include "tests/conformance/generated/dice.h"
#include "tests/conformance/generated/plan.h"

namespace lanekeeper::testing {

enum class MetadataPlace { kRequestHeaders, kResponseHeaders, kTrailers };

// At most about 6 KiB, below what lanekeeper allows by default.
MetadataPairs GenerateMetadata(Dice& dice, MetadataPlace place);
// 0 to 16, and now and then one that gRPC does not know.
int GenerateStatusCode(Dice& dice);
std::string GenerateStatusMessage(Dice& dice);

}  // namespace lanekeeper::testing
