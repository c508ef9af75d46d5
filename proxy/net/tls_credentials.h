// The certificate, key and authorities that new connections of one listener, or to the upstream,
// use: read from files, and again when these change. What cannot be used is logged, and what was
// read before stays. That is done by the loop's helper, for it takes 10 ms and more. Owns the watch
// over the files. Made before its loop runs, or on it, and used on it; counts and facts from any
// thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/file_watch.h"
#include "proxy/tls/context.h"

namespace lanekeeper {

class TlsCredentials {
 public:
  // `name` says in the log whose these are: "listener 0.0.0.0:50051". Throws std::runtime_error, a
  // line for each thing that is wrong with the files.
  TlsCredentials(EventLoop& loop, const TlsServerFiles& files, std::string name);
  TlsCredentials(EventLoop& loop, const TlsClientFiles& files, std::string name);

  const std::shared_ptr<const TlsContext>& context() const { return context_; }

  // Whether the files were good when they were read last.
  bool fresh() const { return fresh_.load(std::memory_order_relaxed); }
  // Of the certificate in use; empty if none is shown.
  std::optional<CertificateFacts> facts() const;

 private:
  using Read = std::function<std::shared_ptr<const TlsContext>(std::vector<TlsProblem>& problems)>;

  TlsCredentials(EventLoop& loop, Read read, std::vector<std::filesystem::path> files,
                 std::string name);
  void ReadAgain();
  void OnRead(std::shared_ptr<const TlsContext> context, const std::vector<TlsProblem>& problems);
  void Use(std::shared_ptr<const TlsContext> context);

  EventLoop& loop_;
  const std::string name_;
  const Read read_;
  FileWatch watch_;
  // Whoever comes back from reading looks whether there still is somebody.
  const std::shared_ptr<TlsCredentials*> self_ = std::make_shared<TlsCredentials*>(this);
  bool reading_ = false;
  bool changed_meanwhile_ = false;
  std::shared_ptr<const TlsContext> context_;
  std::atomic<bool> fresh_{true};
  mutable std::mutex facts_mutex_;
  std::optional<CertificateFacts> facts_;
};

}  // namespace lanekeeper
