#include "config/load.h"

#include <fmt/core.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "config/field_reader.h"
#include "config/findings.h"
#include "config/read_config.h"
#include "config/second_document.h"
#include "config/validate.h"
#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

// Hundreds of times what a full configuration takes; keeps /dev/zero out of memory.
constexpr size_t kLargestFile = 1024 * 1024;

// The file's text, or nothing and the reason in *why.
std::optional<std::string> ReadFile(const std::string& path, std::string* why) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    *why = "is a directory, expected a file";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kLargestFile + 1, '\0');  // one more, so that too large a file shows
  if (file.is_open()) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const int error = errno != 0 ? errno : EIO;
    *why = fmt::format("cannot be read: {}", std::generic_category().message(error));
    return std::nullopt;
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

Config ReadText(const std::string& text, const Environment& environment, Findings& findings) {
  Config config;
  if (text.size() > kLargestFile) {
    findings.AddProblem(
        {}, fmt::format("is larger than {} bytes, too large for a configuration", kLargestFile));
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

std::string ConfigProblem::ToString() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
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
  if (result.problems.empty()) result.config = std::move(config);
  return result;
}

ConfigResult LoadConfigFile(const std::string& path, const Environment& environment) {
  std::string why;
  const std::optional<std::string> text = ReadFile(path, &why);
  if (text) return LoadConfigText(*text, path, environment);
  ConfigResult result;
  result.problems.push_back({path, 0, 0, why});
  return result;
}

}  // namespace lanekeeper
