// What a page of another site could make a browser send.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "proxy/admin/http_guard.h"
#include "tests/unit/admin/admin_testing.h"

namespace lanekeeper::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CrossSiteTest : public AdminTest {
 protected:
  int GetStatus(const std::string& head, const std::string& path = "/streams") {
    return Ask("GET " + path + " HTTP/1.1\r\n" + head + "\r\n").status;
  }
  int DrainStatus(const std::string& head) {
    return Ask("POST /drain HTTP/1.1\r\n" + head + "\r\n").status;
  }

  const std::string json_ = "Content-Type: application/json\r\n";
};

TEST_F(CrossSiteTest, AddressesAndLocalhostAreOurHost) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:9465", "10.1.2.3:80", "[::1]", "[::1]:9465",
                           "localhost", "localhost:9465", "LOCALHOST:1"}) {
    EXPECT_EQ(GetStatus("Host: " + std::string(host) + "\r\n"), 200) << host;
  }
}

TEST_F(CrossSiteTest, ANameThatWasReboundToUsIsNot) {
  for (const char* host :
       {"evil.example", "evil.example:9465", "localhost.evil.example", "127.0.0.1.evil.example",
        "localhost.", ":9465", "[evil]", "[::1", "evil@127.0.0.1", "1", "0x7f000001"}) {
    EXPECT_EQ(GetStatus("Host: " + std::string(host) + "\r\n"), 403) << host;
    EXPECT_EQ(GetStatus("Host: " + std::string(host) + "\r\n", "/"), 403) << host;
  }
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").error_message(),
              HasSubstr("'evil.example' is neither an IP address nor localhost"));
}

TEST_F(CrossSiteTest, TheConfiguredHostIsOurs) {
  httplib::Request request;
  request.method = "GET";
  request.path = "/streams";
  request.headers = {{"Host", "sidecar.INTERNAL:9465"}};
  EXPECT_FALSE(Guard(request, "Sidecar.internal"));
  request.headers = {{"Host", "other.internal:9465"}};
  EXPECT_TRUE(Guard(request, "Sidecar.internal"));
}

TEST_F(CrossSiteTest, WithoutAHostItIsNoBrowser) { EXPECT_EQ(GetStatus(""), 200); }

TEST_F(CrossSiteTest, TwoHostsAreRefused) {
  EXPECT_EQ(GetStatus("Host: localhost\r\nHost: evil.example\r\n"), 400);
}

TEST_F(CrossSiteTest, AnotherOriginIsRefused) {
  const std::string host = "Host: localhost:9465\r\n";
  EXPECT_EQ(GetStatus(host + "Origin: http://localhost:9465\r\n"), 200);
  for (const char* origin : {"http://localhost:9464", "https://localhost:9465", "http://localhost",
                             "http://evil.example", "null", "http://localhost:9465.evil.example"}) {
    EXPECT_EQ(GetStatus(host + "Origin: " + origin + "\r\n"), 403) << origin;
    EXPECT_EQ(DrainStatus(host + json_ + "Origin: " + origin + "\r\n"), 403) << origin;
  }
  EXPECT_EQ(GetStatus("Origin: http://localhost:9465\r\n"), 403);
  EXPECT_EQ(control_.drains(), 0);
}

TEST_F(CrossSiteTest, AnotherSiteIsRefused) {
  const std::string host = "Host: localhost\r\n";
  EXPECT_EQ(GetStatus(host + "Sec-Fetch-Site: same-origin\r\n"), 200);
  EXPECT_EQ(GetStatus(host + "Sec-Fetch-Site: none\r\n"), 200);
  for (const char* site : {"cross-site", "same-site", "whatever"}) {
    EXPECT_EQ(GetStatus(host + "Sec-Fetch-Site: " + site + "\r\n"), 403) << site;
    EXPECT_EQ(DrainStatus(host + json_ + "Sec-Fetch-Site: " + site + "\r\n"), 403) << site;
  }
  EXPECT_EQ(control_.drains(), 0);
}

TEST_F(CrossSiteTest, ALinkMayOpenThePageAndNothingElse) {
  const std::string link =
      "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
  EXPECT_EQ(GetStatus(link, "/"), 200);
  EXPECT_EQ(GetStatus(link, "/streams"), 403);
  EXPECT_EQ(DrainStatus(link + json_), 403);
  EXPECT_EQ(GetStatus("Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: "
                      "no-cors\r\n",
                      "/"),
            403);
}

TEST_F(CrossSiteTest, APostThatAPageMaySendUnaskedIsRefused) {
  const std::string host = "Host: localhost\r\n";
  for (const char* head :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: text/plain; application/json\r\n", "Content-Type: application/jsonp\r\n"}) {
    EXPECT_EQ(DrainStatus(host + head), 415) << head;
  }
  EXPECT_EQ(control_.drains(), 0);
  EXPECT_EQ(DrainStatus(host + json_), 200);
  EXPECT_EQ(DrainStatus(host + "Content-Type: Application/JSON ; charset=utf-8\r\n"), 200);
}

TEST_F(CrossSiteTest, ACompressedBodyIsRefused) {
  EXPECT_EQ(DrainStatus("Host: localhost\r\n" + json_ + "Content-Encoding: gzip\r\n"), 415);
}

TEST_F(CrossSiteTest, APreflightIsNeverGranted) {
  const HttpAnswer answer =
      Ask("OPTIONS /drain HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
          "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(Get("/streams").head, Not(HasSubstr("Access-Control")));
}

}  // namespace
}  // namespace lanekeeper::testing
