// An HTTP/2 connection of the upstream side: a server is the input (connection_lab.h).
#include "tests/fuzz/connection_lab.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanekeeper::fuzz::ConnectionLab lab(lanekeeper::http2::Side::kUpstream);
  lab.Run({data, size});
  return 0;
}
