"""Waits for conditions, never for time, and each has a bound."""

import time

# Bounds that are only reached when something is broken.
START_BOUND = 30
STOP_BOUND = 40
ANSWER_BOUND = 20


class Failure(AssertionError):
    """What went wrong, in words for whoever ran the test. unittest takes it for a failed test."""


def wait_until(condition, what, bound=ANSWER_BOUND):
    """Returns the first true result of condition()."""
    end = time.monotonic() + bound
    while not (result := condition()):
        if time.monotonic() > end:
            raise Failure(f"not within {bound} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return result
