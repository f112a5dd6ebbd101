"""Tasks over HTTP: processor time of worker and database against the floor's; requests a second."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from app.vocabulary import Scope
from benches import servers
from benches.anchors import line
from benches.cost import Cost, Meter
from benches.enqueue import BULK, ran
from benches.servers import Call, Line
from benches.work import AGENT, RESULT, Work, live
from benches.written import Floor

BASE = "/api/task_manager/v2/tasks"
ROUNDS = 9
DIGEST = sha256(b"what completes a task").digest()
Bodies = Sequence[dict[str, Any]]


def singly(line: Line, bodies: Bodies) -> None:
    """Enqueue tasks one by one."""
    for body in bodies:
        line.send(Call("POST", BASE, body))


def in_bulk(line: Line, bodies: Bodies) -> None:
    """Enqueue tasks a hundred at a time."""
    for at in range(0, len(bodies), BULK):
        line.send(Call("POST", f"{BASE}/bulk", {"items": bodies[at : at + BULK]}))


def whole(line: Line, bodies: Bodies) -> None:
    """Enqueue, claim, start and complete tasks, one after the other."""
    for body in bodies:
        line.send(Call("POST", BASE, body))
        wish = {"executor": AGENT, "queues": [body["queue"]], "types": [body["type"]]}
        [task] = line.send(Call("POST", f"{BASE}/claim", wish))["items"]
        path, lease = f"{BASE}/{task['id']}", {"Lease-Token": task["lease"]["token"]}
        line.send(Call("PUT", f"{path}/started", {}, lease))
        line.send(Call("PUT", f"{path}/completed", RESULT, lease))


def floor_of(floor: Floor, work: Work, name: str, count: int) -> list[Callable[[], object]]:
    """What the floor does for `count` tasks."""
    if name != "life":
        return [partial(floor.enqueue, rows) for rows in work.rows(count, SIZES[name][1])]
    number = work.executor
    return [partial(live, floor, rows, number, DIGEST) for rows in work.rows(count, 1)]


SIZES = {"single": (200, 1), "bulk": (2_000, BULK), "life": (60, 1)}
"""Tasks of a round, and of a transaction."""
ACTS = {"single": singly, "bulk": in_bulk, "life": whole}
CALLS = {"single": 1, "bulk": 1 / BULK, "life": 4}
"""Requests of a task."""


def round_of(name: str, work: Work, sent: Line, floor: Floor, meters: list[Meter]) -> list[Cost]:
    """What a task costs the service and the floor."""
    count, _ = SIZES[name]
    some = list(islice(work.bodies, count))
    ours = meters[0].measure(partial(ACTS[name], sent, some))
    acts = floor_of(floor, work, name, count)
    return [ours / count, meters[1].measure(partial(ran, acts)) / count]


def lines(url: str, room: Path) -> Iterator[str]:
    """The ratios of one run."""
    work, floor = Work(url), Floor(url)
    with servers.serving(servers.OURS, url, room) as server, server.line() as sent:
        servers.admit(server, url, Scope.ISSUER, Scope.CONSUMER)
        meters = [Meter(url, server.cpu), Meter(url)]
        for name in SIZES:
            round_of(name, work, sent, floor, meters)
            rounds = [round_of(name, work, sent, floor, meters) for _ in range(ROUNDS)]
            each = [median(costs[who].cpu * 1e6 for costs in rounds) for who in (0, 1)]
            rate = CALLS[name] * median(1 / ours.wall for ours, _ in rounds)
            note = f"{each[0]:,.0f} us of {each[1]:,.0f} us; {rate:,.0f} requests/s"
            yield line(f"life {name}", median(o.cpu / f.cpu for o, f in rounds), note)
    floor.connection.close()
    work.database.close()
