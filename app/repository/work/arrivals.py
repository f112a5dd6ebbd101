"""What has come into the queues of late, whichever process brought it, and whom it suits."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.database import Database
from app.repository import invariants, tenants
from app.repository.dictionaries import AGENTS, QUEUES, TYPES, Entry, entries_of
from app.repository.sentences import rows
from app.repository.work.lanes import Members
from app.repository.work.wishes import Wish

BACK = 5_000_000_000
"""Nanoseconds that are looked back further: a commit may come that much later than its time."""
AHEAD = 3_000_000_000
"""Nanoseconds ahead for which tasks that wait for their time are kept in mind."""
MOST = 500
CROWD = 5_000
"""Tasks that were enqueued of late and are looked at: several bulks that came together."""
OF_ONE = 50
"""Those of one lane that are told: there are not many more who wait."""
RECENT = """
SELECT queue_id, type_id, tenant_id, affinity_id, COUNT(*) FROM (
    SELECT queue_id, type_id, tenant_id, affinity_id FROM tasks
    WHERE state = 1 AND state < 5 AND updated_at > ? AND ready = 1 ORDER BY updated_at DESC LIMIT ?
) recent GROUP BY queue_id, type_id, tenant_id, affinity_id
"""
UPCOMING = """
SELECT queue_id, type_id, tenant_id, affinity_id, not_before FROM tasks
WHERE due_at BETWEEN ? AND ? AND state = 1 AND ready = 0 AND not_before IS NOT NULL LIMIT ?
"""
LOADED = "SELECT value FROM invariants WHERE name = ?"
LOCATORS = "locators"
REMEMBERED = 10_000

Arrival = tuple[Members, int | None]
"""A lane that has got a task, and before when it is not handed out."""


@dataclass(frozen=True)
class Described:
    """A lane in words."""

    queue: str
    type: str
    locator: str
    affinity: Entry

    def suits(self, wish: Wish) -> bool:
        """Whether a claim of `wish` may have a task of this lane."""
        agent, cluster = self.affinity
        return (
            (wish.queues is None or self.queue in wish.queues)
            and (wish.types is None or self.type in wish.types)
            and self.locator.startswith(wish.tenant.locator)
            and agent in ("", wish.executor[0])
            and cluster in ("", wish.executor[1])
        )


def recent(database: Database, since: int, now: int) -> list[Arrival]:
    """What can be claimed and has changed since then or shortly before, and what soon can be."""
    found: list[Arrival] = []
    for queue, kind, tenant, affinity, count in rows(database, RECENT, (since - BACK, CROWD)):
        found += [((queue, kind, tenant, affinity), None)] * min(count, OF_ONE)
    for *lane, moment in rows(database, UPCOMING, (since - BACK, now + AHEAD, MOST)):
        found.append(((lane[0], lane[1], lane[2], lane[3]), None if moment <= now else moment))
    return found


def loads(database: Database) -> int:
    """How often tasks were imported, whose times may be of any age."""
    found = rows(database, LOADED, (invariants.LOADS,))
    return int(found[0][0]) if found else 0


def described(
    database: Database, arrivals: Iterable[Arrival]
) -> list[tuple[Members, int | None, Described]]:
    """The same with each lane in words."""
    some = list(arrivals)
    queues = entries_of(database, QUEUES, {lane[0] for lane, _ in some})
    types = entries_of(database, TYPES, {lane[1] for lane, _ in some})
    agents = entries_of(database, AGENTS, {lane[3] for lane, _ in some if lane[3]})
    located = locators(database, {lane[2] for lane, _ in some})
    return [
        (lane, moment, Described(
            queues[lane[0]][0], types[lane[1]][0], located[lane[2]],
            agents[lane[3]] if lane[3] else ("", "")))
        for lane, moment in some if lane[2] in located
    ]  # fmt: skip


def locators(database: Database, numbers: set[int]) -> dict[int, str]:
    """The locators of tenants, which never change; remembered."""
    known: dict[int, str] = database.memory.setdefault(LOCATORS, {})
    if len(known) > REMEMBERED:
        known = database.memory[LOCATORS] = {}
    if missing := numbers - known.keys():
        known.update((n, node.locator) for n, node in tenants.by_ids(database, missing).items())
    return known
