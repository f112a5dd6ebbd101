"""What goes with the end of an attempt: its record is closed, its activities are settled.

Runs in the transaction that has just changed the task: its row is ours until the commit, so no
activity can be made meanwhile.
"""

from collections.abc import Sequence

from app.catalog.activities import ACTIVITIES
from app.catalog.times import LAST
from app.database import Database
from app.lifecycle import COMPLETED, ENQUEUED
from app.repository import invariants
from app.repository.sentences import rows, run, spoken, update
from app.repository.work.facts import widen
from app.transitions import Facts, after
from app.vocabulary import ResultCode

OPEN_ONES = """
SELECT id, state, sustainable, created_at, started_at, updated_at FROM activities
WHERE task_id = ? AND state <> 5
"""
ABANDON = """
UPDATE activities SET state = ?, result = ?, completed_at = ?, updated_at = ?,
    revision = revision + 1
WHERE id = ?
"""
REQUEUE = """
UPDATE activities SET state = ?, executor_id = NULL, started_at = NULL, updated_at = ?,
    revision = revision + 1
WHERE id = ?
"""
MARK = """
UPDATE activities SET deleted_at = ?, revision = revision + 1,
    updated_at = CASE WHEN updated_at < ? OR updated_at IS NULL THEN ?
        WHEN updated_at = ? THEN updated_at ELSE updated_at + 1 END
WHERE task_id = ? AND deleted_at IS NULL
"""
UNMARK = """
UPDATE activities SET deleted_at = NULL, revision = revision + 1,
    updated_at = CASE WHEN updated_at < ? OR updated_at IS NULL THEN ?
        WHEN updated_at = ? THEN updated_at ELSE updated_at + 1 END
WHERE task_id = ? AND deleted_at = ?
"""
EXTREMES = """
SELECT MIN(created_at), COUNT(*) - COUNT(created_at), MAX(updated_at) FROM activities
WHERE task_id = ?
"""


def close(
    database: Database,
    old: Facts,
    now: int,
    outcome: str,
    reason: str | None = None,
    ended_by: bytes | None = None,
) -> None:
    """End the record of the attempt under which `old` was held; imported tasks may have none."""
    ended = {"ended_at": now, "outcome": outcome, "reason": reason, "ended_by": ended_by}
    update(database, "attempts", ended, {"task_id": old.id, "number": old.fence})


def settle(database: Database, new: Facts) -> None:
    """Put the activities of a task that has left its executor into their places.

    A sustainable one waits with a task that is back in the queue; all others that are not completed
    are abandoned.
    """
    gone, kept = [], []
    times: list[tuple[int | None, ...]] = []
    for row, state, sustainable, created, begun, updated in rows(database, OPEN_ONES, (new.id,)):
        times_so_far = (new.updated_at, created, begun, after(updated))
        moment = max(t for t in times_so_far if t is not None)
        if new.state == ENQUEUED.code and sustainable:
            if state != ENQUEUED.code:
                kept.append((ENQUEUED.code, moment, row))
                times.append((created, None, moment, None))
        else:
            abandoned = (COMPLETED.code, ResultCode.ABANDONED.code, moment, moment, row)
            gone.append(abandoned)
            times.append((created, begun, moment, moment))
    for text, some in ((ABANDON, gone), (REQUEUE, kept)):
        if some:
            database.run_many(spoken(database.mark, text), some)
    keep_bounds(database, times)


def keep_bounds(database: Database, times: Sequence[Sequence[int | None]]) -> None:
    """Keep the planner's bounds true for activities with these times, in the open transaction."""
    widen(database, invariants.needed(ACTIVITIES, times))


def mark(
    database: Database, task: int, deleted_at: int | None, before: int | None, now: int
) -> None:
    """Delete the activities of a task at `deleted_at`, or (None) restore those deleted `before`."""
    if deleted_at is not None:
        run(database, MARK, (deleted_at, now, now, LAST, task))
    else:
        run(database, UNMARK, (now, now, LAST, task, before))
    [(first, unborn, latest)] = rows(database, EXTREMES, (task,))
    if first is not None or unborn:
        keep_bounds(database, [(None if unborn else first, None, latest, None)])
