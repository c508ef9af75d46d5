#include "config/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lanekeeper {
namespace {

using testing::HasSubstr;

std::string WhyNot(std::string_view text) {
  std::string why;
  EXPECT_FALSE(ParseListenAddress(text, &why)) << text;
  return why;
}

void ExpectTcp(std::string_view text, const std::string& host, uint16_t port) {
  std::string why;
  const auto address = ParseListenAddress(text, &why);
  ASSERT_TRUE(address) << text << ": " << why;
  EXPECT_EQ(address->host, host) << text;
  EXPECT_EQ(address->port, port) << text;
  EXPECT_FALSE(address->is_unix()) << text;
}

TEST(AddressTest, HostAndPortAreTakenApart) {
  ExpectTcp("127.0.0.1:50051", "127.0.0.1", 50051);
  ExpectTcp("0.0.0.0:0", "0.0.0.0", 0);
  ExpectTcp("localhost:65535", "localhost", 65535);
  ExpectTcp("my-host.example_1.svc:80", "my-host.example_1.svc", 80);
}

TEST(AddressTest, Ipv6LosesItsBrackets) {
  ExpectTcp("[::1]:50051", "::1", 50051);
  ExpectTcp("[::]:0", "::", 0);
  ExpectTcp("[2001:db8::1]:443", "2001:db8::1", 443);
}

TEST(AddressTest, UnixKeepsItsAbsolutePath) {
  std::string why;
  const auto address = ParseListenAddress("unix:///run/lanekeeper/proxy.sock", &why);
  ASSERT_TRUE(address) << why;
  EXPECT_TRUE(address->is_unix());
  EXPECT_EQ(address->unix_path, "/run/lanekeeper/proxy.sock");
  EXPECT_EQ(address->host, "");
}

TEST(AddressTest, MissingPortIsSaid) {
  EXPECT_EQ(WhyNot("127.0.0.1"), "the port is missing: expected HOST:PORT, found '127.0.0.1'");
  EXPECT_THAT(WhyNot("localhost"), HasSubstr("the port is missing"));
  EXPECT_THAT(WhyNot("[::1]"), HasSubstr("the port is missing"));
  EXPECT_THAT(WhyNot(""), HasSubstr("the port is missing"));
}

TEST(AddressTest, PortsOutOfRangeAreRefused) {
  for (const char* text : {"h:", "h:65536", "h:99999999999", "h:-1", "h:+1", "h:http", "h: 1",
                           "h:1 ", "h:0x50", "[::1]:"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("expected a port from 0 to 65535")) << text;
  }
}

TEST(AddressTest, MissingHostIsToldHowToSayEveryInterface) {
  EXPECT_THAT(WhyNot(":50051"), HasSubstr("every interface is 0.0.0.0 or [::]"));
}

TEST(AddressTest, Ipv6WithoutBracketsIsToldToTakeThem) {
  EXPECT_THAT(WhyNot("::1:50051"), HasSubstr("[V6]:PORT for IPv6"));
  EXPECT_THAT(WhyNot("2001:db8::1"), HasSubstr("[V6]:PORT for IPv6"));
}

TEST(AddressTest, BrokenBracketsAreRefused) {
  EXPECT_THAT(WhyNot("[::1:50051"), HasSubstr("']' is missing"));
  EXPECT_THAT(WhyNot("[127.0.0.1]:50051"), HasSubstr("expected an IPv6 address in brackets"));
  EXPECT_THAT(WhyNot("[]:50051"), HasSubstr("expected an IPv6 address in brackets"));
  EXPECT_THAT(WhyNot("[::1]x:50051"), HasSubstr("expected an IPv6 address in brackets"));
  EXPECT_THAT(WhyNot("[::g]:50051"), HasSubstr("expected an IPv6 address in brackets"));
}

TEST(AddressTest, HostsThatCannotExistAreRefused) {
  const std::string zero_inside("127.0.0.1\0:1", 12);
  for (const std::string& text :
       {std::string("127.0.0.256:1"), std::string("1.2.3:1"), std::string("*:1"),
        std::string("a b:1"), std::string("a..b:1"), std::string("-a:1"), std::string(".a:1"),
        std::string("caf\xc3\xa9:1"), std::string("user@host:1"), std::string(254, 'a') + ":1",
        zero_inside}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("is neither an IP address nor a host name")) << text;
  }
}

TEST(AddressTest, UrlsAreRefused) {
  EXPECT_THAT(WhyNot("http://127.0.0.1:50051"), HasSubstr("expected HOST:PORT, [V6]:PORT or unix"));
  EXPECT_THAT(WhyNot("dns:///localhost:1"), HasSubstr("expected HOST:PORT, [V6]:PORT or unix"));
}

TEST(AddressTest, UnixPathsMustBeAbsolute) {
  for (const char* text : {"unix:", "unix:run/x.sock", "unix://run/x.sock", "unix:/run/x.sock"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("expected unix:///absolute/path")) << text;
  }
  EXPECT_THAT(WhyNot("unix:///"), HasSubstr("expected the path of a unix socket"));
  EXPECT_THAT(WhyNot("unix:///run/"), HasSubstr("expected the path of a unix socket"));
}

TEST(AddressTest, UnixPathsHaveAtMost107Bytes) {
  std::string why;
  const std::string path = "/" + std::string(106, 'x');
  EXPECT_TRUE(ParseListenAddress("unix://" + path, &why)) << why;
  EXPECT_THAT(WhyNot("unix://" + path + "x"),
              HasSubstr("a unix socket's path has at most 107 bytes, found 108"));
}

TEST(AddressTest, UnixPathsHoldNothingThatAUriEscapes) {
  for (const char* text :
       {"unix:///run/a b", "unix:///run/a%41", "unix:///run/a?b", "unix:///a#b"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("as part of a URI")) << text;
  }
}

}  // namespace
}  // namespace lanekeeper
