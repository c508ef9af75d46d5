"""What one run of a load says, whoever drove it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Outcome:
    """messages counts each one once per direction (an echo is two), bytes their payloads. Latencies
    are per RPC, or per round trip where a stream carries many. error: empty when all was right."""

    rpcs: int
    messages: int
    bytes: int
    seconds: float
    error: str
    p50_us: float = None
    p99_us: float = None
    p999_us: float = None
