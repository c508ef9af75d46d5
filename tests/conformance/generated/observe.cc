#include "tests/conformance/generated/observe.h"

#include <fmt/format.h>
#include <grpc/support/time.h>

#include <algorithm>

namespace lanekeeper::testing {
namespace {

using std::chrono::milliseconds;

// Each side, hop by hop, says its own.
bool IsOfTheHop(const std::string& key) { return key == "user-agent"; }

std::string TextOf(const MetadataPairs& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    if (!IsOfTheHop(key)) text += fmt::format(" {}={}", key, Show(value));
  }
  return text;
}

const char* NameOf(grpc_compression_algorithm algorithm) {
  const char* name = "?";
  grpc_compression_algorithm_name(algorithm, &name);
  return name;
}

std::string TextOf(const std::optional<ReceivedMessage>& message) {
  if (!message) return "end";
  return fmt::format("message of {} B #{:016x} {}", message->bytes.size(), HashOf(message->bytes),
                     NameOf(message->compression));
}

// One attempt; the thread acts for both ends.
class Attempt {
 public:
  Attempt(const Plan& plan, const CoreChannel& channel, CoreServer& server, size_t hops,
          std::optional<milliseconds> timeout)
      : plan_(plan),
        server_(server),
        hops_(hops),
        timeout_(timeout),
        deadline_(DeadlineFor(timeout)) {
    client_.emplace(channel, plan.method, deadline_);
  }

  Observation Run() {
    for (const Step& step : plan_.steps) {
      if (Act(step)) continue;
      result_.lines.push_back(Describe(step) + ": NOT IN TIME");
      result_.complete = false;
      break;
    }
    return std::move(result_);
  }

  // The deadline passed before the plan came to it: the observation means nothing.
  bool too_early() const { return too_early_; }

 private:
  static gpr_timespec DeadlineFor(std::optional<milliseconds> timeout) {
    if (!timeout) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(timeout->count(), GPR_TIMESPAN));
  }

  milliseconds Until(gpr_timespec time) const {
    return milliseconds(gpr_time_to_millis(gpr_time_sub(
        gpr_convert_clock_type(time, GPR_CLOCK_MONOTONIC), gpr_now(GPR_CLOCK_MONOTONIC))));
  }

  void Write(std::string line) { result_.lines.push_back(std::move(line)); }

  bool Act(const Step& step) {
    switch (step.kind) {
      case StepKind::kClientStart:
        client_->StartCall(WithCompression(plan_.request_headers, plan_.to_upstream), step);
        return true;
      case StepKind::kClientSend:
        return client_->Send(step);
      case StepKind::kClientHalfClose:
        return client_->HalfClose();
      case StepKind::kClientPost:
        client_->PostReceive();
        return true;
      case StepKind::kClientReceive:
        return Receive("client", *client_, step);
      case StepKind::kClientHeaders:
        return ClientHeaders();
      case StepKind::kClientStatus:
        return ClientStatus();
      case StepKind::kClientCancel:
        client_->Cancel();
        return true;
      case StepKind::kClientAwaitsDeadline:
        too_early_ = too_early_ || Until(deadline_) < milliseconds(5);
        return true;
      default:
        return ServerAct(step);
    }
  }

  bool ServerAct(const Step& step) {
    if (step.kind == StepKind::kServerAccept) return Accept();
    ServerPeer& peer = *accepted_;
    const MetadataPairs headers = WithCompression(plan_.response_headers, plan_.to_downstream);
    switch (step.kind) {
      case StepKind::kServerHeaders:
        return peer.SendHeaders(headers);
      case StepKind::kServerSend:
        return peer.Send(headers, step);
      case StepKind::kServerPost:
        peer.PostReceive();
        return true;
      case StepKind::kServerReceive:
        return Receive("server", peer, step);
      case StepKind::kServerFinish:
        return peer.Finish(plan_, headers, step);
      case StepKind::kServerAbort:
        peer.CancelWith(plan_.status_code, plan_.status_message);
        return true;
      case StepKind::kServerDrop:
        peer.Drop();
        return true;
      case StepKind::kServerClosed:
        if (!peer.AwaitClosed()) return false;
        Write(fmt::format("server: over, {}", peer.cancelled() ? "cancelled" : "not cancelled"));
        return true;
      default:
        return false;
    }
  }

