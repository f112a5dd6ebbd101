"""A queue of which a caller may have one task in a hundred, for one reason or for four."""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.catalog.tasks import TASKS
from app.database import Database
from app.repository import invariants
from app.repository.dictionaries import digest
from app.repository.maintenance import schema
from benches import data

OWN, KIND, CALLER = 52, 30, "agent-1"
"""The caller's tenant, a customer; the type that it asks for; its id."""
PARTNER = 2 + (OWN * 7919) % data.PARTNERS
"""The partner above the customer."""
TENANTS, AGENTS, TYPES = 1_000, 1_000, 29
"""Of others."""
DAY = 86_400 * 10**9
MIXES = {
    "free": (),
    "affinity": ("affinity",),
    "notBefore": ("notBefore",),
    "tenant": ("tenant",),
    "type": ("type",),
    "all four": ("affinity", "notBefore", "tenant", "type"),
}
"""Why 99 in 100 tasks are not for the caller, each reason as often as the others; "free": all of
them are, whoever owns them and whatever their type."""
COLUMNS = (
    "id, uuid, type_id, queue_id, priority, state, tenant_id, branch_id, affinity_id, lane_id,"
    " enqueued_at, updated_at, ready, not_before, due_at"
)


def waiting(mix: str, count: int, first: int = 0) -> Iterator[tuple[Any, ...]]:
    """Rows of tasks as the service enqueues them, all before now; their lanes still as members.

    `first`: how many others are waiting already.
    """
    chance = random.Random(mix)
    owner, kind, reasons = data.Draw(chance, TENANTS, 0.9), data.Draw(chance, TYPES), MIXES[mix]
    branches = {row[0]: row[3] for row in data.tenants()}
    for number in range(count):
        tenant, type_, affinity, opens = OWN, KIND, 0, None
        if mix == "free":
            tenant, type_ = OWN + owner(), 1 + kind()
        elif number % 100 != 99:
            match reasons[number % len(reasons)]:
                case "affinity":
                    affinity = 2 + chance.randrange(AGENTS)
                case "notBefore":
                    opens = data.NOW + 10_000 * DAY
                case "tenant":
                    tenant = OWN + 1 + owner()
                case "type":
                    type_, tenant = 1 + kind(), OWN + owner()
        moment = data.NOW + (first + number) * 1_000
        yield (
            moment // 1000, chance.randbytes(16), type_, 1 + type_ % 12,
            chance.choices((1, 2, 3, 4, 5), (3, 3, 88, 3, 3))[0], 1, tenant, branches[tenant],
            affinity, (1 + type_ % 12, type_, tenant, affinity), moment, moment,
            int(opens is None), opens, opens,
        )  # fmt: skip


def finished(count: int) -> Iterator[Any]:
    """Completed tasks of all others."""
    done = (pair for pair in data.tasks(count * 100 // 95 + 1000, 1) if pair[0][5] == 5)
    return islice(done, count)


def load(database: Database, mix: str, count: int, completed: int) -> None:
    """An upgraded database with a queue of `count` tasks and `completed` others."""
    schema.upgrade(database)
    data.drop(database)
    with database.write_transaction():
        data.fill(database, "tenants", "id, uuid, parent_id, branch_id, locator, name",
                  data.tenants())  # fmt: skip
        for table, (columns, rows) in data.dictionaries(completed).items():
            data.fill(database, table, columns, rows)
    some = finished(completed)
    while batch := list(islice(some, data.BATCH)):
        data.write(database, batch, 0, False)
    put(database, mix, count)
    data.build(database)


def put(database: Database, mix: str, count: int, first: int = 0) -> None:
    """`count` more tasks wait, behind the `first` ones that were put before."""
    known = database.rows("SELECT queue_id, type_id, tenant_id, affinity_id, id FROM lanes")
    lanes: dict[tuple[int, ...], int] = {tuple(row[:4]): row[4] for row in known}
    old = len(lanes)
    next_ = max(lanes.values(), default=0) + 1 - old
    rows = waiting(mix, count, first)
    while block := list(islice(rows, data.BATCH)):
        made = [
            (*row[:9], lanes.setdefault(row[9], next_ + len(lanes)), *row[10:]) for row in block
        ]
        with database.write_transaction():
            data.fill(database, "tasks", COLUMNS, made)
            data.fill(database, "task_details", "task_id, queued_at",
                      [(row[0], row[10]) for row in block])  # fmt: skip
    new = list(lanes.items())[old:]
    with database.write_transaction():
        data.fill(database, "lanes", "id, digest, queue_id, type_id, tenant_id, affinity_id",
                  [(number, digest(lane), *lane) for lane, number in new])  # fmt: skip
        invariants.note(database, TASKS, [(0, None, None, 0, None)])
