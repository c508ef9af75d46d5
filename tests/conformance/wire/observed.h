// What one end of an RPC saw of it on the wire, in order, and as text that can be compared.
// Values only.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lanekeeper::testing::wire {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Event {
  enum class Kind {
    kHeaders,       // request headers, or response headers that are not the end
    kMessage,       // a whole gRPC message: flag and bytes
    kCutMessage,    // the bytes of a message whose rest never came
    kHalfClose,     // END_STREAM that is not on trailers
    kTrailers,      // fields with END_STREAM after headers
    kTrailersOnly,  // the first and last fields in one
    kReset,
    kConnectionLost,
  };

  Kind kind;
  Fields fields;
  int flag = 0;       // of a message: 0 as it is, 1 compressed
  std::string bytes;  // of a message
  uint32_t reset_code = 0;
};

using Events = std::vector<Event>;

// Puts gRPC messages together from the bytes of DATA frames.
class MessageReader {
 public:
  // Adds what has come whole.
  void Read(const std::string& data, Events& events);
  // Adds what has not, when nothing more can come.
  void End(Events& events);

 private:
  std::string rest_;
};

// A line for each event and field, in order.
std::string Text(const Events& events);

// Of the last event that carries fields: the values of one key.
std::vector<std::string> ValuesAtEnd(const Events& events, const std::string& key);
// Of the first event.
std::vector<std::string> ValuesAtStart(const Events& events, const std::string& key);

// Bytes outside printable ASCII as \xNN; long texts shortened to their length and a hash.
std::string Printable(const std::string& bytes);

}  // namespace lanekeeper::testing::wire
