"""One pod, started, probed and ended in the kubelet's order, from a manifest of deploy/kubernetes.

It takes from the manifest: which sort of container lanekeeper is, the volumes and where they are
mounted, the user and the group of files, environment, probes, hooks, and the grace period. What the
application runs is the test's.
"""

import pathlib
import signal
import threading
import time

import yaml

import network
from harness.lanekeeper import LANEKEEPER, Daemon
from harness.processes import Process
from harness.scrape import http_get
from volumes import Projected

HERE = pathlib.Path(__file__).resolve().parent
MANIFESTS = HERE.parents[1] / "deploy/kubernetes"
APPLICATION_USER = 1000  # what its image says


def read(name):
    """The documents of a manifest, by kind."""
    documents = yaml.safe_load_all((MANIFESTS / name).read_text())
    return {document["kind"]: document for document in documents}


class Sidecar(Daemon):
    """The daemon in its container: its file and addresses are those of the ConfigMap."""

    def __init__(self, launcher):
        Process.__init__(self, "lanekeeper", ["lanekeeper"], launcher)
        self.metrics_address = f"{network.POD}:9464"


class Prober(threading.Thread):
    """Asks for a path every so often, and keeps each status; 0 where nobody answered."""

    def __init__(self, path, period):
        super().__init__(daemon=True)
        self.path, self._period = path, period
        self.statuses = []
        self._over = threading.Event()

    def run(self):
        while not self._over.is_set():
            self.statuses.append(ask(self.path))
            self._over.wait(self._period)

    def stop(self):
        """Returns when no further answer can come."""
        self._over.set()
        self.join()
        return self.statuses


def ask(path):
    try:
        return http_get(f"{network.POD}:9464", path)[0]
    except OSError:
        return 0


class Pod:
    def __init__(self, folder, manifest, files, keep, app_words):
        """`files`: what is in the ConfigMap or Secret of a name. `keep`: of DaemonTest."""
        self.folder, self.keep, self._app_words = pathlib.Path(folder), keep, app_words
        self.spec = manifest["spec"]["template"]["spec"]
        self.grace = self.spec["terminationGracePeriodSeconds"]
        self.group = self.spec["securityContext"].get("fsGroup", 0)
        self.hosts = self.folder / "hosts"
        self.hosts.write_text(
            f"127.0.0.1 localhost\n{network.UPSTREAM} {' '.join(network.UPSTREAM_NAMES)}\n")
        self.volumes = {volume["name"]: self._lay_out(volume, files)
                        for volume in self.spec["volumes"]}
        native = self.spec.get("initContainers", [])
        self.is_native = bool(native)
        containers = {each["name"]: each for each in native + self.spec["containers"]}
        # The application's own container is the last one.
        self.ours, self.theirs = containers["lanekeeper"], self.spec["containers"][-1]
        self.probers = []

    def _lay_out(self, volume, files):
        path = self.folder / volume["name"]
        if "configMap" in volume:
            return Projected(path, files[volume["configMap"]["name"]])
        if "secret" in volume:
            secret = volume["secret"]
            return Projected(path, files[secret["secretName"]], secret["defaultMode"], self.group)
        assert "emptyDir" in volume, volume
        path.mkdir()
        path.chmod(0o777)
        return path

    def _launcher(self, container, user, *more):
        mounts = list(more)
        for mount in container.get("volumeMounts", []):
            volume = self.volumes[mount["name"]]
            mode = "ro" if mount.get("readOnly") else "rw"
            mounts.append(f"{getattr(volume, 'folder', volume)}:{mount['mountPath']}:{mode}")
        return [*network.inside("pod"), "unshare", "--mount", "--propagation", "private",
                HERE / "container", self.hosts, str(user), str(self.group or user), *mounts, "--"]

    def _our_launcher(self):
        return self._launcher(self.ours, self.ours["securityContext"]["runAsUser"],
                              f"{LANEKEEPER}:/opt/bin/lanekeeper:ro")

    def _hook(self, words):
        return self.keep(Process("hook", words, self._our_launcher()))

    def start_sidecar(self):
        """Returns when the kubelet would start the next container."""
        self.sidecar = self.keep(Sidecar(self._our_launcher()))
        if self.is_native:
            probe = self.ours["startupProbe"]
            for _ in range(probe["failureThreshold"]):
                if ask(probe["httpGet"]["path"]) == 200:
                    break
                assert self.sidecar.running(), "the sidecar has ended"
                threading.Event().wait(probe["periodSeconds"])
            else:
                raise AssertionError("the startup probe has failed: the kubelet would restart it")
        else:
            code = self._hook(self.ours["lifecycle"]["postStart"]["exec"]["command"]).await_exit()
            assert code == 0, f"the postStart hook ended with {code}"
        readiness = self.ours["readinessProbe"]
        # No manifest has a livenessProbe; this one shows that it would not have restarted anything.
        self.probers = [Prober(readiness["httpGet"]["path"], readiness["periodSeconds"]),
                        Prober("/startupz", 1), Prober("/livez", 1)]
        for prober in self.probers:
            prober.start()

    def start_application(self):
        [variable] = self.theirs["env"]
        words = ["env", f"{variable['name']}={variable['value']}", "/usr/bin/python3", "-B",
                 HERE / "prefork_app.py", *self._app_words]
        self.app = self.keep(Process("app", words, self._launcher(
            self.theirs, APPLICATION_USER, f"{HERE}:{HERE}:ro")))

    def start(self):
        self.start_sidecar()
        self.start_application()

    def stop_probes(self):
        """The statuses of each path."""
        return {prober.path: prober.stop() for prober in self.probers}

    def _left(self, since):
        """Of the grace period; then the kubelet kills."""
        return max(0.1, self.grace - (time.monotonic() - since))

    def terminate(self):
        """Native sidecars: when the others have ended. Exit codes of application and sidecar."""
        since = time.monotonic()
        self.app.signal(signal.SIGTERM)
        self.app.await_exit(self._left(since))
        return self._end_sidecar(since)

    def _end_sidecar(self, since):
        assert self.sidecar.running(), "the sidecar has ended before it was told to"
        probes = self.stop_probes()
        self.sidecar.signal(signal.SIGTERM)
        return (self.app.await_exit(self._left(since)),
                self.sidecar.await_exit(self._left(since)), probes)

    def terminate_with_hook(self):
        """Without sidecars: all containers are told together, ours when its preStop hook, that
        starts at the same time, has ended. Once the application has, the hook only passes time."""
        since = time.monotonic()
        hook = self._hook(self.ours["lifecycle"]["preStop"]["exec"]["command"])
        self.app.signal(signal.SIGTERM)
        self.app.await_exit(self._left(since))
        assert hook.running(), "the preStop hook was shorter than the application"
        hook.kill()
        return self._end_sidecar(since)

    def terminate_at_once(self):
        """Without sidecars or a hook, and ours is told first."""
        probes = self.stop_probes()
        self.told_at = time.monotonic()
        self.sidecar.signal(signal.SIGTERM)
        self.app.signal(signal.SIGTERM)
        return (self.app.await_exit(self._left(self.told_at)),
                self.sidecar.await_exit(self._left(self.told_at)), probes)
