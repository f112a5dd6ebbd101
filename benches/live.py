"""Reading while others write all they can, and while two hundred claims wait.

python -m benches.live PORT TOKEN SECONDS    the writers, in a process of their own
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from statistics import quantiles
from threading import Thread

import orjson

from app.vocabulary import Scope
from benches import servers
from benches.anchors import line
from benches.floor import PAGE
from benches.life import BASE, in_bulk, whole
from benches.servers import OURS, ROOT, Server
from benches.work import AGENT, KINDS, bodies

WORKERS = 2
WRITERS = 8
"""Connections of writers, each of which sends its next request as soon as it has an answer."""
ROUNDS, ASKED = 4, 150
"""Rounds, in each of which a page is asked for so often without writers, then with them."""
WAITING, WAIT = 200, 30
"""Claims that wait, and for how many seconds."""
HEALTH = 200
"""How often /healthz is asked without them and with them."""
LONGEST = 600
"""Seconds after which writers end by themselves."""


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(times, n=20)[-1]


def times(server: Server, path: str, count: int) -> list[float]:
    """How long each of `count` GETs takes over one connection, in milliseconds."""
    found = []
    with server.line() as sent:
        for _ in range(count):
            began = time.perf_counter()
            sent.get(path)
            found.append((time.perf_counter() - began) * 1000)
    return found


def write(port: int, token: str, number: int, deadline: float) -> None:
    """Lead tasks through their lives, and now and then enqueue a hundred."""
    server = Server(0, port, {"Authorization": token})
    mine = cycle(bodies(KINDS, number))
    with server.line() as sent:
        while time.monotonic() < deadline:
            whole(sent, list(islice(mine, 10)))
            in_bulk(sent, list(islice(mine, 100)))


def main(port: str, token: str, seconds: str) -> None:
    """Write with all writers until the end."""
    deadline = time.monotonic() + float(seconds)
    some = [
        Thread(target=write, args=(int(port), token, n, deadline), daemon=True)
        for n in range(WRITERS)
    ]
    for each in some:
        each.start()
    for each in some:
        each.join()


@contextmanager
def written(server: Server) -> Iterator[None]:
    """All writers write meanwhile."""
    token = server.headers["Authorization"]
    command = [sys.executable, "-m", "benches.live", str(server.port), token, str(LONGEST)]
    process = subprocess.Popen(command, cwd=ROOT, env=servers.paths())
    try:
        time.sleep(3)  # until it is at work
        assert process.poll() is None
        yield
    finally:
        process.terminate()
        process.wait(60)


def compared(server: Server, other: Server, name: str) -> str:
    """The page of `server` without writers, and with those who write to `other`."""
    idle, busy = [], []
    times(server, PAGE, ASKED)
    for _ in range(ROUNDS):
        idle += times(server, PAGE, ASKED)
        with written(other):
            busy += times(server, PAGE, ASKED)
    return line(name, p95(busy) / p95(idle), f"{p95(busy):.1f} ms of {p95(idle):.1f} ms")


def reading(server: Server) -> Iterator[str]:
    """The page without writers and with them."""
    yield compared(server, server, "live")


def beside(url: str, other: str, room: Path) -> Iterator[str]:
    """What of it is the machine: the writers have a server and a database of their own.

    The databases of MariaDB are on one server.
    """
    mute = {"TASKS_METRICS_ADDRESS": ""}
    with ExitStack() as stack:
        pair = []
        for each in (url, other):
            pair.append(stack.enter_context(servers.serving(OURS, each, room, WORKERS, mute)))
            servers.admit(pair[-1], each, Scope.VIEWER, Scope.ISSUER, Scope.CONSUMER)
        yield compared(*pair, "live beside")


def wait(server: Server, connection: HTTPConnection) -> None:
    """A claim that waits for work that never comes, sent and not yet answered."""
    body = {"executor": AGENT, "queues": ["nobody's"], "wait": WAIT}
    headers = {**server.headers, "Content-Type": "application/json"}
    connection.request("POST", f"{BASE}/claim", orjson.dumps(body), headers)


def waiting(server: Server) -> Iterator[str]:
    """/healthz without waiting claims and with them."""
    with ExitStack() as stack:
        idle = times(server, "/healthz", HEALTH)
        claims = [stack.enter_context(server.line()) for _ in range(WAITING)]
        for each in claims:
            wait(server, each.connection)
        time.sleep(5)
        busy = times(server, "/healthz", HEALTH)
    yield line("waiting", p95(busy) - p95(idle), f"{p95(busy):.1f} ms of {p95(idle):.1f} ms")


def lines(url: str, other: str, room: Path) -> Iterator[str]:
    """All of it, of servers with their usual number of workers. `other`: another database."""
    parts: tuple[Callable[[Server], Iterator[str]], ...] = (reading, waiting)
    for part in parts:
        with servers.serving(OURS, url, room, WORKERS) as server:
            servers.admit(server, url, Scope.VIEWER, Scope.ISSUER, Scope.CONSUMER)
            yield from part(server)
    yield from beside(url, other, room)


if __name__ == "__main__":
    main(*sys.argv[1:])
