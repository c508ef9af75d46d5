import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.netty.channel.nio.NioEventLoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Several JVMs on one machine, in each two libraries that call the orders service, with a channel
 * each. Usage: Workers JVMS
 */
public final class Workers {
  private static final int LIBRARIES = 2;

  private static final NioEventLoopGroup LOOPS = new NioEventLoopGroup(1); // for unix sockets

  // In yours: OrdersGrpc.newBlockingStub(channel).
  private static final MethodDescriptor<StringValue, StringValue> GET =
      MethodDescriptor.<StringValue, StringValue>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName("shop.Orders/Get")
          .setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .build();

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      work();
    } else {
      startWorkers(Integer.parseInt(arguments[0]));
    }
  }

  private static void startWorkers(int count) throws Exception {
    List<Process> workers = new ArrayList<>();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> workers.forEach(Process::destroy)));
    for (int i = 0; i < count; i++) {
      String classes = System.getProperty("java.class.path");
      workers.add(new ProcessBuilder("java", "-cp", classes, "Workers").inheritIO().start());
    }
    for (Process worker : workers) worker.waitFor();
  }

  private static void work() throws Exception {
    String order = "";
    for (int i = 0; i < LIBRARIES; i++) {
      ManagedChannel channel = connect(System.getenv("ORDERS_GRPC_TARGET"));
      order = ClientCalls.blockingUnaryCall(channel, GET,
          CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), StringValue.of("order 42"))
          .getValue();
    }
    System.out.println("worker " + ProcessHandle.current().pid() + ": " + order);
    Thread.currentThread().join(); // for ever
  }

  private static ManagedChannel connect(String target) {
    NettyChannelBuilder builder = target.startsWith("unix://")
        ? overUnixSocket(target.substring("unix://".length()))
        : NettyChannelBuilder.forTarget(target);
    return builder.usePlaintext().build();
  }

  private static NettyChannelBuilder overUnixSocket(String path) {
    return NettyChannelBuilder.forTarget("localhost")
        .channelFactory(() -> new UnixSocketChannel(path))
        .eventLoopGroup(LOOPS);
  }
}
