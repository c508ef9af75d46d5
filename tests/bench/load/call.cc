#include "tests/bench/load/call.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace bench {
namespace {

constexpr uint64_t kOneMessage = 1;
// Below the stream windows of the usual peers a message is never held up by this.
constexpr size_t kWindowBytes = 1 << 20;
constexpr uint32_t kSmallestMixed = 10;

}  // namespace

MessageSizes::MessageSizes(uint32_t size, bool mixed) {
  if (!mixed || size <= kSmallestMixed) {
    sizes_ = {size};
    return;
  }
  sizes_.resize(1021);
  std::mt19937 random(5);
  std::uniform_real_distribution<double> exponent(std::log(kSmallestMixed), std::log(size));
  for (uint32_t& each : sizes_)
    each = static_cast<uint32_t>(std::lround(std::exp(exponent(random))));
}

Call::Call(EventLoop& loop, CallContext& context, CallOwner& owner, Http2Connection& connection,
           size_t slot, uint64_t first_message, uint64_t started_ns)
    : loop_(loop),
      context_(context),
      owner_(owner),
      connection_(connection),
      slot_(slot),
      first_message_(first_message),
      started_ns_(started_ns),
      sent_at_ns_(context.plan.window_messages) {}

void Call::Fail(const std::string& text) {
  if (std::exchange(failed_, true)) return;
  // What the headers say explains what is wrong with the rest: the page of an HTTP error, say.
  context_.results.AddError(header_problem_.empty() ? text : header_problem_);
  connection_.Reset(*this);
}

bool Call::MayStart(uint64_t number, size_t unanswered_bytes) const {
  if (context_.plan.kind != CallPlan::Kind::kEcho) return number < kOneMessage;
  const uint64_t unanswered = number - received_;
  return !context_.stopping && context_.budget > number - sent_ &&
         unanswered < context_.plan.window_messages &&
         (unanswered == 0 || unanswered_bytes + SizeOf(number) <= kWindowBytes);
}

bool Call::NothingFollows(uint64_t number) const {
  switch (context_.plan.kind) {
    case CallPlan::Kind::kEcho:
      return context_.stopping || context_.budget <= number - sent_;
    case CallPlan::Kind::kHold:
      return context_.stopping && number >= kOneMessage;
    default:
      return number >= kOneMessage;
  }
}

Http2Stream::Ready Call::ReadyToSend(size_t max) {
  size_t bytes = sending_.left();
  size_t unanswered_bytes = unanswered_bytes_;
  uint64_t number = sent_;
  for (; bytes < max && MayStart(number, unanswered_bytes); ++number) {
    unanswered_bytes += SizeOf(number);
    bytes += sending_.left() == 0 && context_.plan.kind == CallPlan::Kind::kFanout
                 ? kPrefixSize + MessageSource::kNumbersSize
                 : kPrefixSize + SizeOf(number);
  }
  half_closed_ = bytes <= max && NothingFollows(number);
  return {std::min(bytes, max), half_closed_};
}

void Call::Take(char* to, size_t size) {
  for (size_t done = 0; done < size;) {
    if (sending_.left() == 0) StartMessage();
    done += sending_.Take(to + done, size - done);
  }
}

void Call::StartMessage() {
  const uint32_t size = SizeOf(sent_);
  if (context_.plan.kind == CallPlan::Kind::kFanout) {
    sending_ = MessageSource::OfNumbers(kFanoutResponses, size);
  } else {
    sending_ = MessageSource(first_message_ + sent_, size);
  }
  if (context_.plan.kind == CallPlan::Kind::kEcho) --context_.budget;
  sent_at_ns_[sent_ % sent_at_ns_.size()] = loop_.now_ns();
  unanswered_bytes_ += size;
  ++sent_;
}

void Call::OnHeader(std::string_view name, std::string_view value) {
  if (name == "grpc-status") grpc_status_seen_ = true;
  const bool wrong = (name == ":status" && value != "200") ||
                     (name == "content-type" && !value.starts_with("application/grpc")) ||
                     (name == "grpc-status" && value != "0") ||
                     (name == "grpc-message" && !value.empty());
  if (!wrong) return;
  if (!header_problem_.empty()) header_problem_ += "; ";
  header_problem_.append(name).append(" ").append(value);
}

void Call::OnData(std::string_view bytes) {
  context_.results.last_progress_ns = loop_.now_ns();
  connection_.Consume(*this, bytes.size());
  if (!failed_) reader_.Read(bytes, *this);
}

bool Call::OnMessageBegin(char flag, size_t size) {
  const bool fanout = context_.plan.kind == CallPlan::Kind::kFanout;
  const uint64_t may_come = fanout ? kFanoutResponses : sent_;
  if (received_ >= may_come) {
    Fail("a message too many");
  } else if (flag != 0 || size != SizeOf(fanout ? 0 : received_)) {
    Fail("a message with flag " + std::to_string(flag) + " of " + std::to_string(size) +
         " bytes instead of " + std::to_string(SizeOf(fanout ? 0 : received_)));
  }
  return !failed_;
}

bool Call::OnMessageBytes(std::string_view bytes, size_t offset) {
  const bool fanout = context_.plan.kind == CallPlan::Kind::kFanout;
  const Pattern expected(fanout ? received_ : first_message_ + received_);
  if (!expected.Equals(bytes, offset)) Fail("a message with wrong bytes");
  return !failed_;
}

bool Call::OnMessageEnd() {
  Results& results = context_.results;
  const uint64_t now = loop_.now_ns();
  const CallPlan::Kind kind = context_.plan.kind;
  if (kind == CallPlan::Kind::kFanout) {
    results.bytes += SizeOf(0);
    results.messages += 1;
  } else {
    const uint32_t size = SizeOf(received_);
    unanswered_bytes_ -= size;
    results.bytes += 2ULL * size;
    results.messages += 2;
  }
  if (kind == CallPlan::Kind::kEcho || kind == CallPlan::Kind::kHold) {
    results.latency.Add(now - sent_at_ns_[received_ % sent_at_ns_.size()]);
    results.last_completion_ns = now;
  }
  ++received_;
  connection_.Resume(*this);
  return true;
}

void Call::OnPeerEnd() {
  peer_ended_ = true;
  if (!half_closed_) Fail("ended by the peer before the half-close");
}

std::string Call::FindProblem(const std::string& reason) const {
  if (!header_problem_.empty()) return header_problem_;
  if (!reason.empty()) return reason;
  if (!peer_ended_) return "reset by the peer without an error";
  if (!grpc_status_seen_) return "no grpc-status";
  if (!reader_.between_messages()) return "ended within a message";
  const uint64_t expected =
      context_.plan.kind == CallPlan::Kind::kFanout ? kFanoutResponses : sent_;
  if (received_ == expected) return {};
  return std::to_string(received_) + " messages instead of " + std::to_string(expected);
}

void Call::OnClose(const std::string& reason) {
  Results& results = context_.results;
  const std::string problem = failed_ ? "failed" : FindProblem(reason);
  if (!problem.empty()) {
    if (!failed_) results.AddError(problem);
    return owner_.OnCallDone(*this, false);
  }
  const CallPlan::Kind kind = context_.plan.kind;
  const uint64_t now = loop_.now_ns();
  results.last_progress_ns = results.last_completion_ns = now;
  ++results.rpcs;
  if (kind == CallPlan::Kind::kFanout) ++results.messages;  // the request
  if (kind == CallPlan::Kind::kUnary || kind == CallPlan::Kind::kFanout) {
    results.latency.Add(now - started_ns_);
  }
  owner_.OnCallDone(*this, true);
}

}  // namespace bench
