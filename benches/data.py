"""Benchmark data: many tasks of a large service provider, the same for the same seed.

Ninety days; 30 types and 12 queues in zipf-like shares, 5,000 tenants (50 partners, customers below
them), 3,000 policies, one resource for 50 tasks, 10,000 users, 20,000 agents, 200 tags of which a
task has 0 to 4; three in a hundred tasks are not completed.
"""

import random
from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from app.catalog.activities import ACTIVITIES
from app.catalog.indexes import INDEXES, Index
from app.catalog.tasks import TASKS
from app.database import Database
from app.repository import invariants
from app.repository.figures import refilling
from app.repository.maintenance import schema

NOW = 1_790_000_000_000_000_000
DAY = 86_400_000_000_000
DAYS = 90
PARTNERS, TENANTS = 50, 5_000
BATCH = 20_000
SCATTER = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Numbers times this are UUIDs in no order."""


def zipf(count: int, power: float = 1.0) -> list[float]:
    """Cumulative shares of `count` values, the first the most frequent."""
    return list(accumulate(1 / (rank + 1) ** power for rank in range(count)))


class Draw:
    """Draws from cumulative shares."""

    def __init__(self, chance: random.Random, count: int, power: float = 1.0) -> None:
        self.chance, self.shares = chance, zipf(count, power)

    def __call__(self) -> int:
        return bisect(self.shares, self.chance.random() * self.shares[-1])


def tenants() -> list[tuple[Any, ...]]:
    """Rows of the tenants' table below the root."""
    rows = []
    for number in range(2, TENANTS + 2):
        partner = number < PARTNERS + 2
        parent = 1 if partner else 2 + (number * 7919) % PARTNERS
        locator = f"/1/{number}/" if partner else f"/1/{parent}/{number}/"
        branch = number if partner else parent
        rows.append(
            (number, number.to_bytes(16, "big"), parent, branch, locator, f"tenant {number}")
        )
    return rows


