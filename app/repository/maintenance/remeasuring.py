"""Bounds of tasks measured anew: they narrow again when the rows that needed them are few or gone.

Who writes remembers bounds for a moment (`facts.GOOD_SECONDS`), as they else only widen. So they
narrow in two steps: first for those who write, while lists rely on none; and when nobody can
remember the wide ones any more, the rows beyond the narrow ones are listed (`apart`), and lists
rely on them. Interrupted in between, lists are slow and right, and a rerun mends it.
"""

from time import sleep

from app.catalog.tasks import TASKS
from app.database import Database
from app.models import Invariant
from app.repository import apart, invariants
from app.repository.indexing import beside_others
from app.repository.invariants import Bounds
from app.repository.work.facts import GOOD_SECONDS

HALVED = {"sqlite": "/ 2", "mysql": "DIV 2"}
"""Distances are compared by their halves: whole ones may need 65 bits."""
BEYOND = """
    ({time} IS NOT NULL AND ({born} IS NULL
        OR ({time} > {born} AND {time} {halved} - {born} {halved} > {after})
        OR ({time} < {born} AND {born} {halved} - {time} {halved} > {before})))
"""
STEP = 4
"""How much wider bounds are tried the next time."""
FEW = apart.MOST // 2
"""Rows beyond the bounds for which it is worth while: as many may yet come."""
CLUSTER = "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_state_uuid'"
FAR = "SELECT id FROM tasks WHERE {far} LIMIT {most}"
FENCE = ("LOCK TABLES tasks WRITE", "UNLOCK TABLES")
"""Waits for all transactions that have touched a task."""


def remeasure(database: Database) -> bool:
    """Narrow the bounds of tasks as far as few rows lie beyond -> whether there was anything to do.

    Not in a cluster, where nobody can wait for the writers of other servers. Raises Unavailable.
    """
    bounds = invariants.known(database)
    if clustered(database):
        return False
    narrow = narrower(database, bounds)
    if narrow == bounds and not bounds.get(invariants.measured(TASKS)):
        return False
    fence(database)  # may it? Before anything is changed
    announce(database, narrow)
    sleep(2 * GOOD_SECONDS)
    fence(database)
    settle(database)
    return True


def clustered(database: Database) -> bool:
    """Whether other servers take writes as well."""
    found = database.row(CLUSTER) if database.dialect == "mysql" else None
    return bool(found and found[1])


def narrower(database: Database, bounds: Bounds) -> Bounds:
    """`bounds`, none wider than the least power of two beyond which few rows lie."""
    limit, widest = apart.FLOOR, max(bounds.get(name, 0) for name in names())
    while limit < widest:
        narrow = bounds | {name: min(bounds.get(name, 0), limit) for name in names()}
        if len(beyond(database, narrow, FEW + 1)) <= FEW:
            return narrow
        limit *= STEP
    return bounds


def names() -> list[str]:
    """The names of the bounds of tasks."""
    return [name for pair in invariants.names(TASKS) for name in pair]


def beyond(database: Database, bounds: Bounds, most: int) -> list[int]:
    """The ids of tasks that do not keep to `bounds`, so many at most."""
    born, *times = invariants.times(TASKS)
    far = []
    for time, pair in zip(times, invariants.names(TASKS), strict=True):
        after, before = (bounds.get(name, 0) for name in pair)
        if min(after, before) < invariants.UNBOUND:
            words = {"after": after // 2 - 1, "before": before // 2 - 1}
            far.append(
                BEYOND.format(time=time, born=born, halved=HALVED[database.dialect], **words)
            )
    if not far:
        return []
    return [row[0] for row in database.rows(FAR.format(far=" OR ".join(far), most=most))]


def fence(database: Database) -> None:
    """Whoever is writing a task has ended, or begins after this. Raises Unavailable."""
    if database.dialect == "sqlite":
        with database.write_transaction():
            return
    beside_others(database, lambda: [database.run(text) for text in FENCE])


def announce(database: Database, bounds: Bounds) -> None:
    """Who writes keeps to `bounds` from now on; lists rely on none."""

    def act() -> None:
        with database.write_transaction():
            invariants.changed(database)
            mark = Invariant.insert(name=invariants.measured(TASKS), value=1)
            database.change(mark.on_conflict_ignore())
            for name in names():
                value = bounds.get(name, 0)
                row = Invariant.update(value=value).where(Invariant.name == name)
                database.change(row.where(Invariant.value > value))

    database.retried(act, repeatable=True)


def settle(database: Database) -> None:
    """The rows that lie beyond are listed, and lists rely on the bounds."""
    bounds, limit = invariants.known(database), apart.FLOOR
    while len(far := beyond(database, bounds, apart.MOST + 1)) > apart.MOST:
        limit = min(limit * STEP, invariants.UNBOUND)
        bounds |= {name: max(bounds.get(name, 0), limit) for name in names()}

    def act() -> None:
        with database.write_transaction():
            invariants.changed(database)  # first, as who writes: else two could wait for each other
            invariants.widen(database, {name: bounds.get(name, 0) for name in names()})
            for row in far:
                apart.add(database, TASKS, row)
            done = Invariant.delete().where(Invariant.name == invariants.measured(TASKS))
            database.change(done)

    database.retried(act, repeatable=True)
