#include "config/expand.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

#include "config/quote.h"

namespace lanekeeper {
namespace {

bool IsNameStart(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

bool IsName(std::string_view text) {
  return !text.empty() && IsNameStart(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return IsNameStart(c) || (c >= '0' && c <= '9');
  });
}

// What stands between the braces: "NAME" or "NAME:-text".
std::optional<std::string> ExpandReference(std::string_view inside, const Environment& environment,
                                           std::string* why) {
  const size_t dash = inside.find(":-");
  const std::string name(inside.substr(0, dash));
  if (!IsName(name)) {
    *why = fmt::format("expected ${{NAME}} or ${{NAME:-default}}, found {}",
                       Quote(fmt::format("${{{}}}", inside)));
    return std::nullopt;
  }
  std::optional<std::string> value = environment(name);
  if (dash == std::string_view::npos) {
    if (!value) *why = fmt::format("the environment variable {} is not set", name);
    return value;
  }
  const std::string_view fallback = inside.substr(dash + 2);
  if (fallback.find('$') != std::string_view::npos) {
    *why = fmt::format("the default of ${{{}:-...}} cannot hold a '$'", name);
    return std::nullopt;
  }
  return value && !value->empty() ? *value : std::string(fallback);
}

}  // namespace

std::optional<std::string> ExpandVariables(std::string_view text, const Environment& environment,
                                           std::string* why) {
  std::string expanded;
  while (true) {
    const size_t dollar = text.find('$');
    expanded += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return expanded;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      expanded += '$';
      text.remove_prefix(1);
      continue;
    }
    if (!text.starts_with('{')) {
      *why = "a lone '$': write $$ for a dollar sign, or ${NAME} for a variable";
      return std::nullopt;
    }
    const size_t brace = text.find('}');
    if (brace == std::string_view::npos) {
      *why = fmt::format("'}}' is missing after {}", Quote(fmt::format("${}", text)));
      return std::nullopt;
    }
    const auto value = ExpandReference(text.substr(1, brace - 1), environment, why);
    if (!value) return std::nullopt;
    expanded += *value;
    text.remove_prefix(brace + 1);
  }
}

}  // namespace lanekeeper
