// From a seed to a plan: random steps, each of them possible at its place, up to one of several
// endings. The rules that keep the outcome a function of the plan:
// - A direction holds a few small messages that nobody has received yet, or one of any size, so no
//   send that is waited for depends on how much windows and proxies hold.
// - What may be overtaken by the ending is waited for but not recorded.
#include <fmt/format.h>

#include "tests/conformance/generated/dice.h"
#include "tests/conformance/generated/generate_messages.h"
#include "tests/conformance/generated/generate_metadata.h"
#include "tests/conformance/generated/plan.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kBacklogMessages = 4;

enum class Ending { kFinish, kEarlyFinish, kCancel, kAbort, kDrop, kDeadline };
const std::vector<std::string> kEndingNames = {"finish", "early finish", "cancel",
                                               "abort",  "drop",         "deadline"};
const std::vector<std::string> kShapeNames = {"unary", "client streaming", "server streaming",
                                              "bidi"};

// Messages of one direction that were sent and not received.
struct Backlog {
  size_t messages = 0;
  bool large = false;

  bool empty() const { return messages == 0; }
  bool Takes(const MessagePlan& message) const {
    if (empty()) return true;
    return !large && message.bytes <= kSmallBytes && messages < kBacklogMessages;
  }
  void Add(const MessagePlan& message) {
    ++messages;
    large = message.bytes > kSmallBytes;
  }
  void Take() {
    --messages;
    large = false;
  }
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : dice_(seed) { plan_.seed = seed; }

  Plan Generate() {
    plan_.method = fmt::format("/lanekeeper.generated/Seed{}", plan_.seed);
    plan_.request_headers = GenerateMetadata(dice_, MetadataPlace::kRequestHeaders);
    plan_.response_headers = GenerateMetadata(dice_, MetadataPlace::kResponseHeaders);
    plan_.trailers = GenerateMetadata(dice_, MetadataPlace::kTrailers);
    plan_.to_upstream = Compression();
    plan_.to_downstream = Compression();
    plan_.status_code = GenerateStatusCode(dice_);
    plan_.status_message = GenerateStatusMessage(dice_);
    ending_ = static_cast<Ending>(dice_.Weighted({55, 15, 15, 7, 3, 5}));
    // Core cancels with codes of two digits only.
    if (ending_ == Ending::kAbort) plan_.status_code = static_cast<int>(dice_.Between(1, 99));
    if (ending_ == Ending::kDeadline) {
      plan_.timeout = std::chrono::milliseconds(dice_.Between(40, 120));
    } else if (dice_.Chance(30)) {
      plan_.timeout = std::chrono::seconds(dice_.Between(60, 40000));
    }
    const size_t shape = dice_.Below(4);
    plan_.kind = kShapeNames[shape] + ", " + kEndingNames[static_cast<size_t>(ending_)];
    const bool many_up = shape == 1 || shape == 3;
    const bool many_down = shape == 2 || shape == 3;
    up_ = GenerateMessages(dice_, many_up ? Many() : 1);
    down_ = GenerateMessages(dice_, many_down ? Many() : 1);
    // Enough to come to any point of the RPC.
    steps_left_ = ending_ == Ending::kFinish ? SIZE_MAX : dice_.Below(30);

    if (ending_ == Ending::kCancel && dice_.Chance(5)) {
      Add(StepKind::kClientCancel);
      Add(StepKind::kClientStart);
      Add(StepKind::kClientStatus);
      return std::move(plan_);
    }
    Start();
    while (steps_left_ > 0 && RandomStep()) --steps_left_;
    End();
    return std::move(plan_);
  }

 private:
  grpc_compression_algorithm Compression() {
    static const std::vector<grpc_compression_algorithm> algorithms = {
        GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE};
    return algorithms[dice_.Weighted({60, 25, 15})];
  }

  size_t Many() { return dice_.Chance(4) ? dice_.Between(20, 60) : dice_.Below(7); }

  Step& Add(StepKind kind) { return plan_.steps.emplace_back(Step{kind}); }

  void Start() {
    Step& start = Add(StepKind::kClientStart);
    if (!up_.empty() && dice_.Chance(40)) start.message = TakeUp();
    start.half_close = up_.empty() && dice_.Chance(60);
    half_closed_ = start.half_close;
  }

  MessagePlan TakeUp() {
    MessagePlan message = up_.front();
    up_.erase(up_.begin());
    backlog_up_.Add(message);
    return message;
  }
  MessagePlan TakeDown() {
    MessagePlan message = down_.front();
    down_.erase(down_.begin());
    backlog_down_.Add(message);
    headers_sent_ = true;
    return message;
  }

  // One of the steps that are possible now; false when there is none.
  bool RandomStep() {
    using Act = void (Generator::*)();
    std::vector<Act> acts;
    const auto may = [&](bool possible, Act act, size_t weight) {
      if (possible) acts.insert(acts.end(), weight, act);
    };
    may(!up_.empty() && backlog_up_.Takes(up_.front()), &Generator::ClientSend, 4);
    may(up_.empty() && !half_closed_ && !backlog_up_.large, &Generator::ClientHalfClose, 3);
    may(!backlog_down_.empty(), &Generator::ClientReceive, 5);
    may(!client_posted_, &Generator::ClientPost, 1);
    may(headers_sent_ && !headers_seen_, &Generator::ClientHeaders, 3);
    may(!accepted_, &Generator::ServerAccept, 6);
    may(accepted_ && (!backlog_up_.empty() || (half_closed_ && !end_seen_)),
        &Generator::ServerReceive, 5);
    may(accepted_ && !end_seen_ && !server_posted_, &Generator::ServerPost, 1);
    may(accepted_ && !headers_sent_, &Generator::ServerHeaders, 2);
    // The last message may also travel with the status.
    const bool last = down_.size() == 1 && ending_ == Ending::kFinish;
    may(accepted_ && !down_.empty() && backlog_down_.Takes(down_.front()) &&
            !(last && last_with_status_),
        &Generator::ServerSend, 4);
    // Optional steps alone do not lead on.
    if (acts.empty()) return false;
    (this->*dice_.Pick(acts))();
    return !(Complete() && dice_.Chance(80));
  }

