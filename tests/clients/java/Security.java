import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.SslContexts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Plaintext, or TLS to who is certified by the authority in $TLS_CA; by $TLS_CERTIFICATE and its
 * $TLS_KEY, if there are any, we say who we are.
 */
final class Security {
  private static final char[] NO_PASSWORD = {};

  static NettyChannelBuilder applyTo(NettyChannelBuilder channel) {
    String authority = System.getenv("TLS_CA");
    if (authority == null) return channel.usePlaintext();
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys(System.getenv("TLS_CERTIFICATE")), trust(authority).getTrustManagers(), null);
      return channel.sslContext(SslContexts.http2Client(context));
    } catch (GeneralSecurityException | IOException error) {
      throw new IllegalStateException("TLS: " + error, error);
    }
  }

  private static TrustManagerFactory trust(String authority)
      throws GeneralSecurityException, IOException {
    KeyStore trusted = newStore();
    for (Certificate certificate : certificates(authority)) {
      trusted.setCertificateEntry("ca" + trusted.size(), certificate);
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    return trust;
  }

  private static KeyManager[] keys(String certificate)
      throws GeneralSecurityException, IOException {
    if (certificate == null) return null;
    KeyStore own = newStore();
    PrivateKey key = key(System.getenv("TLS_KEY"));
    own.setKeyEntry("own", key, NO_PASSWORD, certificates(certificate));
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(own, NO_PASSWORD);
    return keys.getKeyManagers();
  }

  private static KeyStore newStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    return store;
  }

  private static Certificate[] certificates(String file)
      throws GeneralSecurityException, IOException {
    try (InputStream text = Files.newInputStream(Path.of(file))) {
      return CertificateFactory.getInstance("X.509")
          .generateCertificates(text)
          .toArray(new Certificate[0]);
    }
  }

  /** An elliptic key in PKCS#8, as openssl writes it. */
  private static PrivateKey key(String file) throws GeneralSecurityException, IOException {
    String text = Files.readString(Path.of(file)).replaceAll("-----.*-----", "");
    byte[] bytes = Base64.getMimeDecoder().decode(text);
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(bytes));
  }

  private Security() {}
}
