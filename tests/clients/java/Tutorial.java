import helloworld.GreeterGrpc;
import helloworld.Helloworld.HelloReply;
import helloworld.Helloworld.HelloRequest;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import routeguide.RouteGuideGrpc;
import routeguide.Routeguide.Feature;
import routeguide.Routeguide.Point;
import routeguide.Routeguide.Rectangle;
import routeguide.Routeguide.RouteNote;
import routeguide.Routeguide.RouteSummary;

/** The tutorials' two services, as generated stubs have them. */
final class Tutorial {
  static final class Greeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      reply(replies, HelloReply.newBuilder().setMessage("Hello " + request.getName()).build());
    }
  }

  static final class RouteGuide extends RouteGuideGrpc.RouteGuideImplBase {
    @Override
    public void getFeature(Point at, StreamObserver<Feature> replies) {
      reply(replies, Feature.newBuilder().setName(nameAt(at)).setLocation(at).build());
    }

    @Override
    public void listFeatures(Rectangle in, StreamObserver<Feature> replies) {
      for (int i = 0; i < Shared.FEATURES; i++) {
        Feature feature = Shared.feature(i);
        Point at = feature.getLocation();
        if (at.getLatitude() >= in.getLo().getLatitude()
            && at.getLatitude() <= in.getHi().getLatitude()
            && at.getLongitude() >= in.getLo().getLongitude()
            && at.getLongitude() <= in.getHi().getLongitude()) {
          replies.onNext(feature);
        }
      }
      replies.onCompleted();
    }

    @Override
    public StreamObserver<Point> recordRoute(StreamObserver<RouteSummary> replies) {
      RouteSummary.Builder summary = RouteSummary.newBuilder();
      return new Requests<>(replies) {
        private Point last;

        @Override
        public void onNext(Point point) {
          summary.setPointCount(summary.getPointCount() + 1);
          if (!nameAt(point).isEmpty()) summary.setFeatureCount(summary.getFeatureCount() + 1);
          if (last != null) {
            summary.setDistance(summary.getDistance() + Shared.distance(last, point));
          }
          last = point;
        }

        @Override
        public void onCompleted() {
          reply(replies, summary.build());
        }
      };
    }

    @Override
    public StreamObserver<RouteNote> routeChat(StreamObserver<RouteNote> replies) {
      List<RouteNote> notes = new ArrayList<>();
      return new Requests<>(replies) {
        @Override
        public void onNext(RouteNote note) {
          notes.add(note);
          notes.stream()
              .filter(earlier -> earlier.getLocation().equals(note.getLocation()))
              .forEach(replies::onNext);
        }
      };
    }

    private static String nameAt(Point at) {
      return IntStream.range(0, Shared.FEATURES)
          .mapToObj(Shared::feature)
          .filter(feature -> feature.getLocation().equals(at))
          .map(Feature::getName)
          .findAny()
          .orElse("");
    }
  }

  private static <R> void reply(StreamObserver<R> replies, R reply) {
    replies.onNext(reply);
    replies.onCompleted();
  }

  /** Requests whose end ends the RPC. */
  private abstract static class Requests<Q> implements StreamObserver<Q> {
    private final StreamObserver<?> replies;

    Requests(StreamObserver<?> replies) {
      this.replies = replies;
    }

    @Override
    public void onError(Throwable gone) {}

    @Override
    public void onCompleted() {
      replies.onCompleted();
    }
  }

  private Tutorial() {}
}
