#include "tests/fuzz/connection_lab.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <string>

namespace lanekeeper::fuzz {
namespace {

constexpr size_t kActionsMax = 64;
constexpr size_t kTalkersMax = 32;
constexpr size_t kHeaderListBytesMax = 4096;
// Turns until a connection has nothing more to do; each moves what a socket takes.
constexpr int kTurnsMax = 2000;
// What leaves for nothing that came: SETTINGS, windows, GOAWAYs.
constexpr uint64_t kOwnBytesMax = 4096;
constexpr uint64_t kBytesAnActionMax = 512;
// RST_STREAM or a short answer for the smallest frames, with some to spare.
constexpr uint64_t kBytesAByteMax = 16;

constexpr std::array<size_t, 16> kPieces = {0,  1,  2,  3,  4,   8,   9,    13,
                                            17, 24, 33, 64, 128, 512, 4096, 65536};
constexpr std::array<size_t, 8> kSends = {0, 1, 100, 1024, 16384, 16385, 70000, 300000};

http2::FieldList Trailers(bool some) {
  http2::FieldList fields;
  if (some) fields.Add("grpc-status", "0");
  return fields;
}

http2::FieldList Headers(http2::Side side) {
  http2::FieldList fields;
  if (side == http2::Side::kDownstream) {
    fields.Add(":status", "200");
  } else {
    fields.Add(":method", "POST");
    fields.Add(":scheme", "http");
    fields.Add(":path", "/s/M");
    fields.Add(":authority", "localhost");
  }
  fields.Add("content-type", "application/grpc");
  return fields;
}

}  // namespace

ConnectionLab::ConnectionLab(http2::Side side)
    : side_(side), wire_(side == http2::Side::kDownstream) {
  int ends[2];
  Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
        "a socketpair can be had");
  peers_end_ = Fd(ends[1]);
  connection_ = std::make_unique<http2::Connection>(
      loop_, Fd(ends[0]), http2::ConnectionOptions{side, kHeaderListBytesMax, &counts_}, *this);
}

// What has not ended ends now.
ConnectionLab::~ConnectionLab() {
  connection_.reset();
  RunFibers();
  talkers_.clear();
  Check(loop_.buffers().bytes_held() == 0, "no byte is held in the end");
}

void ConnectionLab::Run(Input input) {
  const size_t count = input.Byte() % kActionsMax;
  const std::string_view actions = input.Take(count);
  peer_ = input;
  for (const char action : actions) Act(static_cast<uint8_t>(action));
  Finish();
  const uint64_t own = kOwnBytesMax + kBytesAnActionMax * count;
  uint64_t sent = sent_;
  for (const Talker& talker : talkers_) sent += talker.sent();
  Check(wire_.bytes_from_us() <= own + 2 * sent + kBytesAByteMax * delivered_,
        "what leaves is in proportion to what came");
}

void ConnectionLab::Act(uint8_t action) {
  if (connection_ == nullptr) return;
  const uint8_t what = action & 15;
  const auto with = static_cast<uint8_t>(action >> 4);
  switch (what) {
    case 0:
    case 1:
      return Deliver(peer_.Take(kPieces[with]));
    case 2:
      return DeliverData(with);
    case 3:
      policy_ = static_cast<Policy>(with % 4);
      return;
    case 4:
      return Begin(with);
    case 5:
      peer_reads_ = with % 2 == 0;
      return Settle();
    case 6:
      consumes_ = with % 2 == 0;
      for (Talker& talker : talkers_) talker.set_consumes(consumes_);
      return Settle();
    case 7:
      return ended_ ? void() : ActOnConnection(with);
    case 8:
      if (!talkers_.empty()) current_ = &*std::next(talkers_.begin(), with % talkers_.size());
      return;
    default:
      if (current_ != nullptr) ActOnStream(what, with);
  }
}

void ConnectionLab::ActOnStream(uint8_t what, uint8_t with) {
  http2::Stream& stream = current_->stream;
  switch (what) {
    case 9:
      return current_->Send(kSends[with % kSends.size()], static_cast<char>('a' + with));
    case 10:
      return stream.End(Trailers(with % 2 != 0));
    case 11:
      return stream.Reset(with);
    case 12:
      return stream.ResetWhenSent(with, with % 2 == 0 ? http2::Stream::ResetWait::kPatient
                                                      : http2::Stream::ResetWait::kImpatient);
    case 13:
      if (stream.headers_sent()) stream.EndNow(Trailers(true));
      return;
    case 14:
      return with % 2 == 0 ? stream.DiscardUnsent() : Forget();
    default:
      return Reopen();
  }
}

void ConnectionLab::ActOnConnection(uint8_t with) {
  switch (with) {
    case 0:
      return connection_->Ping();
    case 1:
      return side_ == http2::Side::kDownstream ? connection_->ShutDown() : void();
    case 2:
      return connection_->Abort("by the lab");
    case 3:
      connection_.reset();
      ended_ = true;
      RunFibers();
      return;
    default:
      return connection_->Close(with - 4u);
  }
}

// The answer's headers, or a request.
void ConnectionLab::Begin(uint8_t with) {
  if (side_ == http2::Side::kDownstream) {
    if (current_ != nullptr) current_->stream.SendHeaders(Headers(side_), with % 2 != 0);
    return;
  }
  if (!connection_->HasRoom() || talkers_.size() >= kTalkersMax) return;
  Talker& talker = talkers_.emplace_back(loop_, with % 2 != 0);
  talker.set_consumes(consumes_);
  if ((with & 2) != 0) talker.Send(kSends[with % kSends.size()], 'o');
  if ((with & 4) != 0) talker.stream.End();
  Open(talker);
}

