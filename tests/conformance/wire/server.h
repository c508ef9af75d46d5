// The upstream of every case: accepts connections and runs, for each RPC, the script of its path on
// a thread of its own. Destruction cuts what is left and joins every thread.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/conformance/wire/connection.h"
#include "tests/conformance/wire/fields.h"

namespace lanekeeper::testing::wire {

using Script = std::function<void(Stream&)>;

class Server {
 public:
  explicit Server(Manners manners = {});
  ~Server();

  std::string address() const { return "127.0.0.1:" + std::to_string(listening_.port()); }

  // From the next RPC on. A path without a script is answered with status 12.
  void On(const std::string& path, Script script);
  // The nth RPC of a path, from 0, once its script has returned; none when it never comes.
  std::shared_ptr<Stream> AwaitServed(const std::string& path, size_t nth);
  size_t arrived(const std::string& path) const;
  // How many connections RPCs came over.
  size_t connections_used() const;
  // The most RPCs that one connection had open at once.
  size_t open_streams_peak() const;

 private:
  struct Served {
    std::string path;
    std::shared_ptr<Stream> stream;
    std::thread script;
    bool returned = false;
  };

  void Accept();
  void Serve(std::shared_ptr<Stream> stream);

  const Manners manners_;
  const Socket listening_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Script> scripts_;
  std::list<Served> served_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread accepting_;
};

}  // namespace lanekeeper::testing::wire
