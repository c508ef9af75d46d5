"""The foreign server in Python: Greeter, RouteGuide and Echo on one port.

Prints "listening ADDRESS" (the port, or unix:PATH) once it can be dialled.
"""

import argparse
import signal
import threading
from concurrent import futures

import shared  # first: it makes the generated modules importable
import echo_pb2
import grpc
import helloworld_pb2
import routeguide_pb2

STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Greeter:
    def SayHello(self, request, context):
        return helloworld_pb2.HelloReply(message="Hello " + request.name)


class RouteGuide:
    def __init__(self):
        self._names = {_place(f.location): f.name for f in shared.FEATURES}

    def GetFeature(self, request, context):
        name = self._names.get(_place(request), "")
        return routeguide_pb2.Feature(name=name, location=request)

    def ListFeatures(self, request, context):
        lo, hi = request.lo, request.hi
        for feature in shared.FEATURES:
            at = feature.location
            if lo.latitude <= at.latitude <= hi.latitude and lo.longitude <= at.longitude <= hi.longitude:
                yield feature

    def RecordRoute(self, requests, context):
        summary = routeguide_pb2.RouteSummary()
        last = None
        for point in requests:
            summary.point_count += 1
            summary.feature_count += _place(point) in self._names
            if last is not None:
                summary.distance += shared.distance(last, point)
            last = point
        return summary

    def RouteChat(self, requests, context):
        notes = []
        for note in requests:
            notes.append(note)
            yield from [n for n in notes if _place(n.location) == _place(note.location)]


def _place(point):
    return point.latitude, point.longitude


class Record:
    """One call's page in the journal."""

    def __init__(self, context, earlier):
        """`earlier` is the page of the last call with the same id, or None."""
        metadata = context.invocation_metadata()
        attempt = [value for key, value in metadata if key == "grpc-previous-rpc-attempts"]
        self.entry = echo_pb2.JournalEntry(
            server="python", known=True, deadline_ms=-1, metadata=shared.to_entries(metadata),
            previous_attempts=[*(earlier.entry.previous_attempts if earlier else []),
                               ",".join(attempt)])
        self.over = threading.Event()  # set when the RPC ended, for whatever reason
        self._lock = threading.Lock()
        left = context.time_remaining()
        # grpcio shows a missing deadline as one that is centuries away.
        if left is not None and left < 365 * 86400:
            self.entry.deadline_ms = int(left * 1000)
        if not context.add_callback(self._on_over):
            self._on_over()

    def _on_over(self):
        with self._lock:
            if not self.entry.ended:
                self.entry.ended = self.entry.cancelled = True
        self.over.set()

    def end(self):
        """To be called just before the handler ends the call by itself."""
        with self._lock:
            self.entry.ended = True


class Echo:
    def __init__(self):
        self._journal = {}

    def Journal(self, request, context):
        record = self._journal.get(request.call_id)
        return record.entry if record else echo_pb2.JournalEntry(server="python")

    def Unary(self, request, context):
        record = self._open(context)
        record.entry.messages += 1
        if not _begin(request.script, context, record):
            return None
        _end(request.script, context, record)
        return _response(request, 0)

    def ServerStream(self, request, context):
        record = self._open(context)
        record.entry.messages += 1
        if not _begin(request.script, context, record):
            return
        for i in range(request.script.response_count):
            yield _response(request, i)
        _end(request.script, context, record)

    def ClientStream(self, requests, context):
        record = self._open(context)
        script = _script_from_metadata(context)
        begun = script is not None
        if begun and not _begin(script, context, record):
            return None
        total = echo_pb2.Response()
        for request in requests:
            record.entry.messages += 1
            if not begun:
                begun, script = True, request.script
                if not _begin(script, context, record):
                    return None
            total.messages += 1
            total.bytes += len(request.payload)
        record.entry.half_closed = True
        _end(script, context, record)
        return total

    def Bidi(self, requests, context):
        record = self._open(context)
        script = _script_from_metadata(context)
        begun = script is not None
        if begun and not _begin(script, context, record):
            return
        last, sent = echo_pb2.Request(), 0
        for request in requests:
            record.entry.messages += 1
            if not begun:
                begun, script = True, request.script
                if not _begin(script, context, record):
                    return
            yield _response(request, sent)
            last = request
            sent += 1
            if script.end_after == sent:
                _end(script, context, record)
                return
        record.entry.half_closed = True
        for _ in range(script.response_count if script else 0):
            yield _response(last, sent)
            sent += 1
        _end(script, context, record)

    def _open(self, context):
        call_id = dict(context.invocation_metadata()).get("call-id")
        record = Record(context, self._journal.get(call_id))
        if call_id is not None:
            self._journal[call_id] = record
        return record


def _script_from_metadata(context):
    for key, value in context.invocation_metadata():
        if key == "script-bin":
            return echo_pb2.Script.FromString(value)
    return None


def _begin(script, context, record):
    """All of the script that comes before the first response. False: the call is over."""
    context.set_trailing_metadata(shared.to_metadata(script.trailing_metadata))
    if script.headers_at_once or script.initial_metadata:
        context.send_initial_metadata(shared.to_metadata(script.initial_metadata))
    if script.block_until_cancelled:
        record.over.wait()
        return False
    return not record.over.wait(script.delay_ms / 1000)


def _end(script, context, record):
    """The script's status. abort() raises, and sends no message."""
    record.end()
    if script is None or script.status_code == 0:
        return
    if 0 < script.fail_attempts < len(record.entry.previous_attempts):
        return
    trailers = shared.to_metadata(script.trailing_metadata)
    if script.status_details:
        trailers.append(("grpc-status-details-bin", script.status_details))
    context.set_trailing_metadata(trailers)
    context.abort(STATUS_CODES[script.status_code], script.status_message)


def _response(request, index):
    payload = shared.pattern(request.response_bytes) if request.response_bytes else request.payload
    return echo_pb2.Response(payload=payload, index=index)


def _handlers(service, servicer):
    """A generic handler for one of shared.SERVICES."""
    methods = {}
    for name, (kind, request, response) in shared.SERVICES[service].items():
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        methods[name] = make(getattr(servicer, name), request_deserializer=request.FromString,
                             response_serializer=response.SerializeToString)
    return grpc.method_handlers_generic_handler(service, methods)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-listen", default="127.0.0.1:0", help="HOST:PORT or unix:PATH")
    address = arguments.parse_args().listen

    # A blocked RPC keeps its thread, so there must be more threads than RPCs of all clients.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=400), options=shared.UNLIMITED)
    server.add_generic_rpc_handlers((
        _handlers("helloworld.Greeter", Greeter()),
        _handlers("routeguide.RouteGuide", RouteGuide()),
        _handlers("lanekeeper.tests.Echo", Echo()),
    ))
    port = server.add_insecure_port(address)
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    signal.signal(signal.SIGINT, lambda *_: server.stop(0))
    print("listening", address if address.startswith("unix:") else port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
