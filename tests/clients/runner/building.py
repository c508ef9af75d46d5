"""Builds the programs of all languages, once."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

from harness.processes import PYTHON
from harness.waiting import Failure

CLIENTS = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ["protos", "go", "python", "node", "ruby", "java", "connect", "runner"]
GO_PROGRAMS = ["server", "client", "probe"]
# Debian's jars, and the package of each; none brings the others.
JARS = {
    "grpc-api grpc-context grpc-core grpc-netty grpc-protobuf grpc-protobuf-lite grpc-stub":
        "libgrpc-java",
    "netty-buffer netty-codec netty-codec-http netty-codec-http2 netty-common netty-handler "
    "netty-resolver netty-transport netty-transport-native-unix-common": "libnetty-java",
    "protobuf": "libprotobuf-java",
    "perfmark-api": "libperfmark-java",
    "guava": "libguava-java",
    "geronimo-annotation-1.3-spec": "libgeronimo-annotation-1.3-spec-java",
}
CLASSPATH = ":".join(f"/usr/share/java/{jar}.jar" for jars in JARS for jar in jars.split())


def build():
    """Builds what is not built yet and returns the folder it is in."""
    check_tools()
    cache = pathlib.Path(os.environ.get("LANEKEEPER_TEST_CACHE", "/tmp/lanekeeper-clients-cache"))
    cache.mkdir(parents=True, exist_ok=True)
    built = cache / sources_hash()
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ctest may run several of us at once
        if not built.exists():
            scratch = cache / "partial"
            shutil.rmtree(scratch, ignore_errors=True)
            for part in SOURCES:
                shutil.copytree(CLIENTS / part, scratch / part,
                                ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            build_go(scratch, cache)
            build_python(scratch)
            build_node(scratch)
            build_ruby(scratch)
            build_java(scratch)
            build_connect(scratch)
            scratch.rename(built)
    return built


def check_tools():
    packages = {"go": "golang-go", "protoc": "protobuf-compiler",
                "protoc-gen-go": "protoc-gen-go-1-3", "grpc_ruby_plugin": "protobuf-compiler-grpc",
                "node": "nodejs", "npm": "npm", "/usr/bin/ruby": "ruby-grpc",
                "javac": "default-jdk-headless",
                "grpc_java_plugin": "protobuf-compiler-grpc-java-plugin"}
    missing = [package for tool, package in packages.items() if not shutil.which(tool)]
    missing += [package for jars, package in JARS.items()
                if not all(os.path.exists(f"/usr/share/java/{jar}.jar") for jar in jars.split())]
    if not os.path.isdir("/usr/share/gocode/src/google.golang.org/grpc"):
        missing.append("golang-google-grpc-dev")
    # By path, like the programs: another python or ruby on PATH may lack the modules.
    loads = {"python3-grpcio": [PYTHON, "-c", "import grpc"],
             "python3-protobuf": [PYTHON, "-c", "import google.protobuf"],
             "ruby-grpc": ["/usr/bin/ruby", "-e", "require 'grpc'"]}
    for package, words in loads.items():
        if package not in missing and subprocess.run(words, stderr=subprocess.DEVNULL).returncode:
            missing.append(package)
    if missing:
        raise Failure(f"missing; apt-get install {' '.join(missing)}")


def sources_hash():
    digest = hashlib.sha256()
    for tool in (["go", "version"], ["protoc", "--version"], ["node", "--version"],
                 ["/usr/bin/ruby", "--version"], ["javac", "--version"]):
        digest.update(subprocess.check_output(tool))
    for part in SOURCES:
        for path in sorted((CLIENTS / part).rglob("*")):
            if path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts):
                digest.update(f"{path.relative_to(CLIENTS)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def build_go(folder, cache):
    gopath = folder / "gopath"
    sources = gopath / "src/lanekeeper/tests/clients"
    sources.mkdir(parents=True)
    shutil.copytree(folder / "go", sources / "go")
    for proto in sorted((folder / "protos").glob("*.proto")):  # a Go package each, so one by one
        command(["protoc", f"-I{folder}/protos", f"--go_out=plugins=grpc:{gopath}/src", proto])
    environment = {**os.environ, "GOPATH": f"{gopath}:/usr/share/gocode", "GO111MODULE": "off",
                   "GOFLAGS": "", "GOCACHE": str(cache / "go-build")}
    for program in GO_PROGRAMS:
        command(["go", "build", "-o", folder / "go" / f"foreign-{program}",
                 f"lanekeeper/tests/clients/go/{program}"], env=environment)


def build_python(folder):
    protos = sorted((folder / "protos").glob("*.proto"))
    command(["protoc", f"-I{folder}/protos", f"--python_out={folder}/python", *protos])


def build_node(folder):
    npm_install(folder / "node")


def build_connect(folder):
    npm_install(folder / "connect")
    protos = sorted((folder / "protos").glob("*.proto"))
    command(["protoc", f"-I{folder}/protos", f"--descriptor_set_out={folder}/connect/protos.binpb",
             *protos])


def npm_install(folder):
    command(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=folder)


def build_ruby(folder):
    protos = sorted((folder / "protos").glob("*.proto"))
    plugin = shutil.which("grpc_ruby_plugin")
    command(["protoc", f"-I{folder}/protos", f"--ruby_out={folder}/ruby",
             f"--grpc_out={folder}/ruby", f"--plugin=protoc-gen-grpc={plugin}", *protos])


def build_java(folder):
    protos = sorted((folder / "protos").glob("*.proto"))
    plugin = shutil.which("grpc_java_plugin")
    generated = folder / "java/generated"
    generated.mkdir()
    command(["protoc", f"-I{folder}/protos", f"--java_out={generated}", f"--grpc_out={generated}",
             f"--plugin=protoc-gen-grpc={plugin}", *protos])
    command(["javac", "-nowarn", "-encoding", "UTF-8", "-cp", CLASSPATH,
             "-d", folder / "java/classes", *sorted((folder / "java").rglob("*.java"))])


def command(words, **options):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=280, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}")


def program(built, language, role):
    """The words that start a program; its role is the name of its source."""
    return {
        "go": [built / "go" / f"foreign-{role}"],
        "python": [PYTHON, built / "python" / f"{role}.py"],
        "node": ["node", built / "node" / f"{role}.js"],
        "connect": ["node", built / "connect" / f"{role}.js"],
        "ruby": ["/usr/bin/ruby", built / "ruby" / f"{role}.rb"],
        # The options make a short run short.
        "java": ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8",
                 "-cp", f"{built}/java/classes:{CLASSPATH}", role.capitalize()],
    }[language]