  bool Accept() {
    // A call whose deadline has passed may never arrive.
    const bool expires = timeout_ && *timeout_ < kPatience;
    accepted_ = server_.Accept(plan_.method, expires ? *timeout_ : milliseconds(kPatience));
    if (accepted_ == nullptr) {
      too_early_ = expires;
      return false;
    }
    Write(fmt::format("server: authority {}, {}, compression {}, metadata{}",
                      accepted_->authority(), DeadlineSeen(), NameOf(accepted_->compression()),
                      TextOf(accepted_->metadata())));
    return true;
  }

  // grpc-timeout is the time that is left. For each hop core rounds it up by up to a hundredth, or
  // sends another RPC's again that is up to 3 % longer.
  std::string DeadlineSeen() const {
    const gpr_timespec seen = accepted_->deadline();
    if (gpr_time_cmp(seen, gpr_inf_future(seen.clock_type)) == 0) return "no deadline";
    if (!timeout_) return "a deadline out of nowhere";
    const milliseconds late = Until(seen) - Until(deadline_);
    if (late >= milliseconds(-20) && late <= *timeout_ * hops_ / 20 + std::chrono::seconds(2)) {
      return "deadline as sent";
    }
    return fmt::format("deadline late by {} of {} ms", late.count(), timeout_->count());
  }

  bool Receive(const char* who, CoreCall& call, const Step& step) {
    call.PostReceive();
    if (!call.AwaitReceive()) return false;
    if (!step.racy) Write(fmt::format("{}: {}", who, TextOf(call.received())));
    return true;
  }

  bool ClientHeaders() {
    if (!client_->AwaitHeaders()) return false;
    if (std::exchange(headers_written_, true)) return true;
    Write(fmt::format("client: {}, compression {}, headers{}",
                      client_->trailers_only() ? "trailers only" : "headers and trailers",
                      NameOf(client_->compression()), TextOf(client_->headers())));
    return true;
  }

  bool ClientStatus() {
    if (!client_->AwaitStatus()) return false;
    Write(fmt::format("client: status {} {}, trailers{}", client_->status_code(),
                      Show(client_->status_message()), TextOf(client_->trailers())));
    return true;
  }

  const Plan& plan_;
  CoreServer& server_;
  const size_t hops_;
  const std::optional<milliseconds> timeout_;
  const gpr_timespec deadline_;
  std::optional<ClientPeer> client_;
  std::unique_ptr<ServerPeer> accepted_;
  bool headers_written_ = false;
  bool too_early_ = false;
  Observation result_;
};

}  // namespace

Observation Observe(const Plan& plan, const CoreChannel& channel, CoreServer& server, size_t hops) {
  std::optional<milliseconds> timeout = plan.timeout;
  // On a busy machine a short deadline may pass too soon: then it was too short.
  for (;;) {
    Attempt attempt(plan, channel, server, hops, timeout);
    Observation observation = attempt.Run();
    if (!attempt.too_early() || *timeout > kPatience) return observation;
    *timeout *= 3;
  }
}

std::string Describe(const Observation& direct, const Observation& proxied) {
  std::string text;
  const size_t count = std::max(direct.lines.size(), proxied.lines.size());
  const auto line = [](const Observation& of, size_t i) {
    return i < of.lines.size() ? of.lines[i] : std::string("(nothing)");
  };
  for (size_t i = 0; i < count; ++i) {
    if (line(direct, i) == line(proxied, i)) {
      text += fmt::format("    {}\n", line(direct, i));
    } else {
      text += fmt::format("  direct:  {}\n  proxied: {}\n", line(direct, i), line(proxied, i));
    }
  }
  return text;
}

}  // namespace lanekeeper::testing
