#include "proxy/tls/names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/base/text.h"

namespace lanekeeper {
namespace {

// How much of a name that a peer has chosen is shown.
constexpr size_t kShownBytes = 200;

OpenSsl<GENERAL_NAMES> AlternativeNames(X509& certificate) {
  return OpenSsl<GENERAL_NAMES>(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

// With its length: a NUL inside is a byte like any other and matches nothing.
std::string_view BytesOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

// As in the certificate: 4 or 16 bytes; empty if it is no literal.
std::string IpBytes(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

std::string IpText(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes.size() == 4 || bytes.size() == 16) {
    inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  }
  return text.data();
}

bool MatchesDns(std::string_view presented, std::string_view wanted) {
  const std::string have = Lower(presented);
  const std::string want = Lower(wanted);
  if (!want.starts_with("*.")) return have == want;
  const size_t dot = have.find('.');
  return dot != std::string::npos && dot > 0 && have.substr(dot) == want.substr(1);
}

bool Matches(const GENERAL_NAME& presented, const std::string& wanted) {
  switch (presented.type) {
    case GEN_DNS:
      return MatchesDns(BytesOf(presented.d.dNSName), wanted);
    case GEN_URI:
      return BytesOf(presented.d.uniformResourceIdentifier) == wanted;
    case GEN_IPADD: {
      const std::string ip = IpBytes(wanted);
      return !ip.empty() && BytesOf(presented.d.iPAddress) == ip;
    }
    default:
      return false;
  }
}

std::string TextOf(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return std::string(BytesOf(name.d.dNSName));
    case GEN_URI:
      return std::string(BytesOf(name.d.uniformResourceIdentifier));
    case GEN_IPADD:
      return IpText(BytesOf(name.d.iPAddress));
    default:
      return {};
  }
}

}  // namespace

bool HasOneOf(X509& certificate, const std::vector<std::string>& names) {
  const OpenSsl<GENERAL_NAMES> presented = AlternativeNames(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(presented.get()); ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(presented.get(), i);
    const auto matches = [&](const std::string& wanted) { return Matches(name, wanted); };
    if (std::any_of(names.begin(), names.end(), matches)) return true;
  }
  return false;
}

std::string NamesOf(X509& certificate, size_t max) {
  const OpenSsl<GENERAL_NAMES> presented = AlternativeNames(certificate);
  std::vector<std::string> shown;
  size_t more = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(presented.get()); ++i) {
    const std::string text = TextOf(*sk_GENERAL_NAME_value(presented.get(), i));
    if (text.empty()) continue;
    if (shown.size() < max)
      shown.push_back(Masked(std::string_view(text).substr(0, kShownBytes)));
    else
      ++more;
  }
  if (shown.empty()) return "no name";
  const std::string names = fmt::format("{}", fmt::join(shown, ", "));
  return more == 0 ? names : fmt::format("{} and {} more", names, more);
}

bool IsIpLiteral(const std::string& text) { return !IpBytes(text).empty(); }

}  // namespace lanekeeper
