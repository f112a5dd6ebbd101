"""The cluster drill: one of three Galera servers at a time fails under load; nothing may be lost.

`make drill-cluster` runs it: two servers, eight executors, the preferred database server and then
another one killed, paused, isolated and stopped. ROUNDS: how many of these; LASTING: how many
seconds pass before the server is mended.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

import checker  # noqa: E402 - this is a program as well as a module
import galera  # noqa: E402
from calls import Caller, Journal, Tally  # noqa: E402
from drill import BULK, order  # noqa: E402
from galera import Cluster, Node  # noqa: E402
from servers import Gunicorn, end, kill, spawn  # noqa: E402

from app import config, database  # noqa: E402

SERVERS, EXECUTORS = 2, 8
AHEAD = 300
"""Tasks that wait at most: the load goes on as long as the drill does."""
STALL_SECONDS = 8.0
"""The longest time in which nothing may be accepted."""
HOME_SECONDS = 75
"""How long it may take until the preferred server is used again by all."""
END_SECONDS = 120
"""How long the last tasks may take."""
TABLES = "tasks, task_details, attempts, idempotency_keys, lanes, types, queues, agents"
FAULTS: dict[str, tuple[Callable[[Node], None], Callable[[Node], None]]] = {
    "killed": (lambda node: node.end(signal.SIGKILL), lambda node: node.start()),
    "paused": (lambda node: node.send(signal.SIGSTOP), lambda node: node.send(signal.SIGCONT)),
    "isolated": (lambda node: node.isolate(True), lambda node: node.isolate(False)),
    "stopped": (lambda node: node.end(), lambda node: node.start()),
}
"""What happens to a server, and how it is mended."""


@dataclass
class Round:
    """One fault, from its beginning until it was mended and a while after."""

    fault: str
    node: int
    began: float
    ended: float = 0.0
    home: float = 0.0
    """Seconds after the mending until the preferred server was used by all again."""


class Drill:
    """One run."""

    def __init__(self, room: Path) -> None:
        """Everything runs, and nothing is enqueued yet."""
        self.room, self.over = room, Event()
        self.tally, self.enqueued, self.done = Tally(room), 0, 0
        self.executors: list[Any] = []
        self.services: list[Gunicorn] = []
        self.cluster = Cluster(room)
        for place in range(SERVERS):
            folder = room / f"service{place}"
            folder.mkdir()
            self.services.append(Gunicorn(ROOT, folder, self.cluster.url))
        self.settings = config.load({"TASKS_DATABASE_URL": self.cluster.url})
        self.issuer, self.consumer = (self.client(scope) for scope in ("issuer", "consumer"))

    def client(self, scope: str) -> list[str]:
        """Id and secret of a new client."""
        arguments = ("clients", "create", "--name", scope, "--scope", scope, "--json")
        known = json.loads(self.services[0].flask(*arguments))
        return [known["client_id"], known["client_secret"]]

    def begin(self) -> None:
        """The load is on."""
        program = str(Path(__file__).parent / "executor.py")
        for place in range(EXECUTORS):
            name = f"executor-{place}-{uuid4().hex[:6]}"
            url = self.services[place % SERVERS].url
            command = [sys.executable, program, name, url, *self.consumer,
                       str(self.room / f"{name}.journal")]  # fmt: skip
            self.executors.append(spawn(command, ROOT, self.room / "executors.log"))
        self.issuers = [
            Thread(target=self.enqueue, args=(place,), daemon=True) for place in range(SERVERS)
        ]
        for issuer in self.issuers:
            issuer.start()

    def enqueue(self, place: int) -> None:
        """Enqueue, not too far ahead of what is done, until the drill is over."""
        journal = Journal(str(self.room / f"issuer-{place}.journal"))
        caller = Caller(self.services[place].url, (self.issuer[0], self.issuer[1]), journal)
        while not self.over.is_set():
            if self.enqueued - self.done > AHEAD:
                self.over.wait(0.2)
                continue
            items = [order(False) for _ in range(BULK)]
            status, said = caller.call("POST", "/tasks/bulk", {"items": items})
            if status in (200, 201):
                journal.write("enqueued", uuids=[item["uuid"] for item in items])
                self.enqueued += BULK
            else:
                journal.write("refused", step="enqueue", status=status, said=said)

    def strike(self, fault: str, node: Node, seconds: float) -> Round:
        """Let one server fail for a while under load, and mend it."""
        self.come_home()
        act, mend = FAULTS[fault]
        print(f"  node {node.number} is {fault} ...", flush=True)
        turn = Round(fault, node.number, time.monotonic())
        act(node)
        self.rest(seconds)
        mend(node)
        node.wait()
        mended = time.monotonic()
        self.rest(2)
        turn.ended = time.monotonic()
        self.come_home()
        turn.home = time.monotonic() - mended
        return turn

    def come_home(self) -> None:
        """All processes use the first server. Raises RuntimeError when they do not return."""
        deadline = time.monotonic() + HOME_SECONDS
        while any(self.visitors(node) for node in self.cluster.nodes[1:]):
            if time.monotonic() > deadline:
                raise RuntimeError("the preferred server is not used again")
            self.rest(0.5)

    def rest(self, seconds: float) -> None:
        """Let time pass, and look what was done."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.done = self.tally.count()
            time.sleep(0.2)

    def visitors(self, node: Node) -> int:
        """Connections of the service that do something there, or did a moment ago."""
        users = "FROM information_schema.processlist WHERE user = 'tasks' AND time < 3"
        return int(node.ask(f"SELECT COUNT(*) {users}")[0][0])

    def finish(self) -> int:
        """Nothing more is enqueued, and what was is carried out -> tasks that were not."""
        self.over.set()
        for issuer in self.issuers:
            issuer.join(60)
        deadline = time.monotonic() + END_SECONDS
        while (left := self.unfinished()) and time.monotonic() < deadline:
            time.sleep(0.5)
        for process in self.executors:
            kill(process)
        return left

    def unfinished(self) -> int:
        """Tasks that are not completed."""
        return int(self.rows("SELECT COUNT(*) FROM tasks WHERE state < 5")[0][0])

    def rows(self, sql: str) -> list[Any]:
        """What the database itself says."""
        connected = database.connect(self.settings)
        try:
            return connected.rows(sql)
        finally:
            connected.close()

    def differing(self) -> int:
        """Servers that hold something else than the first."""
        found = [node.ask(f"CHECKSUM TABLE {tables()}", 60) for node in self.cluster.nodes]
        return sum(one != found[0] for one in found)

    def end(self) -> None:
        """Nothing runs any more."""
        for process in self.executors:
            kill(process)
        for service in self.services:
            service.end()
        self.cluster.end()


