"""What a run needs besides Debian's packages: binaries, built unless given, and a certificate."""

import dataclasses
import pathlib
import subprocess

from harness.certificates import Authority
from harness.waiting import Failure

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "release"


@dataclasses.dataclass(frozen=True)
class Tools:
    lanekeeper: str  # None if it is not among the proxies
    bench_load: str
    bench_upstream: str
    go_proxy: str = None  # only when it is among the proxies


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Files in PEM. `both` holds the key and the chain, as HAProxy wants them."""

    chain: str
    key: str
    both: str


def prepare(lanekeeper, folder, chosen):
    """The binaries that the `chosen` proxies need: lanekeeper from `lanekeeper`, the others from
    `folder`, if these are given, and else built from this tree."""
    built = {}
    if any(name.startswith("lanekeeper-") for name in chosen):
        built["lanekeeper"] = lanekeeper
    for name in ("bench-load", "bench-upstream"):
        built[name] = str(pathlib.Path(folder, name)) if folder else None
    missing = [name for name, path in built.items() if not path]
    if missing:
        _build(missing)
    for name in missing:
        built[name] = _find(name)
    go_proxy = None
    if "grpc-go" in chosen:
        go_proxy = str(pathlib.Path(folder, "go_proxy")) if folder else _build_go_proxy()
    tools = Tools(built.get("lanekeeper"), built["bench-load"], built["bench-upstream"], go_proxy)
    for path in filter(None, dataclasses.astuple(tools)):
        if not pathlib.Path(path).is_file():
            raise Failure(f"there is no {path}")
    return tools


def install_packages():
    subprocess.run([ROOT / "deploy" / "install-packages", "build", "bench"], check=True)


def make_certificate(folder):
    """Self-signed, for 127.0.0.1 and localhost, for as long as a run may take."""
    pair = Authority(folder, "localhost", "DNS:localhost,IP:127.0.0.1")
    both = pathlib.Path(folder, "both.pem")
    both.write_bytes(b"".join(pair.read()))
    return Certificate(str(pair.certificate), str(pair.key), str(both))


def _build(targets):
    subprocess.run(["cmake", "--preset", "release", "-DLANEKEEPER_TESTS=ON"], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", *targets],
                   cwd=ROOT, check=True)


def _find(name):
    found = [path for path in BUILD.rglob(name) if path.is_file()]
    if not found:
        raise Failure(f"the build made no {name} in {BUILD}")
    return str(found[0])


def _build_go_proxy():
    script = ROOT / "tests" / "bench" / "go_proxy" / "build"
    said = subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True).stdout
    return said.strip().splitlines()[-1]
