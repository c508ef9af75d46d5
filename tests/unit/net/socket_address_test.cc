#include "proxy/net/socket_address.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <array>

#include "proxy/base/fd.h"
#include "proxy/net/listening_socket.h"

namespace lanekeeper {
namespace {

TEST(SocketAddressTest, IsNamedAsGrpcNamesIt) {
  EXPECT_EQ(SocketAddress::FromIp("1.2.3.4", 50)->Name(), "ipv4:1.2.3.4:50");
  EXPECT_EQ(SocketAddress::FromIp("::1", 50)->Name(), "ipv6:[::1]:50");
  EXPECT_EQ(SocketAddress::Unix("/run/x.sock", false)->Name(), "unix:/run/x.sock");
  EXPECT_EQ(SocketAddress::Unix("x", true)->Name(), "unix-abstract:x");
}

TEST(SocketAddressTest, AnIpv4PeerOfAnIpv6SocketHasItsIpv4Name) {
  EXPECT_EQ(SocketAddress::FromIp("::ffff:1.2.3.4", 50)->Name(), "ipv4:1.2.3.4:50");
}

TEST(SocketAddressTest, ANameIsNoLiteral) {
  EXPECT_EQ(SocketAddress::FromIp("localhost", 50), std::nullopt);
  EXPECT_EQ(SocketAddress::FromIp("", 50), std::nullopt);
}

TEST(SocketAddressTest, APathThatDoesNotFitIsRefused) {
  const std::string longest(sizeof(sockaddr_un::sun_path) - 1, 'x');
  for (bool abstract : {false, true}) {
    EXPECT_NE(SocketAddress::Unix(longest, abstract), std::nullopt);
    EXPECT_EQ(SocketAddress::Unix(longest + "x", abstract), std::nullopt);
    EXPECT_EQ(SocketAddress::Unix("", abstract), std::nullopt);
  }
  const std::string name = "unix:" + longest;
  EXPECT_EQ(SocketAddress::Unix(longest, false)->Name(), name);
}

TEST(SocketAddressTest, IsEqualToItselfOnly) {
  const auto address = *SocketAddress::FromIp("1.2.3.4", 50);
  EXPECT_EQ(address, *SocketAddress::FromIp("1.2.3.4", 50));
  EXPECT_FALSE(address == *SocketAddress::FromIp("1.2.3.4", 51));
  EXPECT_FALSE(address == *SocketAddress::FromIp("1.2.3.5", 50));
  EXPECT_FALSE(address == *SocketAddress::FromIp("::ffff:1.2.3.4", 50));
  EXPECT_FALSE(*SocketAddress::Unix("/a", false) == *SocketAddress::Unix("/a", true));
}

// The name that the accepting side has for a client that dials `host`.
std::string PeerOf(const std::string& listen, const std::string& dial, std::string* client_name) {
  const auto sockets = ListeningSocket::Open({listen, 0, ""});
  const auto to = *SocketAddress::FromIp(dial, static_cast<uint16_t>(sockets[0].port()));
  const Fd client(socket(to.family(), SOCK_STREAM, 0));
  if (connect(client.get(), &to.get(), to.size) != 0) return "none";
  SocketAddress own;
  own.size = sizeof own.storage;
  getsockname(client.get(), reinterpret_cast<sockaddr*>(&own.storage), &own.size);
  *client_name = own.Name();
  // Listening sockets do not block: what has connected is there.
  return PeerName(Fd(accept(sockets[0].fd(), nullptr, nullptr)).get());
}

TEST(PeerNameTest, IsTheClientsAddressAndPort) {
  std::string client;
  EXPECT_EQ(PeerOf("127.0.0.1", "127.0.0.1", &client), client);
  EXPECT_EQ(client.substr(0, 15), "ipv4:127.0.0.1:");
}

TEST(PeerNameTest, OfAnIpv4ClientIsIpv4WhereIpv6IsListenedOn) {
  const Fd probe(socket(AF_INET6, SOCK_STREAM, 0));
  if (!probe) GTEST_SKIP() << "this system has no IPv6";
  std::string client;
  EXPECT_EQ(PeerOf("::", "127.0.0.1", &client), client);
}

TEST(PeerNameTest, OfAClientWithoutAPathIsUnix) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const Fd near(ends[0]);
  const Fd far(ends[1]);
  EXPECT_EQ(PeerName(near.get()), "unix:");
}

TEST(PeerNameTest, OfNoConnectionIsUnknown) { EXPECT_EQ(PeerName(-1), "unknown"); }

}  // namespace
}  // namespace lanekeeper
