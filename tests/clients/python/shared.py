"""What the Python server and the Python client must agree on."""

import os
import sys

# The *_pb2.py modules are generated at build time beside this file; see ../run.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import echo_pb2
import helloworld_pb2
import routeguide_pb2

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

# service -> method -> (kind, request type, response type); Debian has no grpc_tools to generate it.
SERVICES = {
    "helloworld.Greeter": {
        "SayHello": ("unary_unary", helloworld_pb2.HelloRequest, helloworld_pb2.HelloReply),
    },
    "routeguide.RouteGuide": {
        "GetFeature": ("unary_unary", routeguide_pb2.Point, routeguide_pb2.Feature),
        "ListFeatures": ("unary_stream", routeguide_pb2.Rectangle, routeguide_pb2.Feature),
        "RecordRoute": ("stream_unary", routeguide_pb2.Point, routeguide_pb2.RouteSummary),
        "RouteChat": ("stream_stream", routeguide_pb2.RouteNote, routeguide_pb2.RouteNote),
    },
    "lanekeeper.tests.Echo": {
        "Unary": ("unary_unary", echo_pb2.Request, echo_pb2.Response),
        "ServerStream": ("unary_stream", echo_pb2.Request, echo_pb2.Response),
        "ClientStream": ("stream_unary", echo_pb2.Request, echo_pb2.Response),
        "Bidi": ("stream_stream", echo_pb2.Request, echo_pb2.Response),
        "Journal": ("unary_unary", echo_pb2.JournalRequest, echo_pb2.JournalEntry),
    },
}


def _feature(i):
    location = routeguide_pb2.Point(
        latitude=400000000 + i * 1000000, longitude=-750000000 + i * 500000)
    return routeguide_pb2.Feature(name=f"Feature {i}", location=location)


# The map; see routeguide.proto.
FEATURES = [_feature(i) for i in range(25)]

_UNIT = bytes((i * 31 + 7) % 251 for i in range(251))


def pattern(size):
    """`size` bytes that are not all alike, the same in every language."""
    return (_UNIT * (size // len(_UNIT) + 1))[:size]


def distance(a, b):
    """The length of one leg of a route."""
    return abs(a.latitude - b.latitude) + abs(a.longitude - b.longitude)


def to_metadata(entries):
    """Script entries as gRPC metadata: bytes for -bin keys, text for all others."""
    return [(e.key, e.value if e.key.endswith("-bin") else e.value.decode()) for e in entries]


def to_entries(metadata):
    return [echo_pb2.Entry(key=key, value=value if isinstance(value, bytes) else value.encode())
            for key, value in metadata]
