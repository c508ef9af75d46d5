#include "proxy/cli/option_types.h"

#include <fmt/format.h>

#include <cstdlib>
#include <functional>

#include "config/units.h"
#include "proxy/base/proto.h"

namespace lanekeeper {
namespace {

using admin::v1::Lane;
using admin::v1::StreamFilter;
using std::chrono::milliseconds;

// What `parse` makes of the text; a usage error where that is nothing.
template <class Parse>
auto Parsed(const std::string& name, Parse parse, const std::string& text) {
  std::string why;
  const auto value = parse(text, &why);
  if (!value) throw CLI::ValidationError(name, why);
  return *value;
}

uint64_t ParseId(const std::string& text) {
  const int64_t id = Parsed("ID", ParseWholeNumber, text);
  if (id < 1) throw CLI::ValidationError("ID", "ids begin with 1");
  return static_cast<uint64_t>(id);
}

ListenAddress ParseAddress(const std::string& name, const std::string& text, bool unix_too) {
  ListenAddress address = Parsed(name, ParseListenAddress, text);
  if (address.is_unix() && !unix_too) throw CLI::ValidationError(name, "must be HOST:PORT");
  if (!address.is_unix() && address.port == 0) throw CLI::ValidationError(name, "needs a port");
  return address;
}

// Not CLI11's envname: it sets the option of every command, of those that were not given too.
// `take` parses the value and keeps it; the one from the environment only if there is no other.
void AddAddress(CLI::App& command, const std::string& name, const char* variable,
                const std::string& otherwise, const char* type, const std::string& what,
                const std::function<void(const std::string&)>& take) {
  const char* value = std::getenv(variable);
  const std::string preset = value != nullptr && *value != '\0' ? value : otherwise;
  CLI::Option* option =
      command
          .add_option_function<std::string>(name, take, fmt::format("{}; env {}", what, variable))
          ->type_name(type)
          ->default_str(otherwise);
  command.parse_complete_callback([option, take, preset] {
    if (option->count() == 0) take(preset);
  });
}

}  // namespace

CLI::Option* AddDuration(CLI::App& command, const std::string& name, milliseconds* target,
                         const std::string& what, milliseconds least) {
  const auto take = [name, target, least](const std::string& text) {
    const milliseconds duration = Parsed(name, ParseDuration, text);
    if (duration < least) {
      throw CLI::ValidationError(name, fmt::format("must be at least {}", FormatDuration(least)));
    }
    *target = duration;
  };
  CLI::Option* option = command.add_option_function<std::string>(name, take, what);
  option->type_name("DURATION");
  if (target->count() > 0) option->default_str(FormatDuration(*target));
  return option;
}

CLI::Option* AddCount(CLI::App& command, const std::string& name, std::optional<uint64_t>* target,
                      const std::string& what) {
  const auto take = [name, target](const std::string& text) {
    const int64_t count = Parsed(name, ParseWholeNumber, text);
    if (count < 1) throw CLI::ValidationError(name, "must be at least 1");
    *target = static_cast<uint64_t>(count);
  };
  return command.add_option_function<std::string>(name, take, what)->type_name("N");
}

CLI::Option* AddIds(CLI::App& command, std::vector<uint64_t>* target, const std::string& what) {
  const auto take = [target](const std::vector<std::string>& texts) {
    target->clear();
    for (const std::string& text : texts) target->push_back(ParseId(text));
  };
  return command.add_option_function<std::vector<std::string>>("ID", take, what)->type_name("");
}

CLI::Option* AddId(CLI::App& command, std::optional<uint64_t>* target, const std::string& what) {
  const auto take = [target](const std::string& text) { *target = ParseId(text); };
  return command.add_option_function<std::string>("ID", take, what)->type_name("");
}

std::vector<CLI::Option*> AddFilter(CLI::App& command, StreamFilter* target) {
  const auto take_age = [target](const std::string& text) {
    *target->mutable_min_age() = ToProto(Parsed("--min-age", ParseDuration, text));
  };
  const auto take_state = [target](const std::string& text) {
    const std::optional<Lane::State> state = FromWord<Lane::State>(text);
    if (!state) {
      throw CLI::ValidationError("--state", "must be receiving, sending, waiting or half_closed");
    }
    target->set_state(*state);
  };
  const auto add = [&command](const std::string& name, const char* type, const std::string& what,
                              const std::function<void(const std::string&)>& take) {
    return command.add_option_function<std::string>(name, take, what)->type_name(type);
  };
  return {
      add("--method", "PART", "Only methods that contain this",
          [target](const std::string& text) { target->set_method(text); }),
      add("--peer", "PART", "Only applications whose address contains this",
          [target](const std::string& text) { target->set_peer(text); }),
      add("--state", "STATE",
          "Only with a direction that is receiving, sending, waiting or half_closed", take_state),
      add("--min-age", "DURATION", "Only those open for so long", take_age),
      command.add_flag_callback(
          "--stuck", [target] { target->set_stuck(true); }, "Only those that are stuck"),
  };
}

void AddAdminAddress(CLI::App& command, std::string* target) {
  const auto take = [target](const std::string& text) {
    ParseAddress("--admin", text, /*unix_too=*/true);
    *target = text;
  };
  AddAddress(command, "--admin", "LANEKEEPER_ADMIN", "127.0.0.1:9465", "ADDRESS",
             "The daemon's admin.address, HOST:PORT or unix:///path", take);
}

void AddMetricsAddress(CLI::App& command, ListenAddress* target) {
  const auto take = [target](const std::string& text) {
    *target = ParseAddress("--metrics", text, /*unix_too=*/false);
  };
  AddAddress(command, "--metrics", "LANEKEEPER_METRICS", "127.0.0.1:9464", "HOST:PORT",
             "The daemon's metrics.address", take);
}

}  // namespace lanekeeper
