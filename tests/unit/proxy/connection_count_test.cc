#include "proxy/upstream/connection_count.h"

#include <gmock/gmock.h>

namespace lanekeeper {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ConnectionCountTest, PeersAreReadFromEveryFormOfTarget) {
  EXPECT_THAT(PeersOf("orders.shop.svc:50051").ports, ElementsAre(50051));
  EXPECT_THAT(PeersOf("dns:///orders.shop.svc:50051").ports, ElementsAre(50051));
  EXPECT_THAT(PeersOf("ipv4:10.0.0.1:50051,10.0.0.2:50052").ports, ElementsAre(50051, 50052));
  EXPECT_THAT(PeersOf("[::1]:443").ports, ElementsAre(443));
  EXPECT_THAT(PeersOf("unix:///run/up.sock").unix_paths, ElementsAre("/run/up.sock"));
  EXPECT_THAT(PeersOf("unix:/run/up.sock").unix_paths, ElementsAre("/run/up.sock"));
  EXPECT_THAT(PeersOf("unix:///run/up.sock").ports, IsEmpty());
}

TEST(ConnectionCountTest, NobodyIsConnectedToAPortThatNobodyUses) {
  EXPECT_EQ(CountConnectionsTo({{1}, {}}), 0);
}

}  // namespace
}  // namespace lanekeeper