def tables() -> str:
    """The tables that are compared, with their database's name."""
    return ", ".join(f"{galera.NAME}.{name}" for name in TABLES.split(", "))


def stall(went: list[float], turn: Round) -> float:
    """The longest time of a round in which nothing was accepted."""
    times = [turn.began, *sorted(at for at in went if turn.began < at < turn.ended), turn.ended]
    return max(later - earlier for earlier, later in pairwise(times))


def row(told: checker.Account, turn: Round) -> tuple[list[str], float, int]:
    """What is printed of a round, the longest stall in it, and errors that nobody should see."""
    tries = [one for one in told.failed if turn.began < one["at"] < turn.ended]
    later = sum(one["status"] == 503 and bool(one["later"]) for one in tries)
    slowest = max((one["at"] - one["sent"] for one in told.accepted
                   if turn.began < one["at"] < turn.ended), default=0.0)  # fmt: skip
    longest = stall(told.went, turn)
    accepted = sum(turn.began < at < turn.ended for at in told.went)
    cells = [f"node {turn.node} {turn.fault}", str(accepted), f"{longest:.1f} s",
             f"{slowest:.1f} s", str(later), str(len(tries) - later),
             f"{turn.home:.0f} s"]  # fmt: skip
    return cells, longest, len(tries) - later


HEAD = ["fault", "accepted", "longest stall", "slowest call", "503 to retry", "other errors",
        "home again"]  # fmt: skip


def report(run: Drill, turns: list[Round], left: int) -> dict[str, int]:
    """Print the table and the counts -> how often each promise was broken."""
    told = checker.Account(run.room)
    happened, broken = checker.check(run.room, *checker.found(run.settings))
    rows = [row(told, turn) for turn in turns]
    broken["tasks that were not carried out in time"] = left
    broken["stalls longer than 8 s"] = sum(longest > STALL_SECONDS for _, longest, _ in rows)
    broken["errors other than a 503 with Retry-After"] = sum(
        one["status"] != 503 or not one["later"] for one in told.failed
    )
    broken["database servers that differ from the first"] = run.differing()
    print("\n" + " | ".join(HEAD))
    for cells, _, _ in rows:
        print(" | ".join(cell.ljust(len(head)) for cell, head in zip(cells, HEAD, strict=True)))
    for name, count in {**happened, **broken}.items():
        print(f"  {count:>7}  {name}")
    for entry in told.refused[:3]:
        print(f"  refused: {entry}")
    return broken


def drill(rounds: int, seconds: float) -> dict[str, int]:
    """Run and report -> how often each promise was broken."""
    shm = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="tasks-cluster-", dir=shm if shm.is_dir() else None))
    run = None
    try:
        run = Drill(room)
        run.begin()
        run.rest(5)
        nodes = run.cluster.nodes[:2]
        plan = [(fault, node) for node in nodes for fault in FAULTS][:rounds]
        turns = [run.strike(fault, node, seconds) for fault, node in plan]
        return report(run, turns, run.finish())
    finally:
        if run:
            run.end()
        end(room)  # who writes once more would make the folder anew
        if not os.environ.get("KEEP"):
            shutil.rmtree(room, ignore_errors=True)


def main() -> None:
    """The exit status says whether every promise was kept, 2 that the drill cannot be held here."""
    if missing := galera.lacking():
        print(f"NOT DONE: the cluster drill needs {', '.join(missing)}: on Debian,"
              f" apt install {galera.PACKAGES}", file=sys.stderr)  # fmt: skip
        sys.exit(2)
    rounds = int(os.environ.get("ROUNDS") or 8)
    broken = drill(rounds, float(os.environ.get("LASTING") or 12))
    sys.exit("promises were broken" if any(broken.values()) else 0)


if __name__ == "__main__":
    main()
