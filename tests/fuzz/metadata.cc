// Header blocks as they cross the proxy: what a peer sends is forwarded as HTTP/2 and gRPC allow
// it, or answered here with a text that can be shown.
//
// The input: a byte of choices, then fields. 0xfe ends a field, 0xfd its name.
#include "proxy/grpc/metadata.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/downstream/request_head.h"
#include "proxy/rpc/response_fields.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/text_rules.h"

namespace lanekeeper::fuzz {
namespace {

constexpr char kFieldEnd = '\xfe';
constexpr char kNameEnd = '\xfd';
constexpr size_t kMetadataBytesMax = 2048;

http2::FieldList FieldsOf(std::string_view bytes) {
  http2::FieldList fields;
  while (!bytes.empty()) {
    const std::string_view field = bytes.substr(0, bytes.find(kFieldEnd));
    bytes.remove_prefix(std::min(field.size() + 1, bytes.size()));
    const size_t name = std::min(field.find(kNameEnd), field.size());
    fields.Add(field.substr(0, name), field.substr(std::min(name + 1, field.size())));
  }
  return fields;
}

std::string Bytes(const http2::FieldList& fields) {
  std::string bytes;
  for (const http2::Field field : fields) {
    bytes.append(field.name).append(1, kNameEnd).append(field.value).append(1, kFieldEnd);
  }
  return bytes;
}

// What may go to a peer, whatever came.
void CheckForwarded(const http2::Field& field, std::string_view connection) {
  Check(!IsConnectionSpecific(field.name), "what belongs to a connection stays there");
  Check(field.name != "expect", "nothing that makes a peer answer unasked is forwarded");
  if (field.name == "te") return Check(field.value == "trailers", "te is written anew");
  const FieldVerdict verdict = JudgeField(field.name, field.value);
  Check(verdict == FieldVerdict::kForward, "a field is one that gRPC allows");
  Check(!NamedInConnection(connection, field.name),
        "what a connection field names is not forwarded");
}

void CheckPseudo(const http2::Field& field) {
  Check(!field.value.empty(), "a pseudo-header field has a value");
  Check(!IsMalformedField("x", field.value), "a pseudo-header field is well-formed");
  Check(!HasControls(field.value), "a pseudo-header field holds no control character");
}

void CheckRequest(const RequestHead& head, const http2::FieldList& received) {
  const http2::FieldList& fields = head.request.fields;
  if (head.kind != RequestKind::kRpc) return Check(fields.empty(), "only RPCs are forwarded");
  if (head.request.problem) {
    const std::string& message = head.request.problem->message;
    return Check(IsPrintableAscii(message) && !message.empty(), "a refusal can be shown");
  }
  constexpr std::string_view kPseudo[] = {":method", ":scheme", ":path", ":authority"};
  size_t index = 0;
  int te = 0;
  const std::string_view connection = received.Find("connection");
  for (const http2::Field field : fields) {
    if (index < std::size(kPseudo)) {
      Check(field.name == kPseudo[index], "pseudo-header fields come first, each once");
      CheckPseudo(field);
    } else {
      te += field.name == "te";
      CheckForwarded(field, connection);
    }
    ++index;
  }
  Check(index > std::size(kPseudo) && te == 1, "te: trailers is there, once");
  Check(IsHostAuthority(fields.Find(":authority")), "the authority is a host");
  if (const auto timeout = head.request.timeout) {
    Check(timeout->count() >= 0, "a timeout is not negative");
  }
}

void CheckResponse(http2::FieldList fields) {
  const std::string before = Bytes(fields);
  const std::string connection(fields.Find("connection"));
  if (const auto illegal = TranslateResponse(fields)) {
    Check(IsPrintableAscii(*illegal), "the name of a field that is not allowed can be shown");
    return Check(Bytes(fields) == before, "what is refused stays as it was");
  }
  bool first = true;
  for (const http2::Field field : fields) {
    if (field.name.starts_with(':')) {
      Check(std::exchange(first, false) && field.name == ":status", "a status comes first, once");
      CheckPseudo(field);
    } else {
      CheckForwarded(field, connection);
    }
    first = false;
  }
  const std::string crossing = Bytes(fields);
  Check(!TranslateResponse(fields), "what crosses is allowed");
  if (connection.empty()) Check(Bytes(fields) == crossing, "what crosses is what crosses again");
}

void Run(Input input) {
  const uint8_t choices = input.Byte();
  RequestRules rules;
  rules.metadata_bytes_max = kMetadataBytesMax;
  if ((choices & 1) != 0) rules.authority = "orders.example:443";
  const bool too_large = (choices & 2) != 0;
  const http2::FieldList received = FieldsOf(input.Rest());
  CheckRequest(JudgeRequest(received, too_large, rules), received);
  CheckResponse(received);
}

}  // namespace
}  // namespace lanekeeper::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::Run({data, size});
  return 0;
}
