#!/usr/bin/python3
"""A pod simulated in network namespaces, from the manifests of deploy/kubernetes and under load: no
RPC fails while configuration and certificates change, and while the pod ends."""

import json
import pathlib
import signal

import network

if __name__ == "__main__":
    network.isolate()

import grpc

from harness.byte_client import CHANNEL_OPTIONS
from harness.case import DaemonTest, both_kinds, main
from harness.certificates import Authority
from harness.peers import Upstream
from harness.waiting import wait_until
from kubelet import Pod, read

PORT = 50051
WORKERS = 4
START_BOUND = 60
NEVER_SENT = "failed to connect"  # gRPC's words
LAST = 10  # RPCs that each worker still makes when it has been told to end
EXPIRY = "lanekeeper_tls_certificate_expiry_timestamp_seconds"
RELOADS = "lanekeeper_config_reloads_total"


class PodTest(DaemonTest):
    def setUp(self):
        super().setUp()
        pathlib.Path(self.folder).chmod(0o755)  # containers have users of their own
        self.network = network.Network()
        self.stack.callback(self.network.close)

    def start_upstream(self, *words):
        self.upstream = self.keep(Upstream(PORT, *words, host=network.UPSTREAM,
                                           launcher=network.inside("upstream")))

    def config_of(self, manifest):
        """The manifest's own, with the kind of threads that is tested."""
        text = read(manifest)["ConfigMap"]["data"]["config.yaml"]
        return {"config.yaml": f"{text}rpc_threads: {{kind: {self.kind}}}\n".encode()}

    def pod(self, name, config_from=None, files=None, workers=WORKERS):
        manifests = read(name)
        config_map = read(config_from or name)["ConfigMap"]["metadata"]["name"]
        files = {config_map: self.config_of(config_from or name), **(files or {})}
        manifest = manifests.get("Deployment") or manifests["Job"]
        return Pod(self.folder, manifest, files, self.keep, [workers, LAST])

    def start_pod(self, *arguments, workers=WORKERS, **options):
        pod = self.pod(*arguments, workers=workers, **options)
        pod.start()
        self.await_work(pod, workers)
        self.assert_one_upstream_connection(pod, workers)
        return pod

    def await_work(self, pod, workers):
        wait_until(lambda: pod.app.count_lines("^working$") == workers,
                   lambda: f"{workers} workers at work", START_BOUND)

    def assert_one_upstream_connection(self, pod, workers=WORKERS):
        pod.sidecar.await_metric("lanekeeper_downstream_connections", workers)
        pod.sidecar.await_metric("lanekeeper_upstream_connections", 1)
        self.assertEqual(self.network.connections_to(PORT), 1)

    def counters(self):
        return self.upstream.counters()

    def ended(self, pod, workers=WORKERS):
        """What each worker says that it has done."""
        ended = [json.loads(line.split(" ", 1)[1]) for line in pod.app.lines
                 if line.startswith("ended ")]
        self.assertEqual(len(ended), workers)
        return ended

    def assert_probes_succeeded(self, probes):
        self.assertEqual(set(probes), {"/startupz", "/readyz", "/livez"})
        for path, statuses in probes.items():
            self.assertEqual(set(statuses), {200}, path)

    def assert_nothing_failed(self, pod, outcome, workers=WORKERS):
        app, sidecar, probes = outcome
        self.assertEqual((app, sidecar), (0, 0))
        ended = self.ended(pod, workers)
        self.assertEqual([one["failures"] for one in ended], [[]] * workers)
        self.assertEqual(sum(one["failed"] for one in ended), 0)
        self.assert_probes_succeeded(probes)
        self.assertEqual([one["last"] for one in ended], [LAST] * workers)
        self.assert_all_arrived(ended)

    def assert_all_arrived(self, ended):
        """The upstream has finished as many as have succeeded, and no other."""
        succeeded = sum(one["unary"] + one["streams"] + one["last"] for one in ended)
        print(f"{self.id()}: {succeeded} RPCs")
        counters = self.counters()
        self.assertEqual(counters, {"active": 0, "finished": succeeded, "cancelled": 0})
        wait_until(lambda: self.network.connections_to(PORT) == 0, "no connection is left")


