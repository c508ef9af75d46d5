#include "tests/conformance/wire/grpc_client.h"

#include <fmt/format.h>

#include "tests/support/downstream_call.h"

namespace lanekeeper::testing::wire {
namespace {

// Sorted by key, as the C++ API gives them.
template <class Map>
std::string Lines(const Map& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    text += "  " + Printable({key.data(), key.size()}) + ": " +
            Printable({value.data(), value.size()}) + "\n";
  }
  return text;
}

}  // namespace

std::string AskedByGrpc(Lab& lab, const Script& server, const std::string& request) {
  lab.server().On(kPath, server);
  DownstreamCall call(lab.route().NewChannel(), kPath);
  call.Start();
  call.Write(request);
  call.WritesDone();
  std::string text;
  while (const std::optional<std::string> response = call.Read()) {
    text += "message " + Printable(*response) + "\n";
  }
  const grpc::Status status = call.Finish();
  return "headers\n" + Lines(call.context().GetServerInitialMetadata()) + text +
         fmt::format("status {} '{}' details {}\n", static_cast<int>(status.error_code()),
                     Printable(status.error_message()), Printable(status.error_details())) +
         Lines(call.context().GetServerTrailingMetadata());
}

void ExpectToldTheSame(const RouteKind& kind, const std::vector<Case>& cases,
                       const Route::Change& change) {
  Lab direct(DirectRoute(), change);
  Lab routed(kind, change);
  for (const Case& test_case : cases) {
    EXPECT_EQ(AskedByGrpc(routed, test_case.server), AskedByGrpc(direct, test_case.server))
        << test_case.name;
  }
}

}  // namespace lanekeeper::testing::wire
