// A Connection of either side whose peer is the input: bytes over a socketpair, in pieces, with
// local actions between them. Holds what leaves to what came (WireChecker), and sees that nothing
// is left when the connection has ended. Owns the loop, both ends, and the streams. One thread.
//
// The input: a byte with the number of actions, the actions (a byte each: what, and with what), and
// what the peer sends. The rest of that is sent at once when no action is left.
#pragma once

#include <list>
#include <memory>

#include "proxy/http2/connection.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/talker.h"
#include "tests/fuzz/wire_checker.h"

namespace lanekeeper::fuzz {

class ConnectionLab final : public http2::ConnectionObserver {
 public:
  explicit ConnectionLab(http2::Side side);
  ~ConnectionLab();

  void Run(Input input);

 private:
  // What is done with a request.
  enum class Policy : uint8_t { kAdopt, kEcho, kAnswer, kReject };

  void Act(uint8_t action);
  void ActOnStream(uint8_t what, uint8_t with);
  void ActOnConnection(uint8_t with);
  void Begin(uint8_t with);
  void Open(Talker& talker);
  void Reopen();
  void Forget();
  void Deliver(std::string_view bytes);
  void DeliverData(uint8_t with);
  void Settle();
  bool RunFibers();
  bool ReadOutput();
  void CheckAtRest();
  void Finish();

  void OnRequest(int32_t id, const http2::FieldList& fields, bool too_large, bool end) override;
  void OnReady() override;
  void OnRoom() override { CheckNotEnded(); }
  void OnGoaway(const http2::Goaway&) override { CheckNotEnded(); }
  void OnPong() override { CheckNotEnded(); }
  void OnEnd(const http2::ConnectionEnd& end) override;
  void CheckNotEnded() const { Check(!ended_, "the end comes last"); }

  const http2::Side side_;
  Input peer_{nullptr, 0};
  EventLoop loop_;
  Fd peers_end_;
  http2::FrameCounts counts_;
  WireChecker wire_;
  std::list<Talker> talkers_;  // outlive the connection, which borrows their streams
  std::unique_ptr<http2::Connection> connection_;
  Talker* current_ = nullptr;
  Policy policy_ = Policy::kAdopt;
  bool consumes_ = true;
  bool peer_reads_ = true;
  bool is_http2_ = true;
  bool ready_ = false;
  bool ended_ = false;
  uint64_t delivered_ = 0;
  uint64_t sent_ = 0;  // by streams that are forgotten
};

}  // namespace lanekeeper::fuzz
