"""How the queues stand: counted from indexes, for whoever watches the service."""

from dataclasses import dataclass, field

from app.database import Database
from app.repository.dictionaries import QUEUES, entries_of
from app.repository.sentences import rows
from app.vocabulary import State

SECOND = 1_000_000_000
ALL = "SELECT queue_id, COUNT(*) FROM tasks GROUP BY queue_id"
OPEN = "SELECT queue_id, state, COUNT(*) FROM tasks WHERE state < 5 GROUP BY queue_id, state"
OLDEST = """
SELECT l.queue_id, MIN(t.enqueued_at) FROM lanes l JOIN tasks t ON t.lane_id = l.id AND t.ready = 1
GROUP BY l.queue_id
"""
Counts = dict[tuple[str, State], int]


@dataclass(frozen=True)
class Standing:
    """How many tasks of each queue are in each state, and how long the oldest one has waited."""

    tasks: Counts = field(default_factory=dict)
    """The completed ones include those that were deleted."""
    waiting: dict[str, float] = field(default_factory=dict)
    """Seconds since the oldest task that can be claimed was enqueued; queues that have one."""


def standing(database: Database, now: int) -> Standing:
    """How the queues stand at `now`. Raises Unavailable."""
    every = dict(rows(database, ALL, ()))
    opened = rows(database, OPEN, ())
    oldest = rows(database, OLDEST, ())
    # A queue may have come between two of these.
    seen = {*every, *(row[0] for row in (*opened, *oldest))}
    known = entries_of(database, QUEUES, seen)
    names = {number: str(entry[0]) for number, entry in known.items() if number is not None}
    counts: Counts = dict.fromkeys(((names[queue], state) for queue in every for state in State), 0)
    for queue, state, count in opened:
        counts[names[queue], list(State)[state - 1]] = count
    for queue, count in every.items():
        there = sum(counts[names[queue], state] for state in State if state is not State.COMPLETED)
        # A task may have come between the two counts.
        counts[names[queue], State.COMPLETED] = max(0, count - there)
    ages = {names[queue]: max(0, now - since) / SECOND for queue, since in oldest if since}
    return Standing(counts, ages)