def dictionaries(tasks: int) -> dict[str, tuple[str, list[tuple[Any, ...]]]]:
    """Rows of the dictionaries' tables, with their columns."""

    def named(word: str, count: int) -> list[tuple[Any, ...]]:
        return [(number, f"{word} {number:06}") for number in range(1, count + 1)]

    def triple(word: str, count: int) -> list[tuple[Any, ...]]:
        return [
            (n, n.to_bytes(16, "big"), f"{word}-{n}", f"{word} type {n % 7}", f"{word} name {n:06}",
             f"{word} name {n:06}")
            for n in range(1, count + 1)
        ]  # fmt: skip

    six = "id, digest, {0}, type, name, folded"
    return {
        "types": ("id, name", named("type", 30)),
        "queues": ("id, name", named("queue", 12)),
        "tags": ("id, name", named("tag", 200)),
        "started_by_users": (
            "id, name, folded", [(*row, row[1]) for row in named("user", 10_000)]),
        "agents": ("id, digest, agent, cluster", [
            (n, n.to_bytes(16, "big"), f"agent-{n}", f"cluster-{n % 100}")
            for n in range(1, 20_001)]),
        "policies": (six.format("policy"), triple("policy", 3_000)),
        "resources": (six.format("resource"), triple("resource", max(tasks // 50, 10))),
    }  # fmt: skip


TASK_COLUMNS = (
    "id, uuid, type_id, queue_id, priority, state, result, tenant_id, branch_id, user_id,"
    " policy_id, resource_id, executor_id, workflow_id, enqueued_at, assigned_at, started_at,"
    " updated_at, completed_at, deleted_at, ready"
)
ACTIVITY_COLUMNS = (
    "id, uuid, task_id, parent_id, type_id, state, result, tenant_id, branch_id, user_id,"
    " policy_id, resource_id, executor_id, sustainable, created_at, started_at, updated_at,"
    " completed_at"
)
DETAILS = '{"topic":"nightly","window":"01:00-05:00"}'


def tasks(count: int, seed: int) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """Rows of tasks with their tags, in order of id."""
    chance = random.Random(seed)
    owners = {row[0]: row[3] for row in tenants()}
    type_, queue, tag = Draw(chance, 30), Draw(chance, 12), Draw(chance, 200)
    customer = Draw(chance, TENANTS - PARTNERS, 0.9)
    policy, user, agent = Draw(chance, 3_000, 0.8), Draw(chance, 10_000, 0.8), Draw(chance, 20_000)
    resources = max(count // 50, 10)
    step = DAYS * DAY // count
    for n in range(count):
        enqueued = (NOW - DAYS * DAY + n * step + chance.randrange(step // 2)) // 1000 * 1000
        waits, runs = chance.expovariate(1 / 60e9), chance.expovariate(1 / 900e9)
        assigned, state, result = int(enqueued + waits), 5, 1
        started = assigned + chance.randrange(1, 10**9)
        completed: int | None = int(started + runs)
        roll = chance.random()
        if roll < 0.03:
            state, result, completed = chance.choice((1, 1, 2, 3, 3, 4)), None, None
        elif roll < 0.15:
            result = chance.choice((2, 2, 2, 3, 4, 5, 6))
        began: int | None = started if state > 2 else None
        taken: int | None = assigned if state > 1 else None
        tenant = customer() + PARTNERS + 2 if chance.random() < 0.98 else 2 + chance.randrange(50)
        row = (
            enqueued // 1000, (n * SCATTER % 2**128).to_bytes(16, "big"), type_() + 1,
            queue() + 1, chance.choices((1, 2, 3, 4, 5), (3, 3, 88, 3, 3))[0], state, result,
            tenant, owners[tenant], user() + 1, policy() + 1 if chance.random() < 0.8 else None,
            1 + chance.randrange(resources), agent() + 1 if state > 1 else None,
            1 + chance.randrange(max(count // 20, 1)) if chance.random() < 0.2 else None, enqueued,
            taken, began, completed or began or taken or enqueued, completed,
            completed if completed and chance.random() < 0.01 else None, int(state == 1),
        )  # fmt: skip
        yield row, sorted({tag() + 1 for _ in range(chance.randrange(5))})


def activities(task: tuple[Any, ...], number: int) -> Iterator[tuple[Any, ...]]:
    """Three activities of a task, the second below the first."""
    born, state, result = task[14] + 1000, task[5], task[6]
    first = number * 3 + 1
    for place in range(3):
        started = task[16] and task[16] + place * 1000
        yield (
            first + place, (first + place).to_bytes(16, "big"), task[0],
            first if place == 1 else None, 1 + (task[2] + place) % 30, state if task[16] else 1,
            result if task[16] or state == 5 else None, task[7], task[8], task[9], task[10],
            task[11], task[12], int(number % 20 == 0), born + place, started, task[17],
            task[18],
        )  # fmt: skip


def fill(database: Database, table: str, columns: str, rows: list[Any]) -> None:
    """Insert `rows`, in the transaction that is open."""
    mark = "?" if database.dialect == "sqlite" else "%s"
    places = ", ".join([mark] * (columns.count(",") + 1))
    for start in range(0, len(rows), 2_000):
        database.run_many(
            f"INSERT INTO {table} ({columns}) VALUES ({places})", rows[start : start + 2_000]
        )


Fill = Callable[[Database, str, str, list[Any]], None]
"""What inserts rows into the columns of a table."""


def load(
    database: Database, count: int, seed: int = 1, steps: bool = True, fill: Fill = fill
) -> None:
    """An upgraded database with `count` tasks (and three activities each when `steps`)."""
    schema.upgrade(database)
    drop(database)
    with database.write_transaction():
        fill(database, "tenants", "id, uuid, parent_id, branch_id, locator, name", tenants())
        for table, (columns, rows) in dictionaries(count).items():
            fill(database, table, columns, rows)
    batch: list[tuple[tuple[Any, ...], list[int]]] = []
    done = 0
    for pair in tasks(count, seed):
        batch.append(pair)
        if len(batch) == BATCH:
            done = write(database, batch, done, steps, fill)
            batch = []
    write(database, batch, done, steps, fill)
    build(database)


def write(database: Database, batch: list[Any], done: int, steps: bool, fill: Fill = fill) -> int:
    """Write some tasks with what belongs to them -> how many are there now."""
    with database.write_transaction():
        fill(database, "tasks", TASK_COLUMNS, [row for row, _ in batch])
        fill(
            database,
            "task_details",
            "task_id, tags, context",
            [(row[0], str(tags).replace("'", '"'), DETAILS) for row, tags in batch],
        )
        fill(
            database,
            "task_tags",
            "tag_id, task_id, started_at, completed_at",
            [(tag, row[0], row[16], row[18]) for row, tags in batch for tag in tags],
        )
        invariants.note(
            database, TASKS, [(row[14], row[15], row[16], row[17], row[18]) for row, _ in batch]
        )
        if steps:
            rows = [step for n, (row, _) in enumerate(batch) for step in activities(row, done + n)]
            fill(database, "activities", ACTIVITY_COLUMNS, rows)
            invariants.note(database, ACTIVITIES, [(row[14], *row[15:18]) for row in rows])
    return done + len(batch)


FOREIGN = {"tasks_tenant_id", "tenants_parent_id", "task_tags_task_id", "activities_task_id",
           "activity_tags_activity_id"}  # fmt: skip
"""Indexes that MySQL needs for its foreign keys."""


def bulky(database: Database) -> list[Index]:
    """The indexes that can be built later."""
    return [
        index for index in INDEXES
        if database.dialect == "sqlite" or index.name not in FOREIGN
    ]  # fmt: skip


def drop(database: Database) -> None:
    """Drop the indexes and the figures, to be made when the rows are there.

    Otherwise each row leaves a change, and who serves the database folds millions of them.
    """
    refilling.step_aside(database, ("tasks", "activities"))
    for index in bulky(database):
        on = "" if database.dialect == "sqlite" else f" ON {index.table}"
        database.run(f"DROP INDEX {index.name}{on}")


def build(database: Database) -> None:
    """Make the figures, and the indexes, those of one table in one go where the engine can."""
    refilling.recover(database)
    if database.dialect == "sqlite":
        for index in bulky(database):
            where = f" WHERE {index.where}" if index.where else ""
            columns = ", ".join(index.whole)
            database.run(f"CREATE INDEX {index.name} ON {index.table} ({columns}){where}")
        return
    for table in dict.fromkeys(index.table for index in INDEXES):
        parts = [
            f"ADD INDEX {index.name} ({', '.join(index.whole)})"
            for index in bulky(database)
            if index.table == table
        ]
        if not parts:
            continue
        database.run(f"ALTER TABLE {table} {', '.join(parts)}")
    for table in ("tasks", "activities", "task_tags"):
        database.rows(f"ANALYZE TABLE {table}")
