import io.grpc.netty.NettyServerBuilder;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The foreign server in Java, on Netty: Greeter, RouteGuide and Echo on one port. Prints "listening
 * PORT" once it can be dialled.
 */
final class Server {
  public static void main(String[] arguments) throws Exception {
    // A blocked RPC keeps its thread.
    ExecutorService threads = Executors.newCachedThreadPool();
    io.grpc.Server server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
        .executor(threads)
        .maxInboundMessageSize(Integer.MAX_VALUE)
        .addService(new Tutorial.Greeter())
        .addService(new Tutorial.RouteGuide())
        .addService(new EchoServer(threads).definition())
        .build()
        .start();
    System.out.println("listening " + server.getPort());
    server.awaitTermination();
  }

  private Server() {}
}
