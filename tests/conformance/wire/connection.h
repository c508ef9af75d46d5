// An HTTP/2 connection of our own, client or server, that follows the script of its streams frame
// by frame. Owns its socket, a libnghttp2 session and the thread that reads. Any thread; destroying
// it closes the socket.
#pragma once

#include <nghttp2/nghttp2.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/conformance/wire/socket.h"
#include "tests/conformance/wire/stream.h"

namespace lanekeeper::testing::wire {

// How a peer behaves besides its scripts.
struct Manners {
  std::vector<nghttp2_settings_entry> settings;
  bool acknowledges_settings = true;
  size_t padding = 0;  // added to each DATA frame
};

class Connection {
 public:
  // Told of each new stream of a server, once its request headers are there. The session's thread.
  using OnRequest = std::function<void(std::shared_ptr<Stream>)>;

  // As a client, to "HOST:PORT" or "unix:PATH".
  explicit Connection(const std::string& target, const Manners& manners = {});
  // As a server, on an accepted socket.
  Connection(Socket socket, const Manners& manners, OnRequest on_request);
  ~Connection();

  // A stream of a client that begins with its first headers.
  std::shared_ptr<Stream> NewStream();

  void Ping();
  size_t pings_unanswered() const;
  bool AwaitPingsAnswered();
  // Tells the peer to start no stream after those it has.
  void GoAway(uint32_t code = NGHTTP2_NO_ERROR);
  bool AwaitGoAway(std::chrono::milliseconds patience = kPatience);
  bool AwaitLost(std::chrono::milliseconds patience = kPatience);
  // Changes settings while the connection is in use.
  void Settings(const std::vector<nghttp2_settings_entry>& settings);
  // Ends the connection with no word.
  void Cut();
  // The same, and waits until nothing more is read.
  void Close();
  // The most streams the peer had open at once.
  size_t open_streams_peak() const;

 private:
  friend class Stream;
  friend struct SessionCallbacks;

  void Begin(bool server, const Manners& manners);
  void ReadUntilClosed();
  void SubmitNext(Stream& stream);
  void StepSent(Stream& stream);
  void OnFields(Stream& stream, bool last);
  void OnEnd(Stream& stream, Event event);
  void OnLost();
  void Flush();
  Stream* Find(int32_t id);

  Socket socket_;
  Socket wake_;  // an eventfd: the socket did not take all that there was to write
  const Manners manners_;
  const OnRequest on_request_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::shared_ptr<Stream>> streams_;
  std::vector<std::shared_ptr<Stream>> unborn_;
  size_t pings_unanswered_ = 0;
  bool goaway_came_ = false;
  bool lost_ = false;
  bool write_blocked_ = false;
  size_t open_streams_ = 0;
  size_t open_streams_peak_ = 0;
  std::thread reading_;
};

}  // namespace lanekeeper::testing::wire