@both_kinds
class Native(PodTest):
    """sidecar.yaml and what is like it: Kubernetes knows that it is a sidecar."""

    def test_configuration_and_certificate_change_and_no_rpc_fails(self):
        authority = Authority(self.folder)
        names = ",".join(f"DNS:{name}" for name in network.UPSTREAM_NAMES)
        server = authority.issue("server", names)
        self.start_upstream("--tls", server.certificate, server.key, authority.certificate)
        self.authority, self.client = authority, authority.issue("test", "DNS:test")
        pod = self.start_pod("tls.yaml", files={"lanekeeper-tls": self.secret("first", days=1)})
        self.await_seen_as(pod, "first")
        files = pod.volumes["lanekeeper-tls"]
        before = self.expiry(pod)
        files.update(self.secret("renewed", days=2))
        wait_until(lambda: self.expiry(pod) > before + 3600, "the new certificate is not read")
        self.assertEqual(self.network.connections_to(PORT), 1)  # what is open stays
        self.assertEqual(pod.app.count_lines("^seen as renewed$"), 0)
        self.change_configuration(pod)
        self.assert_nothing_failed(pod, pod.terminate())

    def change_configuration(self, pod):
        """Another upstream: its connection is a new one, and shows the new certificate."""
        config = pod.volumes["lanekeeper-config"]
        first, second = (name.encode() for name in network.UPSTREAM_NAMES)
        original = self.config_of("tls.yaml")["config.yaml"]
        other = original.replace(first, second)
        self.assertNotEqual(other, original)
        for number, text in enumerate((other, original), 1):
            config.update({"config.yaml": text})
            pod.sidecar.await_metric(RELOADS, number, result="applied")
            self.await_seen_as(pod, "renewed")
            wait_until(lambda: self.network.connections_to(PORT) == 1, "one connection is left")
            self.assert_one_upstream_connection(pod)

    def secret(self, name, days):
        pair = self.authority.issue(name, "DNS:orders-web.shop.svc.cluster.local", days)
        return {"ca.crt": self.authority.certificate.read_bytes(),
                "tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()}

    def expiry(self, pod):
        return pod.sidecar.scrape().value(EXPIRY, file="/etc/lanekeeper-tls/tls.crt")

    def await_seen_as(self, pod, name):
        wait_until(lambda: pod.app.count_lines(f"^seen as {name}$") >= WORKERS,
                   f"the upstream sees {name}")

    def counters(self):
        if not hasattr(self, "client"):
            return super().counters()
        key, certificate = self.client.read()
        credentials = grpc.ssl_channel_credentials(
            self.authority.certificate.read_bytes(), key, certificate)
        name = ("grpc.ssl_target_name_override", network.UPSTREAM_NAMES[0])
        with grpc.secure_channel(self.upstream.address, credentials,
                                 options=[*CHANNEL_OPTIONS, name]) as channel:
            return self.upstream.counters(channel)

    def test_a_prefork_application_shares_a_unix_socket(self):
        self.start_upstream()
        args = read("prefork.yaml")["Deployment"]["spec"]["template"]["spec"]["containers"][0]
        [workers] = [int(word.split("=")[1]) for word in args["args"] if "--workers=" in word]
        pod = self.start_pod("prefork.yaml", workers=workers)
        self.assert_nothing_failed(pod, pod.terminate(), workers)

    def test_a_job_is_complete_when_its_application_has_ended(self):
        """The application's work ends, here at a signal. An exit code of the sidecar that is not 0
        would count against the Job."""
        self.start_upstream()
        pod = self.start_pod("job.yaml", "configmap.yaml")
        self.assertTrue(pod.is_native)  # or nobody would end lanekeeper
        self.assert_nothing_failed(pod, pod.terminate())

    def test_the_container_may_do_what_the_manifest_says_and_no_more(self):
        self.start_upstream()
        pod = self.pod("sidecar.yaml", "configmap.yaml")
        pod.start_sidecar()
        status = pathlib.Path(f"/proc/{pod.sidecar.pid}/status").read_text()
        for line in ("Uid:\t65532\t65532\t65532\t65532", "Gid:\t65532\t65532\t65532\t65532",
                     "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
            self.assertIn(line + "\n", status)
        for folder in ("", "/etc/lanekeeper"):
            with self.assertRaisesRegex(OSError, "Read-only file system"):
                pathlib.Path(f"/proc/{pod.sidecar.pid}/root{folder}/x").write_text("")

    def test_a_sidecar_that_was_killed_finds_its_socket_again(self):
        self.start_upstream()
        pod = self.pod("prefork.yaml")
        pod.start_sidecar()
        pod.stop_probes()
        pod.sidecar.kill()
        self.assertTrue((pod.volumes["lanekeeper-socket"] / "proxy.sock").is_socket())
        pod.start()
        self.await_work(pod, WORKERS)
        self.assert_nothing_failed(pod, pod.terminate())

    def test_the_wrong_order_is_noticed(self):
        """Proof that the load would show it: the sidecar ends while the application goes on."""
        self.start_upstream()
        pod = self.start_pod("sidecar.yaml", "configmap.yaml")
        pod.stop_probes()
        for process in (pod.sidecar, pod.app):
            process.signal(signal.SIGTERM)
            self.assertEqual(process.await_exit(), 0)
        ended = self.ended(pod)
        self.assertEqual([one["last"] for one in ended], [0] * WORKERS)
        self.assertTrue(all(one["failed"] for one in ended))


@both_kinds
class Legacy(PodTest):
    """sidecar-legacy.yaml: an ordinary container, which is told to end when the application is."""

    def start_both(self):
        self.start_upstream()
        return self.start_pod("sidecar-legacy.yaml", "configmap.yaml")

    def test_the_hooks_keep_the_order(self):
        pod = self.start_both()
        self.assert_nothing_failed(pod, pod.terminate_with_hook())

    def test_told_at_once_no_rpc_that_was_accepted_fails(self):
        pod = self.start_both()
        app, sidecar, probes = pod.terminate_at_once()
        self.assertEqual((app, sidecar), (0, 0))
        self.assert_probes_succeeded(probes)
        ended = self.ended(pod)
        failures = [each for one in ended for each in one["failures"]]
        self.assertEqual(sum(one["failed"] for one in ended), len(failures))  # all are told
        print(f"{self.id()}: {len(failures)} RPCs were turned away: {failures[:3]}")
        self.assertEqual([each for each in failures
                          if each[0] < pod.told_at and NEVER_SENT not in each[2]], [])
        self.assertEqual({code for _, code, _ in failures} - {"UNAVAILABLE"}, set())
        # One that was accepted and failed would be among the upstream's, and not the clients'.
        self.assert_all_arrived(ended)


if __name__ == "__main__":
    main()
