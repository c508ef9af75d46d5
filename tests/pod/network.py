"""Network namespaces: the pod's, with a loopback of its own, and the upstream's. Pairs of virtual
interfaces connect them and the node, which is where the test runs."""

import os
import subprocess
import sys

NODE, POD, UPSTREAM = "10.0.0.1", "10.0.0.2", "10.0.0.3"
UPSTREAM_NAMES = [f"orders{more}.shop.svc.cluster.local" for more in ("", "-next")]
SKIPPED = 77
ISOLATED = "LANEKEEPER_POD_TEST_IS_ISOLATED"
NAMESPACES = ["unshare", "--net", "--mount", "--propagation", "private"]


def ip(words):
    done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"ip {words}: {done.stderr}"


def inside(namespace):
    """What runs a command in that namespace."""
    return ["nsenter", f"--net=/run/netns/{namespace}"]


def isolate():
    """Runs this program again in namespaces of its own, so that nothing of it is ever left on the
    machine; where that is not permitted, says so and ends it as skipped."""
    if os.environ.get(ISOLATED):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True, timeout=60)
        return
    needed = ("mount -t tmpfs tmpfs /run && ip netns add x && "
              "ip link add x0 type veth peer x1 netns x")
    tried = subprocess.run([*NAMESPACES, "sh", "-c", needed], capture_output=True, text=True,
                           timeout=60)
    if tried.returncode != 0:
        print(f"skipped: no namespaces to build a pod of: {tried.stderr.strip()}")
        sys.exit(SKIPPED)
    os.environ[ISOLATED] = "1"
    # The sidecar's image has no such file, and a sanitizer without it ends at once. It is about the
    # tests' own clients and servers, which no sidecar has.
    words = os.environ.get("TSAN_OPTIONS", "").split()
    os.environ["TSAN_OPTIONS"] = " ".join(word for word in words
                                          if not word.startswith("suppressions="))
    os.execvp(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv])


def connect(left, left_address, right, right_address):
    """One pair of interfaces. Addresses lead to a peer and nowhere else."""
    near, far = f"to-{right}", f"to-{left}"
    ip(f"-n {left} link add {near} type veth peer name {far} netns {right}")
    for namespace, device, own, other in ((left, near, left_address, right_address),
                                          (right, far, right_address, left_address)):
        ip(f"-n {namespace} link set {device} up")
        ip(f"-n {namespace} address replace {own}/32 dev lo")
        ip(f"-n {namespace} route add {other} dev {device} src {own}")


class Network:
    def __init__(self):
        for namespace in ("pod", "upstream"):
            ip(f"netns add {namespace}")
        ip("netns attach node " + str(os.getpid()))
        for namespace in ("node", "pod", "upstream"):
            ip(f"-n {namespace} link set lo up")
        connect("pod", POD, "upstream", UPSTREAM)
        connect("node", NODE, "pod", POD)
        connect("node", NODE, "upstream", UPSTREAM)

    def close(self):
        for namespace in ("pod", "upstream", "node"):
            ip(f"netns delete {namespace}")
        for device in ("to-pod", "to-upstream"):
            subprocess.run(["ip", "link", "delete", device], capture_output=True, timeout=60)

    @staticmethod
    def connections_to(port):
        """How many the upstream's kernel has that came from the pod."""
        done = subprocess.run(
            [*inside("upstream"), "ss", "-Htn", "state", "established", "sport", "=", f":{port}",
             "and", "dst", POD], capture_output=True, text=True, timeout=60, check=True)
        return len(done.stdout.splitlines())
