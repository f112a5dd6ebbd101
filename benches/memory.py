"""What a worker holds in memory: at rest, and after many requests that are never quite the same."""

import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from benches.anchors import line
from benches.floor import PAGE
from benches.requests import REQUESTS, ROOT
from benches.servers import OURS, Server, admit, serving

LIST = PAGE.partition("?")[0]
BATCH = 50
FLAT = 100_000
"""Requests from which on nothing may grow; before, each thread's cache of pages (4 MiB) fills."""


def lines(url: str, room: Path, requests: int) -> Iterator[str]:
    """Memory at rest, and how much the second half of `requests` requests adds to the first's."""
    with serving(OURS, url, room) as server:
        admit(server, url)
        yield line("rest", server.memory())
        chance = random.Random(1)
        ask(server, chance, requests // 2)
        half = server.memory()
        ask(server, chance, requests - requests // 2)
        note = f"{requests:,} requests; {half:.0f} MiB at half, {server.memory():.0f} at the end"
        name = "growth" if requests >= FLAT else "filling"
        yield line(name, server.memory() - half, note)


def ask(server: Server, chance: random.Random, times: int) -> None:
    """Ask for small pages of all kinds, with other values each time."""
    rows = [row for row in REQUESTS if row.tenant == ROOT]
    for _ in range(times // BATCH):
        server.walk(
            f"{LIST}?{quote(chance.choice(rows).draw(chance), safe='=&(),')}&lod=short&limit=20"
            for _ in range(BATCH)
        )
