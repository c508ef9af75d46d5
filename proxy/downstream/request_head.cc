#include "proxy/downstream/request_head.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/timeout.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kTrailers = "trailers";

// What the judgement needs to know of a request, found in one pass.
struct Findings {
  std::string_view method;
  std::string_view scheme;
  std::string_view path;
  std::string_view authority;
  std::string_view host;
  std::string_view connection;
  std::string_view content_type;
  std::string_view content_length;
  std::string_view grpc_timeout;
  bool well_formed = true;  // the pseudo-header fields

  // CONNECT has no path, and is nothing that could be forwarded.
  bool complete() const { return !method.empty() && !scheme.empty() && !path.empty(); }

  std::string_view* PlaceOf(std::string_view name) {
    switch (name.size()) {
      case 4:
        return name == "host" ? &host : nullptr;
      case 5:
        return name == ":path" ? &path : nullptr;
      case 7:
        return name == ":method" ? &method : name == ":scheme" ? &scheme : nullptr;
      case 10:
        return name == ":authority" ? &authority : name == "connection" ? &connection : nullptr;
      case 12:
        return name == "content-type"   ? &content_type
               : name == "grpc-timeout" ? &grpc_timeout
                                        : nullptr;
      case 14:
        return name == "content-length" ? &content_length : nullptr;
      default:
        return nullptr;
    }
  }
};

Findings Find(const http2::FieldList& fields) {
  Findings found;
  bool regular_seen = false;
  for (const http2::Field field : fields) {
    const bool pseudo = field.name.starts_with(':');
    std::string_view* place = found.PlaceOf(field.name);
    const bool again = place != nullptr && place->data() != nullptr;
    if (pseudo && (place == nullptr || again || regular_seen || !IsPseudoValue(field.value))) {
      found.well_formed = false;
    }
    if (!pseudo) regular_seen = true;
    // Of regular fields the first counts.
    if (place != nullptr && (pseudo || !again)) *place = field.value;
  }
  return found;
}

// What no client may send. A gRPC client is told by a status, or forgiven: this is a hop of its
// own.
bool BreaksHttp2(const http2::FieldList& fields, bool grpc) {
  if (grpc) return false;
  for (const http2::Field field : fields) {
    if (field.name.starts_with(':')) continue;
    if (IsMalformedField(field.name, field.value) || IsConnectionSpecific(field.name)) return true;
    if (field.name == "te" && field.value != kTrailers) return true;
  }
  return false;
}

std::string_view AuthorityOf(const Findings& found, const RequestRules& rules) {
  if (rules.authority) return *rules.authority;
  if (IsHostAuthority(found.authority)) return found.authority;
  // Clients of unix sockets send none, or a path, which is no authority (RFC 3986 section 3.2).
  return IsHostAuthority(found.host) ? found.host : "localhost";
}

void Fail(Request& request, TerminationCause cause, StatusCode code, std::string message) {
  if (request.problem != nullptr) return;
  request.problem = std::make_unique<const Ending>(Ending{cause, code, std::move(message)});
}

void Translate(const http2::FieldList& received, const Findings& found, const RequestRules& rules,
               Pool* pool, Request& request) {
  http2::FieldList& fields = request.fields;
  const std::string_view authority = AuthorityOf(found, rules);
  fields.Reserve(received.size() + 2, received.bytes() + authority.size() + 32, pool);
  fields.Add(":method", found.method);
  fields.Add(":scheme", rules.scheme);
  fields.Add(":path", found.path);
  fields.Add(":authority", authority);
  bool te = false;
  for (const http2::Field field : received) {
    if (field.name.starts_with(':') || field.name == "host") continue;
    if (field.name == "te") {
      if (!te) fields.Add("te", kTrailers);
      te = true;
      continue;
    }
    const FieldVerdict verdict = JudgeField(field.name, field.value);
    if (verdict == FieldVerdict::kIllegal) {
      Fail(request, TerminationCause::kIllegalMetadata, StatusCode::kInvalidArgument,
           fmt::format("lanekeeper: metadata '{}' has a key or value that gRPC does not allow",
                       PrintableField(field.name)));
      continue;
    }
    if (verdict == FieldVerdict::kStrip) continue;
    if (!found.connection.empty() && NamedInConnection(found.connection, field.name)) continue;
    fields.Add(field.name, field.value, field.never_index || IsPerRpcField(field.name));
  }
  if (!te) fields.Add("te", kTrailers);
}

void ReadTimeout(std::string_view text, Request& request) {
  if (text.data() == nullptr) return;
  request.timeout = ParseTimeout(text);
  if (request.timeout) return;
  Fail(request, TerminationCause::kIllegalMetadata, StatusCode::kInternal,
       fmt::format("lanekeeper: malformed grpc-timeout '{}'", PrintableField(text)));
}

void ReadContentLength(std::string_view text, Request& request) {
  if (text.data() == nullptr) return;
  std::from_chars(text.data(), text.data() + text.size(), request.content_length);
}

}  // namespace

RequestHead JudgeRequest(const http2::FieldList& received, bool too_large,
                         const RequestRules& rules, Pool* pool) {
  RequestHead head;
  const Findings found = Find(received);
  const bool grpc = too_large || IsGrpcContentType(found.content_type);
  const bool malformed = !found.complete() || (!found.well_formed && !grpc);
  if ((malformed && !too_large) || BreaksHttp2(received, grpc)) {
    head.kind = RequestKind::kMalformed;
    return head;
  }
  ReadContentLength(found.content_length, head.request);
  if (!grpc) {  // nothing of it is forwarded
    head.kind = RequestKind::kNotGrpc;
    return head;
  }
  if (!found.well_formed) {
    Fail(head.request, TerminationCause::kIllegalMetadata, StatusCode::kInvalidArgument,
         "lanekeeper: the pseudo-header fields are not those of a request");
  }
  Translate(received, found, rules, pool, head.request);
  if (too_large || received.list_bytes() > rules.metadata_bytes_max) {
    head.request.problem.reset();
    Fail(head.request, TerminationCause::kLimit, StatusCode::kResourceExhausted,
         fmt::format("lanekeeper: metadata of {}{} bytes exceeds limits.metadata_size, {} bytes",
                     too_large ? "more than " : "", received.list_bytes(),
                     rules.metadata_bytes_max));
  }
  ReadTimeout(found.grpc_timeout, head.request);
  return head;
}

}  // namespace lanekeeper