  // Nothing is left to be sent or received but the status.
  bool Complete() const {
    return up_.empty() && half_closed_ && end_seen_ && backlog_down_.empty() &&
           (down_.empty() || (down_.size() == 1 && last_with_status_));
  }

  void ClientSend() {
    const MessagePlan message = TakeUp();
    Step& step = Add(StepKind::kClientSend);
    step.message = message;
    step.half_close = up_.empty() && dice_.Chance(30);
    half_closed_ = step.half_close;
  }
  void ClientHalfClose() {
    Add(StepKind::kClientHalfClose);
    half_closed_ = true;
  }
  void ClientReceive() {
    Add(StepKind::kClientReceive);
    backlog_down_.Take();
    client_posted_ = false;
    // Now and then the headers are looked at only when all is over.
    headers_seen_ = headers_seen_ || dice_.Chance(50);
  }
  void ClientPost() {
    Add(StepKind::kClientPost);
    client_posted_ = true;
  }
  void ClientHeaders() {
    Add(StepKind::kClientHeaders);
    headers_seen_ = true;
  }
  void ServerAccept() {
    Add(StepKind::kServerAccept);
    accepted_ = true;
  }
  void ServerReceive() {
    Add(StepKind::kServerReceive);
    server_posted_ = false;
    if (backlog_up_.empty()) {
      end_seen_ = true;
    } else {
      backlog_up_.Take();
    }
  }
  void ServerPost() {
    Add(StepKind::kServerPost);
    server_posted_ = true;
  }
  void ServerHeaders() {
    Add(StepKind::kServerHeaders);
    headers_sent_ = true;
  }
  void ServerSend() {
    const MessagePlan message = TakeDown();
    Add(StepKind::kServerSend).message = message;
  }

  void End() {
    switch (ending_) {
      case Ending::kFinish:
      case Ending::kEarlyFinish:
        return Finish();
      case Ending::kCancel:
        return Cancel(StepKind::kClientCancel);
      case Ending::kDeadline:
        return Cancel(StepKind::kClientAwaitsDeadline);
      case Ending::kAbort:
        return Abort(StepKind::kServerAbort);
      case Ending::kDrop:
        return Abort(StepKind::kServerDrop);
    }
  }

  void Finish() {
    if (!accepted_) ServerAccept();
    // The status waits for the message before it to be sent, which waits for its receiver.
    if (backlog_down_.large) ClientReceive();
    std::optional<MessagePlan> last;
    if (!down_.empty() && backlog_down_.Takes(down_.front()) && dice_.Chance(70)) last = TakeDown();
    Add(StepKind::kServerFinish).message = last;
    // The client does not know yet: what it sends now reaches nobody.
    if (!half_closed_ && !up_.empty() && backlog_up_.empty() && dice_.Chance(30)) {
      Step& late = Add(StepKind::kClientSend);
      late.message = up_.front();
      late.racy = true;
    }
    if (!backlog_down_.large && dice_.Chance(30)) Add(StepKind::kServerClosed);
    while (!backlog_down_.empty()) ClientReceive();
    Add(StepKind::kClientReceive);  // the end
    Add(StepKind::kClientHeaders);
    Add(StepKind::kClientStatus);
    Add(StepKind::kServerClosed);
  }

  // The client goes away, by itself or by its deadline.
  void Cancel(StepKind how) {
    if (!accepted_ && (how == StepKind::kClientAwaitsDeadline || dice_.Chance(70))) ServerAccept();
    Add(how);
    Add(StepKind::kClientStatus);
    if (!accepted_) return;
    if (!end_seen_) Add(StepKind::kServerReceive).racy = !backlog_up_.empty();
    Add(StepKind::kServerClosed);
  }

  // The server goes away. What it has sent must be there before: an abort overtakes it.
  void Abort(StepKind how) {
    if (!accepted_) ServerAccept();
    while (!backlog_down_.empty()) ClientReceive();
    if (headers_sent_) ClientHeaders();
    Add(how);
    Add(StepKind::kClientReceive);  // the end
    Add(StepKind::kClientHeaders);
    Add(StepKind::kClientStatus);
    if (how == StepKind::kServerAbort) Add(StepKind::kServerClosed);
  }

  Dice dice_;
  Plan plan_;
  Ending ending_ = Ending::kFinish;
  std::vector<MessagePlan> up_, down_;  // still to be sent
  Backlog backlog_up_, backlog_down_;
  size_t steps_left_ = 0;
  bool last_with_status_ = dice_.Chance(50);
  bool half_closed_ = false, end_seen_ = false;
  bool accepted_ = false, headers_sent_ = false, headers_seen_ = false;
  bool client_posted_ = false, server_posted_ = false;
};

}  // namespace

Plan GeneratePlan(uint64_t seed) { return Generator(seed).Generate(); }

}  // namespace lanekeeper::testing
