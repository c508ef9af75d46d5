// One case after the other over one route: a script for the client, one for the server, and what
// both ends saw.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/conformance/routes.h"
#include "tests/conformance/wire/connection.h"
#include "tests/conformance/wire/differences.h"
#include "tests/conformance/wire/gate.h"
#include "tests/conformance/wire/server.h"

namespace lanekeeper::testing {

inline void PrintTo(const RouteKind& kind, std::ostream* out) { *out << kind.name; }

namespace wire {

struct Case {
  std::string name;
  Script client;
  Script server;
};

struct Observation {
  Events client;
  Events server;
};

class Lab {
 public:
  explicit Lab(const RouteKind& kind, const Route::Change& change = {}, const Manners& server = {});

  // Over a connection of its own, until both ends are closed. A client script that leaves its
  // stream open must have been answered by then.
  Observation Run(const Case& test_case, const Manners& client = {});

  Server& server() { return server_; }
  Route& route() { return route_; }

 private:
  Server server_;
  Route route_;
};

// Runs every case directly and over the route: what both ends see must be equal, but for what the
// table of differences expects.
void ExpectEqualToDirect(const RouteKind& kind, const std::vector<Case>& cases,
                         const Route::Change& change = {}, const Manners& server = {});

class OverRoutes : public ::testing::TestWithParam<RouteKind> {};

inline std::string RouteName(const ::testing::TestParamInfo<RouteKind>& info) {
  return info.param.name;
}

#define LANEKEEPER_OVER_ROUTES(suite) \
  INSTANTIATE_TEST_SUITE_P(Routes, suite, ::testing::ValuesIn(Routes()), RouteName)

// Client scripts that many cases share.

// One message, half-close, and all of the answer.
Script Unary(Fields more = {}, const std::string& request = "request");
// The same, which opens the gate as soon as it has read a response.
Script UnaryThatSaysWhenItHasRead(const Gate& read);

// As many of its messages as the window holds that a stream begins with (RFC 9113 section 6.9.2).
inline constexpr size_t kMessagesOfOneWindow = 65;
// Sends many times that: who does not read lets no more than these come.
void FloodOneWindow(Stream& rpc);

// Server scripts that many cases share.

// Waits for the half-close, then headers, one message, and OK.
Script Answer(Fields headers = {}, Fields trailers = {});

}  // namespace wire
}  // namespace lanekeeper::testing
