#include "tests/conformance/wire/neighbour.h"

#include <gmock/gmock.h>

namespace lanekeeper::testing::wire {
namespace {

constexpr size_t kMoreExchanges = 5;

void Echo(Stream& rpc) {
  rpc.Headers(Response());
  for (size_t count = 1; rpc.AwaitMessages(count); ++count) {
    rpc.Message(rpc.events().back().bytes);
  }
  if (!rpc.was_reset()) rpc.LastHeaders(Trailers());
}

}  // namespace

Neighbour::Neighbour(Lab& lab)
    : connection_(lab.route().target()), stream_(connection_.NewStream()) {
  lab.server().On(kNeighbourPath, Echo);
  stream_->Headers(Request({}, kNeighbourPath));
  playing_ = std::thread([this] { Play(); });
}

Neighbour::~Neighbour() {
  stopping_ = true;
  if (playing_.joinable()) playing_.join();
}

void Neighbour::Play() {
  while (!stopping_) {
    const size_t count = exchanged_ + 1;
    stream_->Message("ping " + std::to_string(count));
    if (!stream_->AwaitMessages(count)) {
      lost_ = true;
      return;
    }
    ++exchanged_;
  }
}

bool Neighbour::AwaitMore() {
  const size_t before = exchanged_;
  return Eventually([&] { return lost_ || exchanged_ >= before + kMoreExchanges; }) && !lost_;
}

void Neighbour::Finish() {
  stopping_ = true;
  playing_.join();
  stream_->HalfClose();
  EXPECT_TRUE(stream_->AwaitClosed());
  const Events seen = stream_->events();
  EXPECT_THAT(ValuesAtEnd(seen, "grpc-status"), ::testing::ElementsAre("0")) << Text({seen.back()});
  size_t next = 1;
  for (const Event& event : seen) {
    if (event.kind != Event::Kind::kMessage) continue;
    EXPECT_EQ(event.bytes, "ping " + std::to_string(next++));
  }
  EXPECT_EQ(next, exchanged_ + 1);
}

}  // namespace lanekeeper::testing::wire
