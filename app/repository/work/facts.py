"""The facts of a task read and written: the one place that compares and sets.

A step reads the facts in one statement, makes new ones of them, and writes the difference under the
condition that the task is still as it was read: of two that race, exactly one wins, and the other
looks again. No lock is held in between.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import peewee

from app import clock
from app.catalog.tasks import TASKS
from app.database import Database
from app.errors import Unavailable
from app.repository import apart, invariants
from app.repository.sentences import Columns, rows, update
from app.repository.work import lanes
from app.transitions import OWN, Facts, seen

Result = TypeVar("Result")
TRIES = 30
"""How often an act looks again because somebody else was faster."""
BOUNDS = "bounds"
STALE = "bounds are stale"
GOOD_SECONDS = 2
"""How long they are remembered: somebody may have measured them anew, and narrower."""

COLUMNS = ", ".join(
    [f"t.{name}" for name in OWN]
    + [f"d.{name}" for name in Facts._fields if name not in OWN and name != "tagged"]
    + ["d.tags IS NOT NULL"]
)
SOURCE = "FROM tasks t JOIN task_details d ON d.task_id = t.id"
SELECT = f"SELECT {COLUMNS} {SOURCE}"
ONE = f"{SELECT} WHERE t.id = ?"
FREE = " AND t.ready = 1 FOR UPDATE SKIP LOCKED"
"""Only when nobody else is at it: who claims goes on to the next task instead of waiting."""
ALONE = " FOR UPDATE"
"""Nobody changes the task until the transaction ends: for what is written beside it."""


class Moved(Exception):
    """Somebody else changed the task between reading and writing: look again."""


def read(database: Database, task: int) -> Facts | None:
    """The facts of a task as they stand, or None when there is none."""
    found = rows(database, ONE, (task,))
    return Facts._make(found[0]) if found else None


def read_alone(database: Database, task: int) -> Facts | None:
    """The facts of a task that nobody else changes before the open transaction ends."""
    found = rows(database, ONE + (ALONE if database.dialect == "mysql" else ""), (task,))
    return Facts._make(found[0]) if found else None


def read_free(database: Database, task: int) -> Facts | None:
    """The facts of a task that can be claimed, or None when it cannot, or somebody is at it."""
    # SQLite has one writer at a time, and that is us.
    found = rows(database, ONE + (FREE if database.dialect == "mysql" else ""), (task,))
    facts = Facts._make(found[0]) if found else None
    return facts if facts and facts.ready else None


def differing(old: Facts, new: Facts) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns that differ: of the task itself, and of its details."""
    own: dict[str, Any] = {}
    details: dict[str, Any] = {}
    for name, before, after in zip(Facts._fields, old, new, strict=True):
        if before != after:
            (own if name in OWN else details)[name] = after
    return own, details


def store(database: Database, old: Facts, new: Facts, also: Columns | None = None) -> None:
    """Write what differs between `old` and `new`, in the transaction that is open.

    `also`: further columns of the details, JSON mostly. A change that callers can see counts as a
    revision; a lease that is only prolonged does not. Raises Moved.
    """
    own, details = differing(old, new)
    details |= also or {}
    if not own and not details:
        return
    if also or seen(old, new):
        own["revision"] = old.revision + 1
    if not written(database, old, own):
        raise Moved
    if "revision" in own:
        keep_bounds(database, new)
    if details:
        update(database, "task_details", details, {"task_id": old.id})
    mirror(database, old, new)


def written(database: Database, old: Facts, own: Columns) -> bool:
    """Whether the task still was as `old` says, and now has the columns `own`."""
    keys: dict[str, Any] = {
        "id": old.id,
        "state": old.state,
        "fence": old.fence,
        "revision": old.revision,
        # A lease that was renewed meanwhile must not be taken for one that has passed, nor what an
        # import has put in place of a task for that task.
        "due_at": old.due_at,
    }
    return update(database, "tasks", own, keys, direct=True) == 1


def mirror(database: Database, old: Facts, new: Facts) -> None:
    """Keep the times that the rows of its tags repeat."""
    times = {
        name: getattr(new, name)
        for name in ("started_at", "completed_at")
        if getattr(old, name) != getattr(new, name)
    }
    if times and old.tagged:
        update(database, "task_tags", times, {"task_id": new.id})


def keep_bounds(database: Database, new: Facts) -> None:
    """Keep the planner's bounds true for a task just written, in the open transaction.

    Not before: who measures bounds anew waits for transactions that have touched a task, and for
    those that have not what is remembered has to be good.
    """
    row = times(new)
    if not invariants.hold(TASKS, remembered(database), (row,)):
        database.memory[STALE] = True
        apart.note(database, TASKS, new.id, row)


def widen(database: Database, needed: dict[str, int]) -> None:
    """Make the kept bounds no smaller than `needed`; mostly they are known to be large enough."""
    known = remembered(database)
    if any(known.get(name, 0) < value for name, value in needed.items()):
        database.memory[STALE] = True
        invariants.widen(database, needed)


def times(facts: Facts) -> tuple[int | None, ...]:
    """The times of which the bounds speak, in their order."""
    return (
        facts.enqueued_at, facts.assigned_at, facts.started_at, facts.updated_at,
        facts.completed_at,
    )  # fmt: skip


def refresh_bounds(database: Database) -> None:
    """Remember the committed bounds, outside any transaction: what is rolled back is no bound."""
    moment = clock.monotonic()
    _, until = database.memory.get(BOUNDS, ({}, moment))
    if moment >= until or database.memory.get(STALE, True):
        database.memory[STALE] = False
        database.memory[BOUNDS] = (invariants.known(database), moment + GOOD_SECONDS)


def remembered(database: Database) -> invariants.Bounds:
    """The bounds as they were committed a moment ago; none are known that are older."""
    known, until = database.memory.get(BOUNDS, ({}, 0.0))
    return known if clock.monotonic() < until else {}


def attempted(database: Database, act: Callable[[], Result], repeatable: bool = True) -> Result:
    """What `act`, a whole transaction, answers; run again while others are faster.

    `repeatable`: whether it sees that it was done already, as steps under a lease do. Raises
    Unavailable when that never ends, and what `act` raises.
    """
    for _ in range(TRIES):
        refresh_bounds(database)
        try:
            return database.retried(act, repeatable)
        except Moved:
            continue
        except peewee.IntegrityError:
            # Two wrote the same row of bounds, attempts or keys for the first time.
            database.memory[STALE] = True
    raise Unavailable(reason="too many calls change the same task")


def lane_of(facts: Facts) -> lanes.Members:
    """The lane of a task, as members."""
    return (facts.queue_id, facts.type_id, facts.tenant_id, facts.affinity_id)
