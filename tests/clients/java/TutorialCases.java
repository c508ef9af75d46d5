import helloworld.GreeterGrpc;
import helloworld.Helloworld.HelloRequest;
import io.grpc.Channel;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import routeguide.RouteGuideGrpc;
import routeguide.Routeguide.Feature;
import routeguide.Routeguide.Point;
import routeguide.Routeguide.Rectangle;
import routeguide.Routeguide.RouteNote;
import routeguide.Routeguide.RouteSummary;

/** The tutorials' programs, with generated stubs. */
final class TutorialCases {
  static void helloWorld(Client client) {
    hello(client, "world");
  }

  private static void hello(Client client, String name) {
    String got = bounded(GreeterGrpc.newBlockingStub(client.channel))
        .sayHello(HelloRequest.newBuilder().setName(name).build())
        .getMessage();
    Check.that(got.equals("Hello " + name), "got " + got);
  }

  static void routeGuide(Client client) throws Exception {
    getFeature(client.channel);
    listFeatures(client.channel);
    recordRoute(client.channel);
    routeChat(client.channel, 10);
  }

  private static void getFeature(Channel channel) {
    var stub = bounded(RouteGuideGrpc.newBlockingStub(channel));
    Feature there = stub.getFeature(Shared.feature(7).getLocation());
    Check.that(there.getName().equals("Feature 7"), "GetFeature: got " + there);
    Point place = Shared.point(1, 2);
    Feature nowhere = stub.getFeature(place);
    Check.that(nowhere.getName().isEmpty() && nowhere.getLocation().equals(place),
        "GetFeature nowhere: got " + nowhere);
  }

  private static void listFeatures(Channel channel) {
    Iterator<Feature> got = bounded(RouteGuideGrpc.newBlockingStub(channel))
        .listFeatures(Rectangle.newBuilder()
            .setLo(Shared.feature(3).getLocation())
            .setHi(Shared.feature(17).getLocation())
            .build());
    for (int i = 3; i <= 17; i++) {
      Feature feature = got.next();
      Check.that(feature.equals(Shared.feature(i)), "ListFeatures: got " + feature + " as " + i);
    }
    Check.that(!got.hasNext(), "ListFeatures: a feature too many");
  }

  private static void recordRoute(Channel channel) throws Exception {
    List<Point> route = List.of(Shared.feature(0).getLocation(), Shared.point(5, -5),
        Shared.feature(24).getLocation(), Shared.feature(12).getLocation());
    long distance = 0;
    for (int i = 1; i < route.size(); i++) distance += Shared.distance(route.get(i - 1), route.get(i));
    CompletableFuture<RouteSummary> answer = new CompletableFuture<>();
    StreamObserver<Point> points =
        bounded(RouteGuideGrpc.newStub(channel)).recordRoute(new StreamObserver<>() {
          @Override
          public void onNext(RouteSummary summary) {
            answer.complete(summary);
          }

          @Override
          public void onError(Throwable error) {
            answer.completeExceptionally(error);
          }

          @Override
          public void onCompleted() {}
        });
    route.forEach(points::onNext);
    points.onCompleted();
    RouteSummary got = answer.get();
    Check.that(
        got.getPointCount() == 4 && got.getFeatureCount() == 3 && got.getDistance() == distance,
        "RecordRoute: got " + got + ", want 4 points, 3 features, distance " + distance);
  }

  /** Writes notes at two places in turn and reads after each write what must come back. */
  private static void routeChat(Channel channel, int notes) throws InterruptedException {
    Rpc<RouteNote, RouteNote> chat = Rpc.start(channel, RouteGuideGrpc.getRouteChatMethod());
    for (int i = 0; i < notes; i++) {
      chat.send(RouteNote.newBuilder()
          .setLocation(Shared.feature(i % 2).getLocation())
          .setMessage("note " + i)
          .build());
      for (int earlier = i % 2; earlier <= i; earlier += 2) {
        RouteNote got = chat.next();
        Check.that(got != null && got.getMessage().equals("note " + earlier),
            "RouteChat, after note " + i + ": got " + got);
      }
    }
    chat.halfClose().succeed();
  }

  /** Two services at the same time over the one channel. */
  static void multiplex(Client client) throws Exception {
    CompletableFuture<Void> greeted = CompletableFuture.runAsync(() -> {
      for (int i = 0; i < 40; i++) hello(client, "number " + i);
    });
    routeChat(client.channel, 20);
    greeted.get();
  }

  private static <S extends AbstractStub<S>> S bounded(S stub) {
    return stub.withDeadlineAfter(Rpc.TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }

  private TutorialCases() {}
}
