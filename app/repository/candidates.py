"""Which tasks a claim would have, in order: priority, then age, then number.

Ready tasks lie in lanes: one for each queue, type, tenant and affinity, with an index that has the
head of each lane first. Three ways lead to the most urgent tasks, tried in turn:

1. the heads of all lanes that the caller may have, when those are few: whatever else waits, and
   however much of it, is never looked at;
2. where they are many, all ready tasks in order, testing each, for a bounded number of tasks: a
   caller who may have many lanes soon meets a task of his;
3. the heads of all lanes, however many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.database import Database
from app.repository import lanes
from app.repository.dictionaries import (
    AGENTS,
    QUEUES,
    TYPES,
    Dictionary,
    Entry,
    found,
    memory,
    numbers,
)
from app.repository.facts import attempted, lane_of, read, store
from app.repository.sentences import rows
from app.repository.tenants import Node
from app.signals import queued
from app.transitions import settled

FEW = 128
"""Lanes whose heads are compared at once."""
WALKED = (24, 400)
"""Ready tasks that a walk looks at, of each affinity, before it looks further or gives up."""
TENANTS = 200
"""Tenants of a subtree that are listed one by one."""
PROMOTED = 100
"""Tasks that one claim makes ready at most; upkeep does the rest."""


@dataclass(frozen=True)
class Wish:
    """What a claim asks for: who asks, out of which subtree, which queues and types (None: all)."""

    executor: Entry
    """Id and cluster's id, "" for none."""
    tenant: Node
    queues: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None

    @property
    def affinities(self) -> list[Entry]:
        """The affinities that the executor satisfies, besides none at all."""
        agent, cluster = self.executor
        return [self.executor, (agent, ""), ("", cluster)] if cluster else [self.executor]


@dataclass(frozen=True)
class Terms:
    """A wish in numbers. None: no condition."""

    affinities: tuple[int, ...]
    queues: tuple[int, ...] | None
    types: tuple[int, ...] | None
    tenants: tuple[int, ...] | None
    below: str | None
    """The subtree's locator, when it has too many tenants to list."""


