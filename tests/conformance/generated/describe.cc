// Plans as text, for a person who has to find out what a seed does.
#include <fmt/format.h>

#include "tests/conformance/generated/dice.h"
#include "tests/conformance/generated/plan.h"

namespace lanekeeper::testing {
namespace {

constexpr size_t kShownBytes = 60;

const char* NameOf(StepKind kind) {
  switch (kind) {
    case StepKind::kClientStart:
      return "client starts";
    case StepKind::kClientSend:
      return "client sends";
    case StepKind::kClientHalfClose:
      return "client half-closes";
    case StepKind::kClientPost:
      return "client asks for a message";
    case StepKind::kClientReceive:
      return "client receives";
    case StepKind::kClientHeaders:
      return "client awaits headers";
    case StepKind::kClientStatus:
      return "client awaits status";
    case StepKind::kClientCancel:
      return "client cancels";
    case StepKind::kClientAwaitsDeadline:
      return "client awaits the deadline";
    case StepKind::kServerAccept:
      return "server accepts";
    case StepKind::kServerHeaders:
      return "server sends headers";
    case StepKind::kServerSend:
      return "server sends";
    case StepKind::kServerPost:
      return "server asks for a message";
    case StepKind::kServerReceive:
      return "server receives";
    case StepKind::kServerFinish:
      return "server finishes";
    case StepKind::kServerAbort:
      return "server aborts";
    case StepKind::kServerDrop:
      return "server drops the call";
    case StepKind::kServerClosed:
      return "server awaits the end";
  }
  return "?";
}

const char* NameOf(grpc_compression_algorithm algorithm) {
  const char* name = "?";
  grpc_compression_algorithm_name(algorithm, &name);
  return name;
}

std::string Describe(const MetadataPairs& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) text += fmt::format("\n    {}: {}", key, Show(value));
  return text.empty() ? " none" : text;
}

}  // namespace

// FNV-1a.
uint64_t HashOf(const std::string& bytes) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

std::string Show(const std::string& bytes) {
  if (bytes.size() > kShownBytes)
    return fmt::format("<{} B #{:016x}>", bytes.size(), HashOf(bytes));
  std::string text = "'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte >= 0x20 && byte < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return text + "'";
}

std::string MessagePlan::Bytes() const {
  Dice dice(content);
  if (!compressible) return dice.Bytes(bytes);
  const std::string pattern = dice.Printable(20);
  std::string text;
  text.reserve(bytes + pattern.size());
  while (text.size() < bytes) text += pattern;
  text.resize(bytes);
  return text;
}

std::string Describe(const Step& step) {
  std::string text = NameOf(step.kind);
  if (step.message) {
    text += fmt::format(" [{} B, {}{}]", step.message->bytes,
                        step.message->compressible ? "pattern" : "noise",
                        step.message->leave_as_it_is ? ", not compressed" : "");
  }
  if (step.half_close) text += " + half-close";
  if (step.racy) text += " (not recorded)";
  return text;
}

std::string Describe(const Plan& plan) {
  std::string text = fmt::format("seed {}: {}\n", plan.seed, plan.kind);
  text += fmt::format("  method {}\n", plan.method);
  text += fmt::format("  compression {} up, {} down\n", NameOf(plan.to_upstream),
                      NameOf(plan.to_downstream));
  if (plan.timeout) text += fmt::format("  timeout {} ms\n", plan.timeout->count());
  text += "  request headers:" + Describe(plan.request_headers) + "\n";
  text += "  response headers:" + Describe(plan.response_headers) + "\n";
  text += "  trailers:" + Describe(plan.trailers) + "\n";
  text += fmt::format("  status {} {}\n", plan.status_code, Show(plan.status_message));
  size_t number = 0;
  for (const Step& step : plan.steps) {
    text += fmt::format("  {:2}. {}\n", ++number, Describe(step));
  }
  return text;
}

}  // namespace lanekeeper::testing
