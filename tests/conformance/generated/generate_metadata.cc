#include "tests/conformance/generated/generate_metadata.h"

namespace lanekeeper::testing {
namespace {

std::string AnyKey(Dice& dice) {
  static const std::string kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  std::string key = "x";
  const size_t length = dice.Between(1, dice.Chance(5) ? 100 : 20);
  for (size_t i = 0; i < length; ++i) key += kLetters[dice.Below(kLetters.size())];
  // By chance it may end so: then it would be binary.
  return key.ends_with("-bin") ? key + "x" : key;
}

size_t ValueBytes(Dice& dice) {
  switch (dice.Weighted({15, 60, 20, 5})) {
    case 0:
      return 0;
    case 1:
      return dice.Between(1, 30);
    case 2:
      return dice.Between(31, 300);
    default:
      return dice.Between(301, 2000);
  }
}

// Keys that gRPC or those around it know.
const std::vector<std::pair<std::string, std::string>>& KnownPairs(MetadataPlace place) {
  static const std::vector<std::pair<std::string, std::string>> anywhere = {
      {"authorization", "Bearer abc.def.ghi"},
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"cookie", "a=b; c=d"},
      {"date", "Sun, 22 Nov 2026 05:51:47 GMT"},
      {"accept", "*/*"},
      {"x-forwarded-for", "10.0.0.1, 10.0.0.2"},
      {"grpc-custom", "an application's own"},
      {"lb-token", "token"},
      {"x-b3-sampled", "1"}};
  static const std::vector<std::pair<std::string, std::string>> request = {
      {"grpc-previous-rpc-attempts", "2"}, {"accept-language", "de"}, {"if-match", "\"etag\""}};
  static const std::vector<std::pair<std::string, std::string>> response = {
      {"grpc-retry-pushback-ms", "1500"}, {"server", "tests"}, {"set-cookie", "a=b"}};
  // Half of the picks from each list.
  static const auto join = [](auto a, const auto& b) {
    for (int i = 0; i < 3; ++i) a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  static const auto of_request = join(anywhere, request);
  static const auto of_response = join(anywhere, response);
  return place == MetadataPlace::kRequestHeaders ? of_request : of_response;
}

// Core keeps one value of these.
bool IsSingular(const std::string& key) { return key.starts_with("grpc-") || key == "lb-token"; }

bool Has(const MetadataPairs& metadata, const std::string& key) {
  for (const auto& pair : metadata) {
    if (pair.first == key) return true;
  }
  return false;
}

}  // namespace

MetadataPairs GenerateMetadata(Dice& dice, MetadataPlace place) {
  MetadataPairs metadata;
  const size_t count = dice.Chance(35) ? 0 : dice.Between(1, dice.Chance(10) ? 30 : 6);
  size_t bytes = 0;
  for (size_t i = 0; i < count && bytes < 4000; ++i) {
    std::pair<std::string, std::string> pair;
    switch (dice.Weighted({40, 30, 15, 15})) {
      case 0:
        pair = {AnyKey(dice), dice.Printable(ValueBytes(dice))};
        break;
      case 1:
        pair = {AnyKey(dice) + "-bin", dice.Bytes(ValueBytes(dice))};
        break;
      case 2:
        pair = dice.Pick(KnownPairs(place));
        break;
      default: {  // one that is there already, again
        if (metadata.empty()) continue;
        pair.first = dice.Pick(metadata).first;
        const size_t length = ValueBytes(dice);
        pair.second = pair.first.ends_with("-bin") ? dice.Bytes(length) : dice.Printable(length);
      }
    }
    if (IsSingular(pair.first) && Has(metadata, pair.first)) continue;
    bytes += pair.first.size() + pair.second.size() + 32;
    metadata.push_back(std::move(pair));
  }
  if (place == MetadataPlace::kTrailers && dice.Chance(20)) {
    metadata.emplace_back("grpc-status-details-bin", dice.Bytes(dice.Between(0, 1000)));
  }
  return metadata;
}

int GenerateStatusCode(Dice& dice) {
  switch (dice.Weighted({55, 35, 10})) {
    case 0:
      return 0;
    case 1:
      return static_cast<int>(dice.Between(1, 16));
    default:
      return static_cast<int>(dice.Between(17, dice.Chance(50) ? 30 : 100000));
  }
}

std::string GenerateStatusMessage(Dice& dice) {
  static const std::vector<std::string> special = {
      "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n",
      "100% of %20 and %zz and a last %",
      " space at either end ",
      "\"quoted\", with commas; and: colons",
      "\xc3\x28 is not UTF-8 \xff",
      std::string("zero \0 byte", 11)};
  switch (dice.Weighted({40, 30, 20, 10})) {
    case 0:
      return "";
    case 1:
      return dice.Printable(dice.Between(1, 60));
    case 2:
      return dice.Pick(special);
    default:
      return dice.Chance(50) ? dice.Bytes(dice.Between(1, 100)) : dice.Printable(2000);
  }
}

}  // namespace lanekeeper::testing
