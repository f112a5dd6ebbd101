"""What a claim asks for: in words, in numbers, and as a condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.database import Database
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
from app.repository.sentences import rows
from app.repository.tenants import Node

TENANTS = 200
"""Tenants of a subtree that are listed one by one."""
BELOW = """
WITH RECURSIVE below (id) AS (
    SELECT id FROM tenants WHERE id = ?
    UNION ALL SELECT t.id FROM tenants t JOIN below b ON t.parent_id = b.id
) SELECT id FROM below LIMIT ?
"""


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
    tenant: Node

    @property
    def branch(self) -> bool:
        """Whether the subtree is all below one of the root's children, that one included."""
        return self.tenant.id == self.tenant.branch_id


@dataclass(frozen=True)
class Subtree:
    """The tenants of a subtree: listed, or (None) the locator that theirs begin with."""

    tenants: tuple[int, ...] | None
    locator: str


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
    return Terms(tuple(dict.fromkeys((0, *affinities))), queues, types, wish.tenant)


def subtree(database: Database, top: Node) -> Subtree | None:
    """The tenants from `top` down; None: they are all that there are."""
    if top.root:
        return None
    listed = tuple(row[0] for row in rows(database, BELOW, (top.id, TENANTS + 1)))
    return Subtree(listed if len(listed) <= TENANTS else None, top.locator)


def condition(asked: Terms, within: Subtree | None, affinity: bool = True) -> tuple[str, list[Any]]:
    """The conditions on a lane or on a task, `l`, and their values."""
    text: list[str] = []
    values: list[Any] = []
    lists = (
        ("l.affinity_id", asked.affinities if affinity else None),
        ("l.queue_id", asked.queues),
        ("l.type_id", asked.types),
        ("l.tenant_id", within.tenants if within else None),
    )
    for column, some in lists:
        if some is not None:
            text.append(" ".join((column, "IN (", ", ".join("?" * len(some)), ")")))
            values += some
    if within is not None and within.tenants is None:
        text.append("EXISTS (SELECT 1 FROM tenants n WHERE n.id = l.tenant_id"
                    " AND n.locator >= ? AND n.locator < ?)")  # fmt: skip
        # "0" follows "/": everything that begins with the locator lies between.
        values += [within.locator, within.locator[:-1] + "0"]
    return " AND ".join(text or ["1 = 1"]), values
