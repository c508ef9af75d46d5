import com.google.protobuf.ByteString;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCalls;
import java.util.concurrent.Executor;
import lanekeeper.tests.EchoGrpc;
import lanekeeper.tests.EchoOuterClass.Request;
import lanekeeper.tests.EchoOuterClass.Response;

/** The Echo service, below the generated stubs: those cannot send trailers with an OK. */
final class EchoServer {
  private interface Body {
    void serve(EchoCall call) throws EchoCall.Gone, InterruptedException;
  }

  private final Executor threads;
  private final Journal journal = new Journal();

  EchoServer(Executor threads) {
    this.threads = threads;
  }

  ServerServiceDefinition definition() {
    return ServerServiceDefinition.builder(EchoGrpc.getServiceDescriptor())
        .addMethod(EchoGrpc.getUnaryMethod(), handler(EchoServer::unary))
        .addMethod(EchoGrpc.getServerStreamMethod(), handler(EchoServer::serverStream))
        .addMethod(EchoGrpc.getClientStreamMethod(), handler(EchoServer::clientStream))
        .addMethod(EchoGrpc.getBidiMethod(), handler(EchoServer::bidi))
        .addMethod(EchoGrpc.getJournalMethod(), ServerCalls.asyncUnaryCall((request, replies) -> {
          replies.onNext(journal.find(request.getCallId()));
          replies.onCompleted();
        }))
        .build();
  }

  /** Every RPC has a thread, which may block: gRPC's own threads go on telling it the news. */
  private ServerCallHandler<Request, Response> handler(Body body) {
    return (serverCall, headers) -> {
      EchoCall call = new EchoCall(serverCall, headers, journal);
      threads.execute(() -> {
        try {
          body.serve(call);
        } catch (EchoCall.Gone gone) {
          // The client has left; there is no one to tell.
        } catch (Exception error) {
          error.printStackTrace();
          System.exit(1);
        }
      });
      return call;
    };
  }

  private static void unary(EchoCall call) throws EchoCall.Gone, InterruptedException {
    Request request = call.only();
    call.begin(request.getScript());
    if (!call.willFail()) call.send(response(request, 0));
    call.end();
  }

  private static void serverStream(EchoCall call) throws EchoCall.Gone, InterruptedException {
    Request request = call.only();
    call.begin(request.getScript());
    for (int i = 0; i < request.getScript().getResponseCount(); i++) call.send(response(request, i));
    call.end();
  }

  private static void clientStream(EchoCall call) throws EchoCall.Gone, InterruptedException {
    call.beginFromMetadata();
    Response.Builder total = Response.newBuilder();
    for (Request request; (request = call.next()) != null;) {
      if (!call.begun()) call.begin(request.getScript());
      total.setMessages(total.getMessages() + 1);
      total.setBytes(total.getBytes() + request.getPayload().size());
    }
    if (!call.willFail()) call.send(total.build());
    call.end();
  }

  private static void bidi(EchoCall call) throws EchoCall.Gone, InterruptedException {
    call.beginFromMetadata();
    Request last = Request.getDefaultInstance();
    int sent = 0;
    for (Request request; (request = call.next()) != null;) {
      if (!call.begun()) call.begin(request.getScript());
      call.send(response(request, sent++));
      last = request;
      if (call.script().getEndAfter() == sent) {
        call.end();
        return;
      }
    }
    for (int i = 0; i < call.script().getResponseCount(); i++) call.send(response(last, sent++));
    call.end();
  }

  private static Response response(Request request, int index) {
    int size = request.getResponseBytes();
    ByteString payload = size > 0 ? Shared.pattern(size) : request.getPayload();
    return Response.newBuilder().setPayload(payload).setIndex(index).build();
  }
}
