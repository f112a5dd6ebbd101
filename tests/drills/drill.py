"""The drill: everything is killed while thousands of tasks are carried out; nothing may be lost.

`make drill` runs it on SQLite and on MariaDB. TASKS, KILLS: how many; WITHIN: seconds after which
it gives up on an engine. FAULT: in a copy of the code the check of the lease's number is taken away
(fence), or the transaction around every write (transaction); the drill must notice. Processes that
die between two writes of a step (death) must break nothing.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

import checker  # noqa: E402 - this is a program as well as a module
from calls import Caller, Journal, Tally  # noqa: E402
from faults import FAULTS  # noqa: E402
from servers import Gunicorn, Mariadb, end, kill, spawn  # noqa: E402

from app import config, database  # noqa: E402

EXECUTORS = 8
BULK = 25
AHEAD = 1_500
"""Tasks that are enqueued beyond those that are completed: both go on while others are killed."""
LEASE_SECONDS = 2
TARGETS = {"executor": 30, "worker": 12, "gunicorn": 4, "database": 4}
"""How the kills are shared out."""
STILL_SECONDS = 150
"""Without a completion for so long there will be none."""
GIVEN_UP = "tasks that were not carried out in time"


class Drill:
    """One run on one engine."""

    def __init__(self, engine: str, tasks: int, kills: int, room: Path, fault: str = "") -> None:
        self.engine, self.tasks, self.kills, self.room = engine, tasks, kills, room
        self.random = random.Random(tasks + kills)
        self.struck: Counter[str] = Counter()
        self.mariadb = Mariadb(room) if engine == "mysql" else None
        url = self.mariadb.url if self.mariadb else f"sqlite:///{room}/tasks.db"
        self.settings = config.load({"TASKS_DATABASE_URL": url})
        self.gunicorn = Gunicorn(copied(room, fault) if fault else ROOT, room, url)
        self.issuer, self.consumer = (self.client(scope) for scope in ("issuer", "consumer"))
        self.executors = {place: self.executor(place) for place in range(EXECUTORS)}
        self.over = Event()
        self.tally, self.done = Tally(room), 0

    def client(self, scope: str) -> tuple[str, str]:
        """Id and secret of a new client."""
        made = self.gunicorn.flask("clients", "create", "--name", scope, "--scope", scope, "--json")
        known = json.loads(made)
        return known["client_id"], known["client_secret"]

    def executor(self, place: int) -> Any:
        """A new executor at `place`, under a name of its own."""
        name = f"executor-{place}-{uuid4().hex[:6]}"
        program = str(Path(__file__).parent / "executor.py")
        command = [sys.executable, program, name, self.gunicorn.url, *self.consumer,
                   str(self.room / f"{name}.journal")]  # fmt: skip
        return spawn(command, ROOT, self.room / "executors.log")

    def enqueue(self) -> None:
        """All tasks, in bulks, not too far ahead of what is done."""
        journal = Journal(str(self.room / "issuer.journal"))
        caller = Caller(self.gunicorn.url, self.issuer, journal)
        long = set(self.random.sample(range(self.tasks), max(8, min(80, self.tasks // 100))))
        for first in range(0, self.tasks, BULK):
            while first > self.done + AHEAD and not self.over.wait(0.1):
                pass
            if self.over.is_set():
                return
            places = range(first, min(first + BULK, self.tasks))
            items = [order(place in long) for place in places]
            status, said = caller.call("POST", "/tasks/bulk", {"items": items})
            if status in (200, 201):
                journal.write("enqueued", uuids=[item["uuid"] for item in items])
            else:
                journal.write("refused", step="enqueue", status=status, said=said)

    def strike(self, target: str) -> None:
        """Kill one, and see that there is another."""
        if target == "executor":
            place = self.random.choice(list(self.executors))
            kill(self.executors[place])
            self.executors[place] = self.executor(place)
        elif target == "worker":
            self.gunicorn.strike_worker(self.random.choice)
        elif target == "gunicorn":
            self.gunicorn.strike()
        elif self.mariadb:
            self.mariadb.strike()
        else:
            # SQLite lives in the processes that use it.
            self.gunicorn.strike_all()
        self.struck[target] += 1

    def plan(self) -> list[str]:
        """What is killed, in order: each target by its share, every one at least once."""
        total = sum(TARGETS.values())
        shares = {name: max(1, round(self.kills * part / total)) for name, part in TARGETS.items()}
        shares["executor"] += self.kills - sum(shares.values())
        targets = [name for name, count in shares.items() for _ in range(count)]
        self.random.shuffle(targets)
        return targets

    def run(self, seconds: float) -> None:
        """Carry all tasks out while the plan is followed; give up after `seconds` or when stuck."""
        deadline = time.monotonic() + seconds
        issuer = Thread(target=self.enqueue, daemon=True)
        issuer.start()
        plan, done, moved = self.plan(), 0, time.monotonic()
        while time.monotonic() < min(deadline, moved + STILL_SECONDS):
            self.done = self.tally.count()
            if self.done > done:
                done, moved = self.done, time.monotonic()
            due = self.kills - len(plan)
            if plan and self.done * (self.kills + 1) >= due * self.tasks:
                self.strike(plan.pop())
                moved = time.monotonic()
            elif not plan and not issuer.is_alive() and not self.unfinished():
                break
            else:
                time.sleep(0.2)
        # What is enqueued or completed while the checker looks would seem lost, or half written.
        self.over.set()
        issuer.join(STILL_SECONDS)
        for process in self.executors.values():
            kill(process)

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

    def verdict(self) -> tuple[dict[str, int], dict[str, int]]:
        """See `checker.check`."""
        return checker.check(self.room, *checker.found(self.settings))

    def end(self) -> None:
        """Nothing runs any more."""
        for process in self.executors.values():
            kill(process)
        self.gunicorn.end()
        if self.mariadb:
            kill(self.mariadb.process)


def order(long: bool) -> dict[str, Any]:
    """A task to be enqueued; a `long` one makes its first executor dawdle."""
    return {
        "uuid": str(uuid4()), "type": "drill", "ackTimeout": LEASE_SECONDS,
        "heartbeatInterval": LEASE_SECONDS, "maxAssignCount": 10_000,
        "argument": {"long": long},
    }  # fmt: skip


def copied(room: Path, fault: str) -> Path:
    """A copy of the code with a fault in it."""
    code = room / "code"
    for name in ("app", "migrations"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wsgi.py", code)
    for file, right, wrong in FAULTS[fault]:
        text = (code / file).read_text()
        if right not in text:
            raise RuntimeError(f"{file} has no place for the fault '{fault}'")
        (code / file).write_text(text.replace(right, wrong))
    return code


def drill(engine: str, tasks: int, kills: int, seconds: float, fault: str = "") -> dict[str, int]:
    """Run and report -> how often each promise was broken."""
    shm = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="tasks-drill-", dir=shm if shm.is_dir() else None))
    began, run = time.monotonic(), None
    try:
        run = Drill(engine, tasks, kills, room, fault)
        run.run(seconds)
        happened, broken = run.verdict()
        broken["kills that did not come about in time"] = max(0, kills - run.struck.total())
        broken[GIVEN_UP] = tasks - happened["tasks in the database"] + run.unfinished()
        print(f"{engine}: {time.monotonic() - began:.0f} s, killed: {dict(run.struck)}")
        for name, count in {**happened, **broken}.items():
            print(f"  {count:>7}  {name}")
        for entry in checker.Account(room).refused[:3]:
            print(f"  refused: {entry}")
        sys.stdout.flush()
        return broken
    finally:
        if run:
            run.end()
        end(room)  # who writes once more would make the folder anew
        if not os.environ.get("KEEP"):
            shutil.rmtree(room, ignore_errors=True)


def main() -> None:
    """Both engines; the exit status says whether every promise was kept."""
    tasks, kills = (int(os.environ.get(name) or usual) for name, usual in
                    (("TASKS", 10_000), ("KILLS", 50)))  # fmt: skip
    engines = (os.environ.get("ENGINES") or "sqlite mysql").split()
    fault, seconds = os.environ.get("FAULT", ""), float(os.environ.get("WITHIN") or 285)
    broken = [sum(drill(engine, tasks, kills, seconds, fault).values()) for engine in engines]
    sys.exit("promises were broken" if any(broken) else 0)


if __name__ == "__main__":
    main()