void ConnectionLab::Open(Talker& talker) {
  current_ = &talker;
  const bool opened =
      connection_->Open(talker.stream, talker.stream.Keep(Headers(http2::Side::kUpstream)));
  Check(opened, "a stream can be opened where there is room");
  talker.Start();
}

// Another attempt of a request, as after a GOAWAY.
void ConnectionLab::Reopen() {
  if (side_ == http2::Side::kDownstream || !connection_->HasRoom() || !current_->Renew()) return;
  Open(*current_);
}

// Streams that have closed are destroyed, whatever of theirs still waits to be sent.
void ConnectionLab::Forget() {
  current_ = nullptr;
  RunFibers();
  std::erase_if(talkers_, [this](const Talker& talker) {
    if (!talker.over()) return false;
    sent_ += talker.sent();
    return true;
  });
}

void ConnectionLab::OnRequest(int32_t id, const http2::FieldList& fields, bool, bool end) {
  CheckNotEnded();
  Check(side_ == http2::Side::kDownstream, "a server asks nothing");
  Check(fields.list_bytes() <= kHeaderListBytesMax, "a header block is as large as may be kept");
  const bool adopts = policy_ == Policy::kAdopt || policy_ == Policy::kEcho;
  if (policy_ == Policy::kReject) return connection_->RejectStream(id, 7);
  if (!adopts || talkers_.size() >= kTalkersMax) return connection_->Answer(id, Headers(side_));
  Talker& talker = talkers_.emplace_back(loop_, policy_ == Policy::kEcho);
  talker.set_consumes(consumes_);
  current_ = &talker;
  int64_t length = -1;
  const std::string_view announced = fields.Find("content-length");
  std::from_chars(announced.data(), announced.data() + announced.size(), length);
  if (length >= 0) talker.stream.ExpectBytes(length);
  connection_->Adopt(id, talker.stream, end);
  talker.Start();
}

void ConnectionLab::OnReady() {
  CheckNotEnded();
  Check(!std::exchange(ready_, true), "a connection becomes ready once");
}

void ConnectionLab::OnEnd(const http2::ConnectionEnd& end) {
  Check(!std::exchange(ended_, true), "a connection ends once");
  for (const char c : end.text) Check(c >= 0x20 && c < 0x7f, "why it ended can be shown");
}

void ConnectionLab::Deliver(std::string_view bytes) {
  wire_.PeerSent(bytes);
  delivered_ += bytes.size();
  for (int turn = 0; !bytes.empty() && turn < kTurnsMax; ++turn) {
    const ssize_t sent =
        send(peers_end_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) break;  // it has been closed
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    Settle();
  }
  Settle();
}

// A DATA frame of zeros, so that short inputs move windows.
void ConnectionLab::DeliverData(uint8_t with) {
  const size_t size = (with & 8) != 0 ? 16384 : 100;
  std::string frame(9 + size, '\0');
  frame[1] = static_cast<char>(size >> 8);
  frame[2] = static_cast<char>(size & 255);
  frame[4] = (with & 4) != 0 ? 1 : 0;
  frame[8] = static_cast<char>(1 + 2 * (with & 3));
  Deliver(frame);
}

// Turns of the loop until nothing moves any more.
void ConnectionLab::Settle() {
  int quiet = 0;
  for (int turn = 0; quiet < 2; ++turn) {
    Check(turn < kTurnsMax, "a connection comes to rest");
    loop_.Glance();
    const bool ran = RunFibers();
    const bool read = ReadOutput();
    quiet = ran || read ? 0 : quiet + 1;
  }
  CheckAtRest();
}

bool ConnectionLab::RunFibers() {
  bool ran = false;
  while (Fiber* fiber = loop_.NextReady()) {
    fiber->Leave();
    fiber->Run();
    ran = true;
  }
  return ran;
}

bool ConnectionLab::ReadOutput() {
  if (!peer_reads_) return false;
  std::array<char, 65536> bytes;
  const ssize_t size = recv(peers_end_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size <= 0) return false;
  const std::string_view read(bytes.data(), static_cast<size_t>(size));
  if (wire_.bytes_from_us() == 0 && read.starts_with("HTTP/1.1 400 ")) is_http2_ = false;
  if (is_http2_) wire_.WeSent(read);
  return true;
}

void ConnectionLab::CheckAtRest() {
  if (connection_ == nullptr) return;
  Check(connection_->ended() == ended_, "the observer is told of the end");
  size_t open = 0;
  for (const Talker& talker : talkers_) open += talker.open();
  Check(ended_ ? open == 0 : open <= connection_->open_streams(), "open streams are counted");
}

// The rest of what the peer sends, then its end: that is the connection's.
void ConnectionLab::Finish() {
  Deliver(peer_.Rest());
  consumes_ = true;
  for (Talker& talker : talkers_) talker.set_consumes(true);
  peer_reads_ = true;
  Settle();
  shutdown(peers_end_.get(), SHUT_WR);
  Settle();
  Check(ended_, "a connection ends when its peer does");
}

}  // namespace lanekeeper::fuzz