BELOW = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM tenants WHERE id = ?
    UNION ALL SELECT t.id FROM tenants t JOIN below b ON t.parent_id = b.id
) SELECT id FROM below LIMIT ?
"""
HEADS = """
SELECT t.id, t.priority, t.enqueued_at, t.lane_id FROM lanes l JOIN tasks t ON t.id = (
    SELECT h.id FROM tasks h WHERE h.lane_id = l.id AND h.ready = 1
    ORDER BY h.priority DESC, h.enqueued_at, h.id LIMIT 1
)"""
COUNTED = "SELECT COUNT(*) FROM (SELECT l.id FROM lanes l"
LANE = """
SELECT * FROM (
    SELECT id, priority, enqueued_at FROM tasks WHERE lane_id = ? AND ready = 1
    ORDER BY priority DESC, enqueued_at, id LIMIT ?
) AS lane"""
WALK = """
SELECT t.id, t.priority, t.enqueued_at FROM (
    SELECT id, priority, enqueued_at, lane_id FROM tasks WHERE affinity_id = ? AND ready = 1
    ORDER BY priority DESC, enqueued_at, id LIMIT ?
) t JOIN lanes l ON l.id = t.lane_id"""
LONG = """
SELECT COUNT(*) FROM (
    SELECT 1 AS one FROM tasks WHERE affinity_id = ? AND ready = 1 LIMIT ?
) AS some"""
UNREADY = "SELECT id FROM tasks WHERE due_at <= ? AND state = 1 AND ready = 0 LIMIT ?"

Candidate = tuple[int, int, int]
"""Number, priority, enqueued at."""


def rank(candidate: Sequence[Any]) -> tuple[int, int, int]:
    """What candidates are sorted by."""
    return -candidate[1], candidate[2] or 0, candidate[0]


def known(database: Database, dictionary: Dictionary, names: Sequence[str]) -> tuple[int, ...]:
    """The numbers of those of `names` that have one: nothing is made of the others."""
    there = memory(database, dictionary, "numbers")
    missing = [(name,) for name in names if (name,) not in there]
    if missing:
        there.update(found(database, dictionary, missing))
    return tuple(sorted({there[(name,)] for name in names if (name,) in there}))


def terms(database: Database, wish: Wish) -> Terms | None:
    """`wish` in numbers; None: it names no queue or no type that there is."""
    affinities = numbers(database, AGENTS, wish.affinities).values()
    queues = None if wish.queues is None else known(database, QUEUES, wish.queues)
    types = None if wish.types is None else known(database, TYPES, wish.types)
    if queues == () or types == ():
        return None
    tenants, below = None, None
    if not wish.tenant.root:
        listed = tuple(row[0] for row in rows(database, BELOW, (wish.tenant.id, TENANTS + 1)))
        tenants = listed if len(listed) <= TENANTS else None
        below = None if tenants else wish.tenant.locator
    return Terms((0, *affinities), queues, types, tenants, below)


def condition(wanted: Terms, affinity: bool = True) -> tuple[str, list[Any]]:
    """The conditions on a lane `l`, and their values."""
    text: list[str] = []
    values: list[Any] = []
    lists = (
        ("l.affinity_id", wanted.affinities if affinity else None),
        ("l.queue_id", wanted.queues),
        ("l.type_id", wanted.types),
        ("l.tenant_id", wanted.tenants),
    )
    for column, some in lists:
        if some is not None:
            text.append(" ".join((column, "IN (", ", ".join("?" * len(some)), ")")))
            values += some
    if wanted.below is not None:
        text.append("EXISTS (SELECT 1 FROM tenants n WHERE n.id = l.tenant_id"
                    " AND n.locator >= ? AND n.locator < ?)")  # fmt: skip
        # "0" follows "/": everything that begins with the locator lies between.
        values += [wanted.below, wanted.below[:-1] + "0"]
    return " WHERE " + " AND ".join(text or ["1 = 1"]), values


def candidates(database: Database, wish: Wish, wanted: int) -> list[int]:
    """Numbers of up to `wanted` tasks for `wish`, the most urgent first."""
    asked = terms(database, wish)
    if asked is None:
        return []
    if few(database, asked):
        return heads(database, asked, wanted)
    for length in WALKED:
        walked = walk(database, asked, wanted, length)
        if walked is not None:
            return walked
    return heads(database, asked, wanted)


def few(database: Database, asked: Terms) -> bool:
    """Whether the lanes that would do are few."""
    where, values = condition(asked)
    text = COUNTED + where + " LIMIT ?) AS some"
    return int(rows(database, text, (*values, FEW + 1))[0][0]) <= FEW


def heads(database: Database, asked: Terms, wanted: int) -> list[int]:
    """Numbers of the most urgent tasks, from the heads of the lanes."""
    where, values = condition(asked)
    tops = sorted(rows(database, HEADS + where, values), key=rank)[:wanted]
    if wanted == 1 or not tops:
        return [row[0] for row in tops]
    # What is among the first has its lane's head among the first.
    text = " UNION ALL ".join([LANE] * len(tops))
    lanes_first = rows(database, text, [value for row in tops for value in (row[3], wanted)])
    return [row[0] for row in sorted(lanes_first, key=rank)[:wanted]]


def walk(database: Database, asked: Terms, wanted: int, length: int) -> list[int] | None:
    """The same from the first `length` ready tasks of each affinity; None: they do not tell."""
    where, values = condition(asked, affinity=False)
    met: list[Candidate] = []
    for affinity in dict.fromkeys(asked.affinities):
        some = rows(database, WALK + where, (affinity, length, *values))
        if len(some) < wanted and longer(database, affinity, length):
            return None
        met += some
    return [row[0] for row in sorted(met, key=rank)[:wanted]]


def longer(database: Database, affinity: int, length: int) -> bool:
    """Whether there are more ready tasks of an affinity than a walk looks at."""
    return int(rows(database, LONG, (affinity, length + 1))[0][0]) > length


def promote(database: Database, now: int) -> int:
    """Make ready what has waited for its time, and put imported tasks into lanes -> how many.

    Bounded: claims do it so that they need not wait for upkeep.
    """
    due = rows(database, UNREADY, (now, PROMOTED))
    return sum(promoted(database, task, now) for (task,) in due)


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
