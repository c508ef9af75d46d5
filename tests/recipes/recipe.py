"""Runs an example application of deploy/recipes directly and through lanekeeper, over TCP and over
a unix socket, and compares the connections that its upstream has with the figures on its page."""

import concurrent.futures
import contextlib
import fcntl
import hashlib
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile

import pages
from harness.case import DaemonTest, main  # noqa: F401 (main is for the tests)
from harness.processes import PYTHON, Process
from harness.scrape import http_get
from harness.waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
# As tests/clients has it: Go's packages are built only once.
CACHE = pathlib.Path(os.environ.get("LANEKEEPER_TEST_CACHE", "/tmp/lanekeeper-clients-cache"))
BUILD_BOUND = 280
NPM_MODULES = HERE.parent / "support/npm_modules"
ANSWER = r"worker (\S+): order 42"
# Nothing listens there. What obeys these for a local target fails: each recipe says what to do.
DEAD_PROXY = "http://127.0.0.1:1"
PROXIES = [f"{name}={DEAD_PROXY}" for name in
           ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY")]


class OrdersService(Process):
    def __init__(self, folder):
        self.socket = f"{folder}/upstream-{random.getrandbits(64):x}.sock"
        super().__init__("upstream", [PYTHON, HERE / "upstream.py", self.socket])
        self.port = int(self.await_line(r"^listening (\d+)$").group(1))
        self.address = f"127.0.0.1:{self.port}"

    def connections(self):
        """Those open now, over either: the server's ends, as the kernel lists them."""
        address = f"127.0.0.1:{self.port}"
        mapped = f"[::ffff:127.0.0.1]:{self.port}"
        return count_sockets("--tcp", address, mapped) + count_sockets("--unix", self.socket)

    def await_peers(self, count):
        """Those over TCP that carried an RPC, ever, are so many."""
        self.await_count("^peer ", count)


class Application(Process):
    """A parent and its workers. They all have its stdout: none may be left when it is killed."""

    def kill(self):
        for pid in descendants(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().kill()

    def stop(self):
        """By SIGTERM, and its workers with it."""
        children = descendants(self.pid)
        self.child.terminate()
        self.await_exit()
        wait_until(lambda: not any(map(alive, children)), f"{children} outlive their parent")


def descendants(pid):
    found = []
    with contextlib.suppress(OSError):  # it has ended
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def alive(pid):
    try:
        return not re.search(r"^State:\s+Z", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return False


def count_sockets(family, *names):
    """Established connections whose own end, not the peer's, has one of these names."""
    shown = subprocess.check_output(
        ["ss", "--no-header", "--numeric", family, "state", "established"], text=True)
    column = {"--tcp": 2, "--unix": 3}[family]  # unix sockets have their kind in front
    return sum(line.split()[column] in names for line in shown.splitlines())


class RecipeTest(DaemonTest):
    page = None  # whose figures are checked: python for deploy/recipes/python.md

    def check_figures(self, application, start, ask):
        """start(workers, *environment) starts the application, ask(process, workers) makes all of
        its workers call the upstream, and returns one name for each."""
        figures = pages.figures(self.page, application)
        for way in pages.WAYS:
            with self.subTest(way):
                upstream = self.keep(OrdersService(self.folder))
                daemon, target = self.reach(upstream, way)
                process = self.keep(start(
                    figures.workers, f"ORDERS_GRPC_TARGET={target}", *PROXIES))
                self.assertEqual(len(set(ask(process, figures.workers))), figures.workers)
                counted = upstream.connections()
                print(f"{application}, {way}: {figures.workers} workers, {counted} connections")
                self.assertEqual(counted, figures.connections[way], "the page says otherwise")
                if way.endswith("TCP"):
                    upstream.await_peers(counted)  # none came and went, and none was idle
                if daemon:
                    # All that the upstream had without lanekeeper, lanekeeper has now.
                    daemon.await_metric("lanekeeper_downstream_connections",
                                        figures.connections["direct, TCP"])
                process.stop()
                for other in filter(None, [daemon, upstream]):
                    other.kill()

    def reach(self, upstream, way):
        """The lanekeeper on that way, if one is, and what the application dials."""
        if way == "direct, TCP":
            return None, upstream.address
        if way == "direct, unix socket":
            return None, f"unix://{upstream.socket}"
        unix = way.endswith("unix socket")
        daemon = self.start(upstream.address,
                            listen=[f"unix://{self.folder}/proxy.sock" if unix else "127.0.0.1:0"])
        return daemon, f"unix://{self.folder}/proxy.sock" if unix else daemon.target

    def run_example(self, words, environment):
        folder = f"--chdir={pages.FOLDER / self.page}"
        return Application(self.page, words, ["env", folder, *environment])


def ask_by_http(process, workers):
    """Requests, several at once, until so many workers have answered one."""
    port = process.await_line(r"http://127\.0\.0\.1:(\d+)").group(1)
    names = set()

    def ask(_):
        status, text = http_get(f"127.0.0.1:{port}", "/")
        assert status == 200, f"status {status}: {text}"
        return re.search(ANSWER, text).group(1)

    with concurrent.futures.ThreadPoolExecutor(2 * workers) as pool:
        def all_answered():
            names.update(pool.map(ask, range(2 * workers)))
            return len(names) >= workers

        wait_until(all_answered, lambda: f"{workers} workers; only these answer: {names}", 60)
    return names


def await_answers(process, workers):
    """So many workers that each print an answer."""
    found = []
    process.await_line(ANSWER, lambda match: found.append(match.group(1)) or
                       len(set(found)) >= workers, 60)
    return found


def build(page, name, words, more=(), environment=None):
    """Runs this compiler in the example's folder, with the path of what it makes between words and
    more, and returns that path. What was made of the same sources is used again."""
    example = pages.FOLDER / page
    digest = hashlib.sha256(repr((words, more)).encode())
    for source in sorted(example.iterdir()):
        digest.update(source.read_bytes())
    CACHE.mkdir(parents=True, exist_ok=True)
    made = CACHE / f"recipe-{page}-{digest.hexdigest()[:16]}" / name
    with open(CACHE / f"recipe-{page}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other presets' tests may run beside
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                output = pathlib.Path(scratch, name)
                done = subprocess.run(
                    [*words, output, *more], cwd=example, timeout=BUILD_BOUND, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})})
                assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}"
                made.parent.mkdir(exist_ok=True)
                output.rename(made)
    return made
