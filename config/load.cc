#include "config/load.h"

#include <fmt/core.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>

#include "config/field_reader.h"
#include "config/findings.h"
#include "config/read_config.h"
#include "config/second_document.h"
#include "config/validate.h"
#include "proxy/base/file.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

Config ReadText(const std::string& text, const Environment& environment, Findings& findings) {
  Config config;
  if (text.size() > kConfigBytesMax) {
    findings.AddProblem({}, fmt::format("is larger than {} bytes", kConfigBytesMax));
    return config;
  }
  try {
    if (const std::optional<Position> more = FindSecondDocument(text)) {
      findings.AddProblem(*more, "expected one document and nothing after it, found more here");
      return config;
    }
    const YAML::Node root = YAML::Load(text);  // null where there is nothing but comments
    FieldReader::ReadDocument(root, environment, findings,
                              [&](FieldReader& reader) { config = ReadConfig(reader); });
    Validate(config, findings);
  } catch (const YAML::DeepRecursion& error) {
    findings.AddProblem({error.mark.line + 1, error.mark.column + 1},
                        "maps and lists are nested too deeply");
  } catch (const YAML::Exception& error) {
    // It ends here: to our callers a syntax error is a problem like any other.
    findings.AddProblem({error.mark.line + 1, error.mark.column + 1},
                        fmt::format("not valid YAML: {}", Printable(error.msg)));
  }
  return config;
}

}  // namespace

std::string ConfigProblem::Place() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

std::string ConfigProblem::ToString() const { return fmt::format("{}: {}", Place(), message); }

std::optional<std::string> VariableOf(std::string_view path) {
  if (path.find('[') != path.npos) return std::nullopt;
  std::string name = "LANEKEEPER_";
  for (const char c : path) {
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

ConfigResult LoadConfigText(const std::string& text, const std::string& file_name,
                            const Environment& environment) {
  Findings findings(file_name);
  Config config = ReadText(text, environment, findings);
  ConfigResult result;
  result.problems = findings.TakeProblems();
  result.origins = findings.TakeOrigins();
  if (result.problems.empty()) result.config = std::move(config);
  return result;
}

ConfigResult LoadConfigFile(const std::string& path, const Environment& environment) {
  std::string why;
  const std::optional<std::string> text = ReadFile(path, kConfigBytesMax, &why);
  if (text) return LoadConfigText(*text, path, environment);
  ConfigResult result;
  result.problems.push_back({path, 0, 0, why});
  return result;
}

}  // namespace lanekeeper
