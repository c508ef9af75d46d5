#include "proxy/tls/buffer_bio.h"

#include <algorithm>
#include <cstring>

namespace lanekeeper {
namespace {

BioEnds& EndsOf(BIO* bio) { return *static_cast<BioEnds*>(BIO_get_data(bio)); }

int Read(BIO* bio, char* into, int size) {
  BioEnds& ends = EndsOf(bio);
  BIO_clear_retry_flags(bio);
  const size_t taken = std::min(static_cast<size_t>(std::max(size, 0)), ends.in_size);
  if (taken == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(into, ends.in, taken);
  ends.in += taken;
  ends.in_size -= taken;
  return static_cast<int>(taken);
}

int Write(BIO* bio, const char* from, int size) {
  BioEnds& ends = EndsOf(bio);
  BIO_clear_retry_flags(bio);
  const size_t taken = std::min(static_cast<size_t>(std::max(size, 0)), ends.out_room);
  if (taken == 0) {
    BIO_set_retry_write(bio);
    return -1;
  }
  std::memcpy(ends.out, from, taken);
  ends.out += taken;
  ends.out_room -= taken;
  return static_cast<int>(taken);
}

// OpenSSL asks for nothing else that it needs an answer to.
long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace

OpenSsl<BIO_METHOD> NewBufferBioMethod() {
  OpenSsl<BIO_METHOD> method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "lent buffers"));
  BIO_meth_set_read(method.get(), &Read);
  BIO_meth_set_write(method.get(), &Write);
  BIO_meth_set_ctrl(method.get(), &Control);
  return method;
}

OpenSsl<BIO> NewBufferBio(const BIO_METHOD& method, BioEnds& ends) {
  OpenSsl<BIO> bio(BIO_new(&method));
  BIO_set_data(bio.get(), &ends);
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace lanekeeper
