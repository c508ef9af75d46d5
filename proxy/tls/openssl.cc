#include "proxy/tls/openssl.h"

#include <openssl/err.h>

namespace lanekeeper {

std::string TakeOpenSslError() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(error);
  return reason == nullptr ? "unknown error" : reason;
}

}  // namespace lanekeeper
