"""What the soak does to everybody while RPCs go on. Each blow tells what it may break, and when."""

import dataclasses
import json
import os
import signal
import subprocess
import time

# After an upstream's return: gRPC's first back-off step, its jitter, and a start on a busy machine.
RECOVERY = 5.0


@dataclasses.dataclass
class Outage:
    """Failures with `codes` of RPCs that were open between the two times are the blow's."""

    begin: float
    end: float
    codes: tuple


class Chaos:
    """One blow after the other; `outages` says what may have failed."""

    def __init__(self, soak):
        self.soak = soak
        self.outages = []
        self.counts = {}
        self.swaps = 0

    def strike(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1
        getattr(self, name)()

    def kill_a_client(self):
        soak = self.soak
        victim = soak.dice.choice(soak.clients)
        victim.signal(signal.SIGKILL)
        victim.await_exit()
        soak.clients.remove(victim)
        soak.add_client()

    def kill_the_upstream(self):
        soak = self.soak
        begin = time.monotonic()
        soak.upstream.signal(signal.SIGKILL)
        soak.upstream.await_exit()
        soak.start_upstream(soak.upstream.port)
        self.outages.append(Outage(begin, time.monotonic() + RECOVERY, ("UNAVAILABLE",)))

    def freeze_a_client(self):
        victim = self.soak.dice.choice(self.soak.clients)
        begin = time.monotonic()
        victim.signal(signal.SIGSTOP)
        time.sleep(self.soak.dice.uniform(0.1, 1))
        victim.signal(signal.SIGCONT)
        # Its own deadlines pass while it cannot look; nothing else may.
        self.outages.append(Outage(begin, time.monotonic(), ("DEADLINE_EXCEEDED",)))

    def reload(self):
        """A file with other limits; what is open must not notice."""
        soak = self.soak
        config = json.loads(soak.daemon.path.read_text())
        config["limits"]["message_size"] = soak.dice.choice(["unlimited", "64MiB"])
        soak.daemon.replace_config(config)
        before = soak.reloads()
        soak.daemon.signal(signal.SIGHUP)
        soak.wait(lambda: soak.reloads() > before, "a reload")

    def swap_the_certificate(self):
        """New handshakes get another; whoever is in stays in."""
        soak = self.soak
        self.swaps += 1
        soak.certificate.replace(
            soak.authority.issue(f"server-{self.swaps}", "DNS:localhost,IP:127.0.0.1"))

    def reset_connections(self):
        """A raw client that begins much and goes without a word."""
        subprocess.run(["timeout", "1", "nghttp", "-nv", "-H:method: POST", "-Hte: trailers",
                        "-Hcontent-type: application/grpc", "-m50",
                        f"https://{self.soak.daemon.target}/daemon.Silent/Wait"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                       env={"PATH": os.environ["PATH"]})
