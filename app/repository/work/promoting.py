"""Tasks that wait for their time become ready, and imported ones get their lanes."""

from collections.abc import Sequence
from typing import Any

from app.database import Database
from app.repository.sentences import hinted, rows
from app.repository.work import lanes
from app.repository.work.facts import attempted, lane_of, read, store
from app.signals import queued
from app.transitions import settled

MOST = 20_000
"""Tasks among which a claim looks for the most urgent; upkeep does the rest."""
DUE = "FROM tasks {index} WHERE due_at <= ? AND state = 1 AND ready = 0 LIMIT ?"
COLUMNS = "id, priority, enqueued_at, queue_id, type_id, tenant_id, affinity_id"
URGENT = """
SELECT l.id FROM ({due}) l WHERE {where} ORDER BY l.priority DESC, l.enqueued_at, l.id LIMIT ?
"""
INDEX = "tasks_due_at"


def due(database: Database, columns: str) -> str:
    """A SELECT of what has come of time and is not ready yet; its values: when, how many."""
    return " ".join(("SELECT", columns, hinted(database, DUE, INDEX)))


def promote(database: Database, now: int, where: str, values: Sequence[Any], wanted: int) -> int:
    """Make ready the `wanted` most urgent of what has waited until `now` and satisfies `where`, a
    condition on `l` with its values; what was imported gets its lane -> how many."""
    text = URGENT.format(due=due(database, COLUMNS), where=where)
    found = rows(database, text, (now, MOST, *values, wanted))
    return sum(promoted(database, task, now) for (task,) in found)


def promoted(database: Database, task: int, now: int) -> bool:
    """Whether a task that was waiting for its time is ready now. No step: nobody sees a change."""
    first = read(database, task)
    if first is None:
        return False
    lane = lane_of(first)
    number = first.lane_id or lanes.numbers(database, [lane])[lane]

    def act() -> bool:
        with database.write_transaction():
            old = read(database, task)
            if old is None or old.state != 1 or old.ready:
                return False
            new = settled(old._replace(lane_id=number), now)
            store(database, old, new)
            return new.ready == 1

    ready = attempted(database, act)
    if ready:
        queued.send(database=database, arrivals=[(lane, None)])
    return ready
