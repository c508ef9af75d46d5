// What OpenSSL reads records from and writes them into: memory that its user lends it. So one
// recv(2) brings many records and one send(2) takes many away, whatever OpenSSL does in between.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proxy/tls/openssl.h"

namespace lanekeeper {

// The user points these at memory before it calls into OpenSSL; calls move them on. Where there is
// nothing to read, or no room to write, OpenSSL is told to come again.
struct BioEnds {
  const uint8_t* in = nullptr;
  size_t in_size = 0;
  uint8_t* out = nullptr;
  size_t out_room = 0;
};

// Any thread. Outlives its BIOs.
OpenSsl<BIO_METHOD> NewBufferBioMethod();
// The ends outlive it.
OpenSsl<BIO> NewBufferBio(const BIO_METHOD& method, BioEnds& ends);

}  // namespace lanekeeper
