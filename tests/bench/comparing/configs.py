"""The configuration files of the proxies, tuned as an operator would who expects many long streams:
no access log, no limit on streams or on requests per connection, no timeout within a run, windows
that hold a large message. `threads` is 1, or 2 in the curve over cores."""

import json
import resource

# Bytes of HTTP/2 flow control, for nghttpx; grpc-go and gRPC core grow theirs as they need. HAProxy
# stays with its 64 KiB: with 1 MiB and its 16 KiB buffers, 2.6.12 stalls for good when large
# messages go both ways, and its manual advises against larger buffers.
WINDOW = 1 << 20


def open_files():
    """What this process and its children may have; the command has raised it as far as it may."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def lanekeeper(listen, upstream, threads, kind, certificate=None):
    rpc_threads = {"kind": kind}
    if threads and kind == "user":  # kernel threads: one per RPC, whatever the cores
        rpc_threads["workers"] = threads
    listener = {"address": listen.address}
    if listen.tls:
        listener["tls"] = {"certificate": certificate.chain, "key": certificate.key}
    return json.dumps({  # JSON is YAML; a program that only looks for these two finds them first
        "listen": [listener],
        "upstream": {"address": upstream.address},
        "rpc_threads": rpc_threads,
        "limits": {"open_rpcs": 200000, "upstream_waiting": 200000},
        "stuck": {"after": 0},
        "metrics": {"address": "off"},
        "admin": {"address": "off"},
        "log": {"access": "off"},
    })


def nginx(listen, upstream, threads, folder, user, certificate=None):
    place = f"unix:{listen.path}" if listen.path else f"127.0.0.1:{listen.port}"
    tls = " ssl" if listen.tls else ""
    keys = (f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};"
            if listen.tls else "")
    temporary = "\n  ".join(f"{name}_temp_path {folder}/nginx-{name};" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off;
{user}
worker_processes {threads or 1};
error_log stderr crit;
pid {folder}/nginx-{listen.port}.pid;
events {{ worker_connections {open_files()}; }}
http {{
  access_log off;
  {temporary}
  client_max_body_size 0;
  client_body_buffer_size 2m;
  client_body_timeout 1h;
  send_timeout 1h;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  http2_max_concurrent_streams 100000;
  grpc_buffer_size 64k;
  grpc_read_timeout 1h;
  grpc_send_timeout 1h;
  upstream bench {{
    server 127.0.0.1:{upstream.port};
    keepalive 2000;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  server {{
    listen {place} http2{tls};
    {keys}
    location / {{ grpc_pass grpc://bench; }}
  }}
}}
"""


def haproxy(listen, upstream, threads, certificate=None):
    place = f"unix@{listen.path}" if listen.path else f"127.0.0.1:{listen.port}"
    http2 = f"ssl crt {certificate.both} alpn h2" if listen.tls else "proto h2"
    most = open_files() // 2 - 100  # it refuses to start when two files each would not do
    return f"""global
  nbthread {threads or 1}
  maxconn {most}
  tune.h2.max-concurrent-streams 100000
defaults
  mode http
  http-reuse always
  maxconn {most}
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend bench
  bind {place} {http2}
  default_backend upstream
backend upstream
  server upstream 127.0.0.1:{upstream.port} proto h2
"""


def nghttpx_words(listen, upstream, threads, certificate=None):
    place = f"unix:{listen.path}" if listen.path else f"127.0.0.1,{listen.port}"
    keys = [certificate.key, certificate.chain] if listen.tls else []
    return ["nghttpx", "--conf=/dev/null",
            f"--frontend={place}{'' if listen.tls else ';no-tls'}",
            f"--backend=127.0.0.1,{upstream.port};;proto=h2",
            f"--workers={threads or 1}", "--errorlog-file=/dev/stderr",
            "--accesslog-file=/dev/null", "--no-ocsp",
            "--frontend-http2-max-concurrent-streams=100000",
            "--backend-http2-max-concurrent-streams=100000",
            f"--frontend-http2-window-size={WINDOW}",
            f"--frontend-http2-connection-window-size={WINDOW}",
            f"--backend-http2-window-size={WINDOW}",
            f"--backend-http2-connection-window-size={WINDOW}",
            "--stream-read-timeout=1h", "--stream-write-timeout=1h",
            "--frontend-http2-read-timeout=1h", "--backend-read-timeout=1h", *keys]
