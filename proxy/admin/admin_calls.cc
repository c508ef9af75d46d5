#include "proxy/admin/admin_calls.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "config/load.h"
#include "config/names.h"
#include "proxy/base/text.h"
#include "proxy/log/log_event.h"
#include "proxy/version.h"

namespace lanekeeper {
namespace {

constexpr size_t kPageDefault = 100;
constexpr size_t kPageMax = 10000;
// A page with more than this ends early, and the next begins there: clients of gRPC refuse messages
// above 4 MiB unless told otherwise, and methods may be thousands of bytes long.
constexpr size_t kPageBytes = 3 * 1024 * 1024;
constexpr size_t kReasonBytesMax = 200;
constexpr size_t kNameBytesMax = 1024;

grpc::Status NotOpen(StreamId id) {
  return {grpc::StatusCode::NOT_FOUND, fmt::format("no open stream has the id {}", id)};
}

// Whether text, which is UTF-8, has none of the control characters of ASCII and Latin-1.
bool IsOneLine(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  return true;
}

}  // namespace

grpc::Status AdminCalls::MayChange() const {
  if (!control_.config().admin.read_only) return grpc::Status::OK;
  return {grpc::StatusCode::PERMISSION_DENIED,
          "admin.read_only is true: nothing can be changed at this address"};
}

grpc::Status AdminCalls::ListStreams(const adminpb::ListStreamsRequest& request,
                                     adminpb::ListStreamsResponse* response) const {
  StreamFilter filter;
  if (grpc::Status status = FromProto(request.filter(), &filter); !status.ok()) return status;
  const std::string& token = request.page_token();
  const std::optional<StreamId> after = token.empty() ? StreamId{0} : ParseStreamId(token);
  if (!after) {
    return Invalid(fmt::format("page_token: expected the next_page_token of an answer, not '{}'",
                               Printable(token)));
  }
  const size_t max =
      request.page_size() == 0 ? kPageDefault : std::min<size_t>(request.page_size(), kPageMax);

  const StreamPage page = control_.ListStreams(filter, *after, max);
  size_t bytes = 0;
  bool more = page.more;
  for (const StreamSnapshot& snapshot : page.streams) {
    if (bytes >= kPageBytes) {
      more = true;
      break;
    }
    ToProto(snapshot, response->add_streams());
    bytes += response->streams().rbegin()->ByteSizeLong();
  }
  if (more && response->streams_size() > 0) {
    response->set_next_page_token(std::to_string(response->streams().rbegin()->id()));
  }
  *response->mutable_totals() = control_.Totals();
  response->mutable_totals()->set_streams_matching(page.matching);
  return grpc::Status::OK;
}

grpc::Status AdminCalls::GetStream(const adminpb::GetStreamRequest& request,
                                   adminpb::Stream* stream) const {
  const std::optional<StreamSnapshot> found = control_.FindStream(request.id());
  if (!found) return NotOpen(request.id());
  ToProto(*found, stream);
  return grpc::Status::OK;
}

grpc::Status AdminCalls::CancelStream(const adminpb::CancelStreamRequest& request,
                                      const std::string& who,
                                      adminpb::CancelStreamResponse* response) {
  if (grpc::Status denied = MayChange(); !denied.ok()) return denied;
  if (request.reason().size() > kReasonBytesMax || !IsOneLine(request.reason())) {
    return Invalid(fmt::format("reason: expected at most {} bytes without control characters",
                               kReasonBytesMax));
  }
  const std::optional<StreamSnapshot> was = control_.CancelStream(request.id(), request.reason());
  if (!was) return NotOpen(request.id());
  spdlog::info("admin: {} cancelled stream {} ({} from {}), reason: {}", who, was->id,
               Printable(was->method), Printable(was->downstream_peer),
               request.reason().empty() ? "none given" : request.reason());
  ToProto(*was, response->mutable_stream());
  return grpc::Status::OK;
}

grpc::Status AdminCalls::Drain(const std::string& who, adminpb::DrainResponse* response) {
  if (grpc::Status denied = MayChange(); !denied.ok()) return denied;
  const uint64_t open = control_.Totals().streams_open();
  if (!control_.RequestDrain()) {
    return {grpc::StatusCode::FAILED_PRECONDITION,
            "nobody runs this proxy who could drain it on request"};
  }
  spdlog::info("admin: {} asked for a drain, {} streams open", who, open);
  response->set_streams_open(open);
  *response->mutable_timeout() = ToProto(control_.config().drain.timeout);
  return grpc::Status::OK;
}

grpc::Status AdminCalls::SetLogLevel(const adminpb::SetLogLevelRequest& request,
                                     const std::string& who,
                                     adminpb::SetLogLevelResponse* response) {
  if (grpc::Status denied = MayChange(); !denied.ok()) return denied;
  const std::optional<LogLevel> wanted = ValueOf(kLogLevels, request.level());
  if (!wanted) {
    return Invalid(fmt::format("level: expected {}, not '{}'", ChoicesOf(kLogLevels),
                               Printable(request.level())));
  }
  const auto before = spdlog::get_level();
  const auto after = ToSpdlog(*wanted);
  // Said while the more talkative of the two is in force.
  if (after < before) spdlog::set_level(after);
  spdlog::info("admin: {} changed log.level from {} to {}", who, LevelName(before),
               request.level());
  if (after >= before) spdlog::set_level(after);
  response->set_previous(LevelName(before));
  response->set_level(request.level());
  return grpc::Status::OK;
}

grpc::Status AdminCalls::Reload(const adminpb::ReloadRequest& request, const std::string& who,
                                adminpb::ReloadResponse* response) {
  if (grpc::Status denied = MayChange(); !request.dry_run() && !denied.ok()) return denied;
  std::optional<ConfigText> text;
  if (!request.yaml().empty()) {
    if (!request.dry_run()) return Invalid("yaml: expected only with dry_run");
    if (request.name().size() > kNameBytesMax || !IsOneLine(request.name())) {
      return Invalid(
          fmt::format("name: expected at most {} bytes without control characters", kNameBytesMax));
    }
    text = ConfigText{request.yaml(), request.name().empty() ? "yaml" : request.name()};
  }
  const std::optional<ReloadOutcome> outcome =
      request.dry_run() ? control_.PreviewReload(text) : control_.Reload(who);
  if (!outcome) {
    return {grpc::StatusCode::FAILED_PRECONDITION,
            "this proxy is ending, or was started without a file that could be read again"};
  }
  ToProto(*outcome, response);
  return grpc::Status::OK;
}

grpc::Status AdminCalls::GetConfig(adminpb::GetConfigResponse* response) const {
  response->set_yaml(PrintConfig(control_.config()));
  return grpc::Status::OK;
}

grpc::Status AdminCalls::GetVersion(adminpb::GetVersionResponse* response) const {
  response->set_version(kVersion);
  response->set_revision(kRevision);
  response->set_grpc_version(grpc::Version());
  ToProto(control_.started(), response->mutable_started());
  return grpc::Status::OK;
}

}  // namespace lanekeeper
