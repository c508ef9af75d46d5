#include "proxy/downstream/request_head.h"

#include <fmt/format.h>

#include <charconv>

#include "proxy/grpc/metadata.h"
#include "proxy/grpc/timeout.h"

namespace lanekeeper {
namespace {

constexpr std::string_view kTrailers = "trailers";

struct PseudoFields {
  std::string_view method;
  std::string_view scheme;
  std::string_view path;
  std::string_view authority;
  bool well_formed = true;

  // CONNECT has no path, and is nothing that could be forwarded.
  bool complete() const { return !method.empty() && !scheme.empty() && !path.empty(); }
};

PseudoFields PseudoFieldsOf(const http2::FieldList& fields) {
  PseudoFields pseudo;
  bool regular_seen = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http2::Field field = fields[i];
    if (!field.name.starts_with(':')) {
      regular_seen = true;
      continue;
    }
    std::string_view* place = field.name == ":method"      ? &pseudo.method
                              : field.name == ":scheme"    ? &pseudo.scheme
                              : field.name == ":path"      ? &pseudo.path
                              : field.name == ":authority" ? &pseudo.authority
                                                           : nullptr;
    if (place == nullptr || place->data() != nullptr || regular_seen) pseudo.well_formed = false;
    if (place != nullptr) *place = field.value;
  }
  return pseudo;
}

// What no client may send. A gRPC client is told by a status, or forgiven: this is a hop of its own.
bool BreaksHttp2(const http2::FieldList& fields, bool grpc) {
  if (grpc) return false;
  for (size_t i = 0; i < fields.size(); ++i) {
    const http2::Field field = fields[i];
    if (field.name.starts_with(':')) continue;
    if (IsMalformedField(field.name, field.value) || IsConnectionSpecific(field.name)) return true;
    if (field.name == "te" && field.value != kTrailers) return true;
  }
  return false;
}

std::string_view AuthorityOf(const PseudoFields& pseudo, const http2::FieldList& received,
                             const RequestRules& rules) {
  if (rules.authority) return *rules.authority;
  if (IsHostAuthority(pseudo.authority)) return pseudo.authority;
  const std::string_view host = received.Find("host");
  // Clients of unix sockets send none, or a path, which is no authority (RFC 3986 section 3.2).
  return IsHostAuthority(host) ? host : "localhost";
}

void Fail(Request& request, TerminationCause cause, StatusCode code, std::string message) {
  if (!request.problem) request.problem = Ending{cause, code, std::move(message)};
}

void Translate(const http2::FieldList& received, const PseudoFields& pseudo,
               const RequestRules& rules, Request& request) {
  http2::FieldList& fields = request.fields;
  fields.Reserve(received.size() + 2, received.bytes() + 32);
  fields.Add(":method", pseudo.method);
  fields.Add(":scheme", "http");
  fields.Add(":path", pseudo.path);
  fields.Add(":authority", AuthorityOf(pseudo, received, rules));
  const std::string_view connection = received.Find("connection");
  bool te = false;
  for (size_t i = 0; i < received.size(); ++i) {
    const http2::Field field = received[i];
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
    if (!connection.empty() && NamedInConnection(connection, field.name)) continue;
    fields.Add(field.name, field.value, field.never_index || IsPerRpcField(field.name));
  }
  if (!te) fields.Add("te", kTrailers);
}

void ReadTimeout(Request& request) {
  const std::string_view text = request.fields.Find("grpc-timeout");
  if (text.data() == nullptr) return;
  request.timeout = ParseTimeout(text);
  if (request.timeout) return;
  Fail(request, TerminationCause::kIllegalMetadata, StatusCode::kInternal,
       fmt::format("lanekeeper: malformed grpc-timeout '{}'", PrintableField(text)));
}

void ReadContentLength(Request& request) {
  const std::string_view text = request.fields.Find("content-length");
  if (text.data() == nullptr) return;
  std::from_chars(text.data(), text.data() + text.size(), request.content_length);
}

}  // namespace

RequestHead JudgeRequest(const http2::FieldList& received, bool too_large,
                         const RequestRules& rules) {
  RequestHead head;
  const PseudoFields pseudo = PseudoFieldsOf(received);
  const bool grpc = too_large || IsGrpcContentType(received.Find("content-type"));
  const bool malformed = !pseudo.complete() || (!pseudo.well_formed && !grpc);
  if ((malformed && !too_large) || BreaksHttp2(received, grpc)) {
    head.kind = RequestKind::kMalformed;
    return head;
  }
  if (!pseudo.well_formed) {
    Fail(head.request, TerminationCause::kIllegalMetadata, StatusCode::kInvalidArgument,
         "lanekeeper: the pseudo-header fields are not those of a request");
  }
  Translate(received, pseudo, rules, head.request);
  ReadContentLength(head.request);
  if (!grpc) {
    head.kind = RequestKind::kNotGrpc;
    return head;
  }
  if (too_large || received.list_bytes() > rules.metadata_bytes_max) {
    head.request.problem.reset();
    Fail(head.request, TerminationCause::kLimit, StatusCode::kResourceExhausted,
         fmt::format("lanekeeper: metadata of {}{} bytes exceeds limits.metadata_size, {} bytes",
                     too_large ? "more than " : "", received.list_bytes(),
                     rules.metadata_bytes_max));
  }
  ReadTimeout(head.request);
  return head;
}

}  // namespace lanekeeper
