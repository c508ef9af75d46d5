// The cases of gRPC's doc/http2-interop-test-descriptions.md by their names: a server of frames by
// hand, a client of gRPC C++. Sizes are the document's.
#include <gtest/gtest.h>

#include <future>
#include <sstream>

#include "tests/conformance/wire/grpc_client.h"
#include "tests/conformance/wire/lab.h"

namespace lanekeeper::testing::wire {
namespace {

class Http2Interop : public OverRoutes {};
LANEKEEPER_OVER_ROUTES(Http2Interop);

const std::string kRequest(271828, '\0');
const std::string kResponse(314159, '\0');

void AnswerLarge(Stream& rpc) {
  rpc.AwaitEnd();
  rpc.Headers(Response()).Message(kResponse).LastHeaders(Trailers());
}

void ExpectAnswered(Lab& lab) {
  const UnaryResult result = testing::Unary(lab.route().NewChannel(), kRequest, kPath);
  EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.response, kResponse);
}

// Whether the messages that came before a reset are read is a matter of luck in core's client (in
// lanekeeper it is not: resets_test.cc).
std::string WithoutMessages(const std::string& told) {
  std::string text;
  std::istringstream lines(told);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("message ")) text += line + "\n";
  }
  return text;
}

// Not successful, and told in the same words as without lanekeeper.
void ExpectSameFailure(const RouteKind& kind, const Script& script, const Manners& server = {}) {
  Lab direct(DirectRoute(), {}, server);
  Lab routed(kind, {}, server);
  const std::string told = AskedByGrpc(routed, script, kRequest);
  EXPECT_EQ(WithoutMessages(told), WithoutMessages(AskedByGrpc(direct, script, kRequest)));
  EXPECT_EQ(told.find("status 0 "), std::string::npos) << told;
}

TEST_P(Http2Interop, goaway) {
  Lab lab(GetParam());
  lab.server().On(kPath, [](Stream& rpc) {
    rpc.connection().GoAway();
    AnswerLarge(rpc);
  });
  const std::shared_ptr<grpc::Channel> channel = lab.route().NewChannel();
  for (int call = 0; call < 2; ++call) {
    const UnaryResult result = testing::Unary(channel, kRequest, kPath);
    EXPECT_TRUE(result.status.ok()) << result.status.error_message();
    EXPECT_EQ(result.response, kResponse);
  }
  EXPECT_EQ(lab.server().connections_used(), 2u);
}

TEST_P(Http2Interop, rst_after_header) {
  ExpectSameFailure(GetParam(), [](Stream& rpc) {
    rpc.AwaitEnd();
    rpc.Headers(Response()).Reset(NGHTTP2_NO_ERROR);
  });
}

TEST_P(Http2Interop, rst_during_data) {
  ExpectSameFailure(GetParam(), [](Stream& rpc) {
    rpc.AwaitEnd();
    rpc.Headers(Response()).Data(Framed(kResponse).substr(0, kResponse.size() / 2));
    rpc.Reset(NGHTTP2_NO_ERROR);
  });
}

TEST_P(Http2Interop, rst_after_data) {
  ExpectSameFailure(GetParam(), [](Stream& rpc) {
    rpc.AwaitEnd();
    rpc.Headers(Response()).Message(kResponse).Reset(NGHTTP2_NO_ERROR);
  });
}

TEST_P(Http2Interop, ping) {
  Lab lab(GetParam());
  std::promise<bool> answered;
  lab.server().On(kPath, [&](Stream& rpc) {
    rpc.AwaitEnd();
    rpc.connection().Ping();
    rpc.Headers(Response()).AwaitSent();
    rpc.connection().Ping();
    rpc.Message(kResponse).AwaitSent();
    rpc.connection().Ping();
    answered.set_value(rpc.connection().AwaitPingsAnswered());
    rpc.LastHeaders(Trailers());
  });
  ExpectAnswered(lab);
  EXPECT_TRUE(answered.get_future().get());
}

TEST_P(Http2Interop, max_streams) {
  Lab lab(GetParam(), {}, {.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}}});
  lab.server().On(kPath, AnswerLarge);
  const std::shared_ptr<grpc::Channel> channel = lab.route().NewChannel();
  EXPECT_TRUE(testing::Unary(channel, kRequest, kPath).status.ok());
  std::vector<std::future<UnaryResult>> calls;
  for (int i = 0; i < 10; ++i) {
    calls.push_back(
        std::async(std::launch::async, [&] { return testing::Unary(channel, kRequest, kPath); }));
  }
  for (auto& call : calls) {
    const UnaryResult result = call.get();
    EXPECT_TRUE(result.status.ok()) << result.status.error_message();
    EXPECT_EQ(result.response.size(), kResponse.size());
  }
  EXPECT_EQ(lab.server().open_streams_peak(), 1u);
  EXPECT_EQ(lab.server().connections_used(), 1u);
}

// Answers in frames of a few bytes each, as the document's server does to provoke the client's flow
// control.
void AnswerInPieces(Stream& rpc) {
  constexpr size_t kPieceBytes = 100;
  rpc.AwaitEnd();
  rpc.Headers(Response());
  const std::string framed = Framed(kResponse);
  for (size_t at = 0; at < framed.size(); at += kPieceBytes)
    rpc.Data(framed.substr(at, kPieceBytes));
  rpc.LastHeaders(Trailers());
}

// gRPC's core does not read padded DATA ("unsupported data flags"). Padding belongs to one
// connection, so behind lanekeeper there is none.
TEST_P(Http2Interop, data_frame_padding) {
  Lab lab(GetParam(), {}, {.padding = 255});
  lab.server().On(kPath, AnswerInPieces);
  if (GetParam().proxies > 0) return ExpectAnswered(lab);
  EXPECT_FALSE(testing::Unary(lab.route().NewChannel(), kRequest, kPath).status.ok());
}

TEST_P(Http2Interop, no_df_padding_sanity_test) {
  Lab lab(GetParam());
  lab.server().On(kPath, AnswerInPieces);
  ExpectAnswered(lab);
}

}  // namespace
}  // namespace lanekeeper::testing::wire
