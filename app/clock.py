"""The one place that asks what time it is."""

import time


def now() -> int:
    """The wall clock: epoch nanoseconds, UTC."""
    return time.time_ns()


def monotonic() -> float:
    """Seconds of a clock that never steps: for durations and for waiting."""
    return time.monotonic()
