"""What the dashboard shows: its rows, and what their panels ask of Prometheus."""

from panels import SECONDS, heatmap, lines, number, query, table

OF = 'job=~"$job", instance=~"$instance"'
RPC = f'{OF}, grpc_type="unknown"'  # lanekeeper's, not those of gRPC servers
METHOD = "{{grpc_service}}/{{grpc_method}}"
WAIT = "{{direction}}: {{op}} waits for {{waiting_for}}"
ERRORS = ("Unknown|DeadlineExceeded|ResourceExhausted|Unimplemented|Internal|Unavailable|"
          "DataLoss")


def rate(name, selector=OF, by=""):
    total = f"rate({name}{{{selector}}}[$__rate_interval])"
    return f"sum by ({by}) ({total})" if by else f"sum({total})"


def total(name, by="", selector=OF):
    return f"sum by ({by}) ({name}{{{selector}}})" if by else f"sum({name}{{{selector}}})"


def quantile(q, name, by="", selector=OF):
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(name + '_bucket', selector, labels)})"


def quantiles(name, legend="", by="", selector=OF):
    """The median and the slowest of a hundred."""
    return [query(quantile(q, name, by, selector), f"{label} {legend}".strip())
            for q, label in ((0.5, "p50"), (0.99, "p99"))]


def errors():
    """0, rather than nothing, where there has been no error yet."""
    failed = rate("grpc_server_handled_total", f'{RPC}, grpc_code=~"{ERRORS}"')
    return f"({failed} or vector(0)) / {rate('grpc_server_handled_total', RPC)}"


def waits(direction, waiting_for):
    return heatmap(
        *WAITS[direction, waiting_for],
        "sum by (le) (increase(lanekeeper_stream_op_wait_seconds_bucket{"
        f'{OF}, direction="{direction}", waiting_for="{waiting_for}"}}[$__rate_interval]))')


WAITS = {
    ("to_upstream", "sender"): (
        "Requests: waits for the application to send",
        "How long lanekeeper waited for the next request. Long is normal for quiet streams."),
    ("to_upstream", "receiver"): (
        "Requests: waits for the upstream to read",
        "How long a request waited until the upstream took it (flow control)."),
    ("to_upstream", "stream_slot"): (
        "Requests: waits for a stream of the upstream",
        "How long RPCs waited for the upstream's MAX_CONCURRENT_STREAMS, or a connection."),
    ("to_downstream", "sender"): (
        "Responses: waits for the upstream to send",
        "How long lanekeeper waited for the next response: the upstream's time to think."),
    ("to_downstream", "receiver"): (
        "Responses: waits for the application to read",
        "How long a response waited until the application took it (flow control)."),
}

WELL = [
    number("Sidecars up", "Those that answer Prometheus.", total("up"), red_below=1),
    number("Open streams", "RPCs that are open now.", total("lanekeeper_streams_open")),
    number("Stuck streams", "Somebody has waited for somebody else for longer than stuck.after.",
           total("lanekeeper_streams_stuck"), red_from=1),
    number("Errors", "Share of the RPCs whose status blames the service.", errors(),
           unit="percentunit", red_from=0.05),
    number("Upstream not connected", "Sidecars whose upstream connection is not ready.",
           'count(max by (job, instance) (lanekeeper_upstream_state{'
           f'{OF}, state="ready"}}) == 0) or vector(0)', red_from=1),
    number("Contract violations", "A bug of lanekeeper when it is not 0.",
           total("lanekeeper_stream_contract_violations_total"), red_from=1),
    lines("Stuck streams, by who is waited for",
          "slow_receiver to_downstream: the application does not read. slow_receiver to_upstream: "
          "the upstream does not read. upstream_window: the upstream's connection window is spent. "
          "silent_sender, half_closed: the upstream is silent, which may be a long poll.",
          query(total("lanekeeper_streams_stuck", "direction, kind"), "{{direction}}: {{kind}}"),
          width=8),
    lines("RPCs ended, by cause", "upstream_status is the normal end, whatever the status.",
          query(rate("lanekeeper_streams_terminated_total", by="cause"), "{{cause}}"),
          unit="reqps", width=8),
    lines("Sidecars by state of the upstream", "All should be ready.",
          query(total("lanekeeper_upstream_state", "state"), "{{state}}"), stacked=True, width=8),
]

WAITING = [
    lines("Wait until a receive or send completed, p99", "By who waits for whom.",
          query(quantile(0.99, "lanekeeper_stream_op_wait_seconds",
                         "direction, op, waiting_for"), WAIT), unit=SECONDS),
    lines("Wait until a receive or send completed, median", "By who waits for whom.",
          query(quantile(0.5, "lanekeeper_stream_op_wait_seconds",
                         "direction, op, waiting_for"), WAIT), unit=SECONDS),
    waits("to_downstream", "sender"),
    waits("to_downstream", "receiver"),
    waits("to_upstream", "stream_slot"),
    waits("to_upstream", "sender"),
    waits("to_upstream", "receiver"),
    lines("Receives and sends in flight",
          "An idle stream shows a receive in each direction. A send that stays is a receiver that "
          "does not take.",
          query(total("lanekeeper_stream_ops_in_flight", "direction, op"), "{{direction}}: {{op}}"),
          width=8),
    lines("Streams open, half-closed and not started", "Half-closed: the requests are complete.",
          query(total("lanekeeper_streams_open"), "open"),
          query(total("lanekeeper_streams_half_closed"), "half-closed"),
          query(total("lanekeeper_streams_awaiting_upstream"), "waiting for the upstream"),
          width=8),
    lines("Streams that became stuck", "Each second, by direction and kind.",
          query(rate("lanekeeper_stream_stalls_total", by="direction, kind"),
                "{{direction}}: {{kind}}"), unit="ops", width=8),
    lines("Wait until an RPC started upstream", "For a connection, and a stream of the upstream.",
          *quantiles("lanekeeper_upstream_start_wait_seconds"), unit=SECONDS, width=8),
]

