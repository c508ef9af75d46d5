// Runs a fuzz target without libFuzzer, as a test that is fast: over every input of the kept
// corpus, its beginnings, and mutations of it with a fixed seed. The input that is being run lies
// in a file, which stays when the process dies of it.
//
//   fuzz_TARGET [--mutations N] PATH...    a PATH is an input or a folder of inputs
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/fd.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace lanekeeper::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr size_t kInputBytesMax = 16 * 1024;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// In the order of their names, so that each run is the same.
std::vector<std::string> ReadInputs(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const fs::path& file : files) inputs.push_back(ReadFile(file));
  return inputs;
}

// Changes inputs a little, with pieces of others among them.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& inputs) : inputs_(inputs) {}

  std::string Next() {
    std::string input = Any();
    for (size_t changes = 1 + Below(4); changes > 0; --changes) Change(input);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  // Not std::uniform_int_distribution, which differs between libraries.
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  const std::string& Any() { return inputs_[Below(inputs_.size())]; }

  void Change(std::string& input) {
    const size_t at = Below(input.size() + 1);
    const size_t length = std::min(Below(16), input.size() - at);
    switch (Below(6)) {
      case 0:
        input.erase(at, length);
        break;
      case 1:
        input.insert(at, std::string(1 + Below(8), static_cast<char>(Below(256))));
        break;
      case 2:
        input.insert(Below(input.size() + 1), input.substr(at, length));
        break;
      case 3: {
        const std::string& other = Any();
        input.insert(at, other.substr(Below(other.size() + 1), 1 + Below(64)));
        break;
      }
      case 4:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << Below(8)));
        break;
      default:
        if (at < input.size()) input[at] = static_cast<char>(Below(256));
    }
  }

  const std::vector<std::string>& inputs_;
  std::mt19937 random_{20240614};
};

class Runner {
 public:
  explicit Runner(std::string path)
      : path_(std::move(path)),
        file_(open(path_.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644)) {
    if (!file_) throw std::runtime_error("cannot write " + path_);
    std::printf("the input that is being run lies in %s\n", path_.c_str());
    std::fflush(stdout);
  }
  ~Runner() { unlink(path_.c_str()); }

  void Run(std::string_view input) {
    if (ftruncate(file_.get(), 0) != 0 ||
        pwrite(file_.get(), input.data(), input.size(), 0) != static_cast<ssize_t>(input.size())) {
      throw std::runtime_error("cannot write " + path_);
    }
    // On the heap and of exactly its size, so that a sanitizer sees a read beyond it.
    const std::vector<uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++count_;
  }
  size_t count() const { return count_; }

 private:
  const std::string path_;
  const Fd file_;
  size_t count_ = 0;
};

int Main(int argc, char** argv) {
  size_t mutations = 0;
  std::vector<fs::path> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--mutations" && i + 1 < argc)
      mutations = std::strtoul(argv[++i], nullptr, 10);
    else
      paths.emplace_back(argv[i]);
  }
  const std::vector<std::string> inputs = ReadInputs(paths);
  if (inputs.empty()) {
    std::fprintf(stderr, "no input is there\n");
    return 1;
  }
  Runner runner(fs::path(argv[0]).filename().string() + ".input");
  runner.Run({});
  for (const std::string& input : inputs) {
    runner.Run(input);
    runner.Run(std::string_view(input).substr(0, input.size() / 2));
  }
  Mutator mutator(inputs);
  for (size_t i = 0; i < mutations; ++i) runner.Run(mutator.Next());
  std::printf("%zu inputs, %zu runs\n", inputs.size(), runner.count());
  return 0;
}

}  // namespace
}  // namespace lanekeeper::fuzz

int main(int argc, char** argv) {
  try {
    return lanekeeper::fuzz::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
