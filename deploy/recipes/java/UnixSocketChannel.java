import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.FileRegion;
import io.netty.channel.nio.AbstractNioByteChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;

/**
 * Netty's client channel over a unix socket of Java 16 and later: without native libraries. It
 * always connects to its own path, whatever name it is told.
 */
final class UnixSocketChannel extends AbstractNioByteChannel {
  private final UnixDomainSocketAddress path;
  private final ChannelConfig config = new DefaultChannelConfig(this) {
    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
      // grpc-java sets TCP's keepalive on every channel; there is nothing of the kind here.
      return option == ChannelOption.SO_KEEPALIVE || super.setOption(option, value);
    }
  };

  UnixSocketChannel(String path) {
    super(null, open());
    this.path = UnixDomainSocketAddress.of(path);
  }

  private static SocketChannel open() {
    try {
      return SocketChannel.open(StandardProtocolFamily.UNIX);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private SocketChannel socket() {
    return (SocketChannel) javaChannel();
  }

  @Override
  protected boolean doConnect(SocketAddress name, SocketAddress local) throws Exception {
    return socket().connect(path);
  }

  @Override
  protected void doFinishConnect() throws Exception {
    socket().finishConnect();
  }

  @Override
  protected int doReadBytes(ByteBuf into) throws Exception {
    return into.writeBytes(socket(), into.writableBytes());
  }

  @Override
  protected int doWriteBytes(ByteBuf from) throws Exception {
    return from.readBytes(socket(), from.readableBytes());
  }

  @Override
  protected long doWriteFileRegion(FileRegion region) throws Exception {
    return region.transferTo(socket(), region.transferred());
  }

  @Override
  protected ChannelFuture shutdownInput() {
    return close();
  }

  @Override
  protected boolean isInputShutdown0() {
    return !isActive();
  }

  @Override
  protected void doBind(SocketAddress address) {
    throw new UnsupportedOperationException("a client's channel");
  }

  @Override
  protected void doDisconnect() throws Exception {
    doClose();
  }

  @Override
  protected void doClose() throws Exception {
    socket().close();
  }

  @Override
  protected SocketAddress localAddress0() {
    return UnixDomainSocketAddress.of("");
  }

  @Override
  protected SocketAddress remoteAddress0() {
    return path;
  }

  @Override
  public ChannelConfig config() {
    return config;
  }

  @Override
  public ChannelMetadata metadata() {
    return new ChannelMetadata(false, 16);
  }

  @Override
  public boolean isActive() {
    return socket().isOpen() && socket().isConnected();
  }
}
