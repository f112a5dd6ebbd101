"""Tasks that wait for their time become ready, and imported ones get their lanes."""

from app.database import Database
from app.repository import lanes
from app.repository.facts import attempted, lane_of, read, store
from app.repository.sentences import hinted, rows
from app.signals import queued
from app.transitions import settled

MOST = 100
"""Tasks that one claim makes ready at most; upkeep does the rest."""
DUE = "FROM tasks {index} WHERE due_at <= ? AND state = 1 AND ready = 0 LIMIT ?"
INDEX = "tasks_due_at"


def due(database: Database, columns: str) -> str:
    """A SELECT of what has come of time and is not ready yet; its values: when, how many."""
    return " ".join(("SELECT", columns, hinted(database, DUE, INDEX)))


def promote(database: Database, now: int) -> int:
    """Make ready what has waited until `now`, and put imported tasks into lanes -> how many."""
    found = rows(database, due(database, "id"), (now, MOST))
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
