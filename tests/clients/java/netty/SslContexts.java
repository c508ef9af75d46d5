package io.netty.handler.ssl;

import javax.net.ssl.SSLContext;

/**
 * What Debian left out of netty 4.1.48: JdkAlpnApplicationProtocolNegotiator, by which
 * GrpcSslContexts has the JDK's own ALPN. The rest of it is there, but only for this package.
 */
public final class SslContexts {
  /** For clients that speak HTTP/2 only. */
  public static SslContext http2Client(SSLContext context) {
    JdkApplicationProtocolNegotiator http2 =
        new JdkBaseApplicationProtocolNegotiator(
            Java9SslEngine::new,
            JdkBaseApplicationProtocolNegotiator.FAIL_SELECTOR_FACTORY,
            JdkBaseApplicationProtocolNegotiator.FAIL_SELECTION_LISTENER_FACTORY,
            "h2");
    return new JdkSslContext(
        context, true, null, IdentityCipherSuiteFilter.INSTANCE, http2, ClientAuth.NONE, null, false);
  }

  private SslContexts() {}
}
