#include "proxy/net/tls_credentials.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

namespace lanekeeper {
namespace {

using Paths = std::vector<std::filesystem::path>;

Paths PathsOf(const TlsServerFiles& files) {
  Paths paths{files.certificate, files.key};
  if (files.client_ca) paths.emplace_back(*files.client_ca);
  return paths;
}

Paths PathsOf(const TlsClientFiles& files) {
  Paths paths;
  for (const auto* file : {&files.ca, &files.certificate, &files.key}) {
    if (*file) paths.emplace_back(**file);
  }
  return paths;
}

std::string Joined(const std::vector<TlsProblem>& problems, const char* between) {
  std::string text;
  for (const TlsProblem& problem : problems) {
    text += (text.empty() ? "" : between) + problem.text;
  }
  return text;
}

}  // namespace

TlsCredentials::TlsCredentials(EventLoop& loop, const TlsServerFiles& files, std::string name)
    : TlsCredentials(
          loop,
          [files](std::vector<TlsProblem>& problems) {
            return TlsContext::ForServer(files, problems);
          },
          PathsOf(files), std::move(name)) {}

TlsCredentials::TlsCredentials(EventLoop& loop, const TlsClientFiles& files, std::string name)
    : TlsCredentials(
          loop,
          [files](std::vector<TlsProblem>& problems) {
            return TlsContext::ForClient(files, problems);
          },
          PathsOf(files), std::move(name)) {}

// The watch first: what changes from here on is read again.
TlsCredentials::TlsCredentials(EventLoop& loop, Read read, Paths files, std::string name)
    : loop_(loop),
      name_(std::move(name)),
      read_(std::move(read)),
      watch_(loop, std::move(files), [this] { ReadAgain(); }) {
  std::vector<TlsProblem> problems;
  auto context = read_(problems);
  if (context == nullptr) throw std::runtime_error(Joined(problems, "\n"));
  Use(std::move(context));
  loop.helper().Begin();
}

std::optional<CertificateFacts> TlsCredentials::facts() const {
  const std::lock_guard lock(facts_mutex_);
  return facts_;
}

void TlsCredentials::ReadAgain() {
  changed_meanwhile_ = reading_;
  if (reading_) return;
  reading_ = true;
  loop_.helper().Run([&loop = loop_, read = read_, self = std::weak_ptr(self_)] {
    std::vector<TlsProblem> problems;
    auto context = read(problems);
    loop.Post([self, context = std::move(context), problems = std::move(problems)] {
      if (const auto credentials = self.lock()) (*credentials)->OnRead(context, problems);
    });
  });
}

void TlsCredentials::OnRead(std::shared_ptr<const TlsContext> context,
                            const std::vector<TlsProblem>& problems) {
  reading_ = false;
  if (changed_meanwhile_) return ReadAgain();
  fresh_.store(context != nullptr, std::memory_order_relaxed);
  if (context != nullptr) return Use(std::move(context));
  spdlog::error(
      "TLS, {}: the files have changed and cannot be used, what was read before stays: {}", name_,
      Joined(problems, "; "));
}

void TlsCredentials::Use(std::shared_ptr<const TlsContext> context) {
  context_ = std::move(context);
  const std::optional<CertificateFacts>& facts = context_->facts();
  {
    const std::lock_guard lock(facts_mutex_);
    facts_ = facts;
  }
  if (facts) {
    spdlog::info("TLS, {}: certificate {} of '{}', valid from {} to {}", name_, facts->subject,
                 facts->file, UtcText(facts->not_before), UtcText(facts->not_after));
  } else {
    spdlog::info("TLS, {}: shows no certificate", name_);
  }
}

}  // namespace lanekeeper
