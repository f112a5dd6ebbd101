"""What the drill has proved: the journals of all clients against the database, at the end."""

import json
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from app import database

Rows = list[tuple[Any, ...]]
TASKS = """
SELECT t.id, t.uuid, t.state, t.result, t.fence, d.payload
FROM tasks t JOIN task_details d ON d.task_id = t.id
"""
ATTEMPTS = "SELECT task_id, number, outcome FROM attempts"
COMPLETED, OK = 5, 1
"""A state and a result, as the database writes them."""
HOLDING = ("started", "heartbeat", "progress", "paused", "completed")
"""Steps whose acceptance says: you hold the task. Handing back may be repeated later."""


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """All that the clients have written; a last line that a kill cut off was not yet an answer."""
    for file in folder.glob("*.journal"):
        for line in file.read_bytes().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def fence(lease: str) -> int:
    """The number of the attempt that a lease's token names."""
    return int.from_bytes(urlsafe_b64decode(lease)[8:16], "big")


class Account:
    """What the journals say, by task."""

    def __init__(self, folder: Path) -> None:
        self.enqueued: set[str] = set()
        self.claims: dict[int, dict[int, float]] = defaultdict(dict)
        self.claimants: dict[tuple[int, int], set[str]] = defaultdict(set)
        self.accepted: list[dict[str, Any]] = []
        self.done: dict[int, set[str]] = defaultdict(set)
        self.intended: dict[int, set[str]] = defaultdict(set)
        self.lost = 0
        self.refused: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.went: list[float] = []
        """When something was accepted."""
        for entry in entries(folder):
            getattr(self, f"on_{entry['event']}")(entry)

    def on_failed(self, entry: dict[str, Any]) -> None:
        self.failed.append(entry)

    def on_enqueued(self, entry: dict[str, Any]) -> None:
        self.went.append(entry["at"])
        self.enqueued.update(entry["uuids"])

    def on_claimed(self, entry: dict[str, Any]) -> None:
        number = fence(entry["lease"])
        times = self.claims[entry["task"]]
        times[number] = min(entry["at"], times.get(number, entry["at"]))
        self.claimants[entry["task"], number].add(entry["who"])

    def on_asked(self, entry: dict[str, Any]) -> None:
        if entry["step"] == "completed":
            self.intended[entry["task"]].add(entry["lease"])

    def on_accepted(self, entry: dict[str, Any]) -> None:
        self.accepted.append(entry)
        self.went.append(entry["at"])
        if entry["step"] == "completed":
            self.done[entry["task"]].add(entry["lease"])

    def on_lost(self, _: dict[str, Any]) -> None:
        self.lost += 1

    def on_refused(self, entry: dict[str, Any]) -> None:
        self.refused.append(entry)


def found(settings: Any) -> tuple[Rows, Rows]:
    """All tasks and all attempts as the database has them at one moment: timers go on."""
    connected = database.connect(settings, patient=True)
    try:
        with connected.read_transaction():
            return connected.rows(TASKS), connected.rows(ATTEMPTS)
    finally:
        connected.close()


def check(folder: Path, tasks: Rows, attempts: Rows) -> tuple[dict[str, int], dict[str, int]]:
    """What happened, and how often each promise was broken: name -> count."""
    told = Account(folder)
    outcomes: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for task, number, outcome in attempts:
        outcomes[task].append((number, outcome))
    known = {str(UUID(bytes=bytes(row[1]))) for row in tasks}
    happened = {
        "enqueues accepted": len(told.enqueued),
        "tasks in the database": len(tasks),
        "assignments": len(attempts),
        "completions accepted": sum(map(len, told.done.values())),
        "void leases refused": told.lost,
    }
    broken = {
        "accepted enqueues that are missing": len(told.enqueued - known),
        "tasks nobody enqueued": len(tasks) - len(known),
        "tasks completed otherwise than as ok": sum(
            row[2] == COMPLETED and row[3] != OK for row in tasks
        ),
        "tasks with two outcomes": sum(
            len(told.done[row[0]]) > 1 or ended_well(outcomes[row[0]]) > 1 for row in tasks
        ),
        "completions that are half written": sum(
            (row[2] == COMPLETED) != (ended_well(outcomes[row[0]]) > 0) for row in tasks
        ),
        "assignments without a record, or records without an end": sum(
            row[4] - len(outcomes[row[0]]) + sum(not end for _, end in outcomes[row[0]])
            for row in tasks
            if row[2] == COMPLETED
        ),
        "accepted completions that are missing": sum(
            bool(told.done[row[0]]) and row[2] != COMPLETED for row in tasks
        ),
        "outcomes that a void lease has written": sum(written_late(told, row) for row in tasks),
        "calls accepted under a lease that had passed on": sum(map(told_late(told), told.accepted)),
        "assignments handed to two executors": sum(len(who) > 1 for who in told.claimants.values()),
        "answers that nobody expects": len(told.refused),
    }
    return happened, broken


def ended_well(outcomes: list[tuple[int, str]]) -> int:
    """How many attempts at one task have succeeded."""
    return sum(outcome == "ok" for _, outcome in outcomes)


def written_late(told: Account, row: tuple[Any, ...]) -> bool:
    """Whether a task's outcome is not that of its last lease, or not what its executor was told."""
    task, _, state, _, last, payload = row
    if state != COMPLETED or not payload:
        return False
    lease = json.loads(payload)["lease"]
    accepted = told.done[task]
    return fence(lease) != last or lease not in (accepted or told.intended[task])


def told_late(told: Account) -> Any:
    """Whether a call was accepted that was sent when a later claim had already been answered."""

    def late(entry: dict[str, Any]) -> bool:
        mine = fence(entry["lease"])
        later = [at for number, at in told.claims[entry["task"]].items() if number > mine]
        return entry["step"] in HOLDING and any(at < entry["sent"] for at in later)

    return late
