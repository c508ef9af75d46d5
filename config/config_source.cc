#include "config/config_source.h"

#include <optional>
#include <utility>

namespace lanekeeper {

ConfigSource::ConfigSource(std::string path, Environment environment, Flags flags)
    : path_(std::move(path)), environment_(std::move(environment)), flags_(std::move(flags)) {}

ConfigResult ConfigSource::Load() {
  variables_.clear();
  return WithFlags(LoadConfigFile(path_, [this](const std::string& name) {
    variables_.insert(name);
    return environment_(name);
  }));
}

ConfigResult ConfigSource::LoadText(const std::string& text, const std::string& name) const {
  return WithFlags(
      LoadConfigText(text, name, [this](const std::string& variable) -> std::optional<std::string> {
        if (!variables_.contains(variable)) return std::nullopt;
        return environment_(variable);
      }));
}

ConfigResult ConfigSource::WithFlags(ConfigResult result) const {
  if (result.config && flags_) flags_(*result.config);
  return result;
}

}  // namespace lanekeeper
