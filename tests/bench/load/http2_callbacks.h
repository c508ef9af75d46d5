// Between nghttp2 and Http2Connection.
#pragma once

#include <nghttp2/nghttp2.h>

namespace bench {

// What nghttp2 calls, made once for all connections. They forward to the Http2Connection that is
// the session's user data.
const nghttp2_session_callbacks* SharedCallbacks();
nghttp2_data_provider SendFromStream();

}  // namespace bench
