"""A page of 100 tasks over HTTP: what it costs the service, against the floor in the same run."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benches import servers
from benches.anchors import line
from benches.floor import PAGE

ROUNDS, REQUESTS, WARM = 7, 150, 150
"""Rounds, of which each asks both; requests of one round; requests before the first."""


def measured(url: str, room: Path, rounds: int = ROUNDS) -> list[tuple[float, float]]:
    """Milliseconds of processor time of the service and of the floor, in each round."""
    with (
        servers.serving(servers.OURS, url, room) as service,
        servers.serving("benches.floor:app", url, room) as floor,
    ):
        servers.admit(service, url)
        for server in (service, floor):
            server.ask(PAGE, WARM)
        return [
            (service.milliseconds(PAGE, REQUESTS), floor.milliseconds(PAGE, REQUESTS))
            for _ in range(rounds)
        ]


def lines(url: str, room: Path) -> Iterator[str]:
    """The ratio of one run, and both figures."""
    rounds = measured(url, room)
    spread = sorted(ours / theirs for ours, theirs in rounds)
    yield line("page", median(spread), f"{spread[0]:.2f} to {spread[-1]:.2f}, {ROUNDS} rounds")
    yield line("page ms", median(ours for ours, _ in rounds))
    yield line("floor ms", median(theirs for _, theirs in rounds))