RPCS = [
    lines("RPCs started, by method", "The first metrics.max_methods methods; the rest is `other`.",
          query(rate("grpc_server_started_total", RPC, "grpc_service, grpc_method"), METHOD),
          unit="reqps", width=8),
    lines("RPCs ended, by code", "As the application got it.",
          query(rate("grpc_server_handled_total", RPC, "grpc_code"), "{{grpc_code}}"),
          unit="reqps", width=8),
    lines("RPCs that failed, by method and code", "All codes but OK; empty while there are none.",
          query(rate("grpc_server_handled_total", f'{RPC}, grpc_code!="OK"',
                     "grpc_service, grpc_method, grpc_code"), METHOD + " {{grpc_code}}"),
          unit="reqps", width=8),
    lines("Time from start to end, p99, by method", "A stream counts when it ends.",
          query(quantile(0.99, "grpc_server_handling_seconds", "grpc_service, grpc_method", RPC),
                METHOD), unit=SECONDS, width=8),
    lines("Time from start to end, median, by method", "A stream counts when it ends.",
          query(quantile(0.5, "grpc_server_handling_seconds", "grpc_service, grpc_method", RPC),
                METHOD), unit=SECONDS, width=8),
    lines("RPCs refused and started again",
          "Refused by a limit or a shutdown, by reason; started again because the upstream had "
          "not seen them.",
          query(rate("lanekeeper_rpcs_rejected_total", by="reason"), "refused: {{reason}}"),
          query(rate("lanekeeper_upstream_retries_total"), "started again"),
          unit="reqps", width=8),
]

TRAFFIC = [
    lines("Messages, by direction", "to_upstream: requests. to_downstream: responses.",
          query(rate("lanekeeper_stream_messages_total", by="direction"), "{{direction}}"),
          unit="ops", width=8),
    lines("Bytes of messages, by direction", "Without framing.",
          query(rate("lanekeeper_stream_message_bytes_total", by="direction"), "{{direction}}"),
          unit="Bps", width=8),
    lines("Mean size of a message, by direction", "",
          query(rate("lanekeeper_stream_message_bytes_total", by="direction") + " / "
                + rate("lanekeeper_stream_messages_total", by="direction"), "{{direction}}"),
          unit="bytes", width=8),
]

FAN_IN = [
    lines("Connections", "What the sidecar is for: many downstream, one upstream each.",
          query(total("lanekeeper_downstream_connections"), "downstream"),
          query(total("lanekeeper_upstream_connections"), "upstream"), width=8),
    lines("Downstream connections for each upstream one", "",
          query(total("lanekeeper_downstream_connections", "job") + " / "
                + total("lanekeeper_upstream_connections", "job"), "{{job}}"), width=8),
    lines("Open streams for each upstream connection",
          "Near the upstream's MAX_CONCURRENT_STREAMS, RPCs begin to wait.",
          query(total("lanekeeper_streams_open", "job, instance") + " / "
                + total("lanekeeper_upstream_connections", "job, instance"), "{{instance}}"),
          width=8),
]

PROCESS = [
    lines("CPU", "Cores.", query(rate("process_cpu_seconds_total", by="instance"), "{{instance}}"),
          width=8),
    lines("Resident memory", "",
          query(total("process_resident_memory_bytes", "instance"), "{{instance}}"),
          unit="bytes", width=8),
    lines("How late the workers' loops run", "Too little CPU shows here first.",
          *quantiles("lanekeeper_worker_loop_lag_seconds"), unit=SECONDS, width=8),
    lines("File descriptors in use", "Share of the limit.",
          query(f"process_open_fds{{{OF}}} / process_max_fds{{{OF}}}", "{{instance}}"),
          unit="percentunit", width=8),
    lines("Threads", "Of the process, and those that run RPCs.",
          query(total("process_threads"), "all"),
          query(total("lanekeeper_rpc_threads", "kind, state"), "{{kind}}, {{state}}"), width=8),
    lines("Log lines dropped, connections not accepted", "Each second; both should be 0.",
          query(rate("lanekeeper_log_lines_dropped_total", by="reason"), "log lines: {{reason}}"),
          query(rate("lanekeeper_accept_failures_total"), "connections not accepted"),
          unit="ops", width=8),
    table("What is running", "Version, revision and gRPC's version of each sidecar.",
          f"lanekeeper_build_info{{{OF}}}"),
]

ROWS = [
    ("Is it well?", WELL),
    ("Who waits for whom", WAITING),
    ("RPCs", RPCS),
    ("Messages", TRAFFIC),
    ("Fan-in", FAN_IN),
    ("Process", PROCESS),
]
