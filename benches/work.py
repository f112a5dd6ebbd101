"""Tasks to be enqueued, drawn by chance: as callers send them, and as the floor writes them."""

import random
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any
from uuid import UUID, uuid4

from app import clock, config
from app.api import forms, orders, skimming
from app.database import Database, connect
from app.repository import dictionaries, tenants
from app.repository.work import enqueueing
from app.repository.work.enqueueing import Order
from benches.data import Draw
from benches.written import CLAIM, COMPLETE, ROWS, START, Floor

KINDS = 300
"""How many different tasks are sent in turn: their names are known after the first time."""
AHEAD = 5_000
"""Microseconds by which the floor's numbers are ahead of the clock, and so of the service's."""
AGENT = {"id": "agent-1", "clusterId": "cluster-1"}
RESULT = {"result": {"code": "ok", "payload": {"bytes": 1024}}}
PAYLOAD = '{"bytes":1024}'
MINUTE = 60 * 10**9
Model = list[list[dict[str, Any]]]
"""The rows of one task: of itself, its details and its tags, in the order of ROWS."""
Rows = list[list[tuple[Any, ...]]]
"""The same of several tasks, as the floor writes them in one transaction."""


def bodies(count: int = KINDS, seed: int = 1) -> list[dict[str, Any]]:
    """Bodies of tasks, with names in the shares of the benchmarks' data."""
    chance = random.Random(seed)
    type_, queue, tag = Draw(chance, 30), Draw(chance, 12), Draw(chance, 200)
    policy, user, tenant = Draw(chance, 3_000), Draw(chance, 10_000), Draw(chance, 4_950, 0.9)
    made = []
    for number in range(count):
        named, resource = policy() + 1, chance.randint(1, 2_000)
        made.append({
            "type": f"type {type_() + 1:06}", "queue": f"queue {queue() + 1:06}",
            "tenant": {"uuid": str(UUID(int=tenant() + 52))}, "workflowId": number + 1,
            "policy": {"id": f"policy-{named}", "type": "backup", "name": f"policy name {named}"},
            "resource": {"id": f"resource-{resource}", "type": "disk", "name": f"disk {resource}"},
            "startedByUser": f"user {user() + 1:06}",
            "tags": sorted({f"tag {tag() + 1:06}" for _ in range(3)}),
            "context": {"topic": "nightly", "window": "01:00-05:00"},
            "argument": {"disk": "sda", "blocks": [1, 2, 3], "number": number},
        })  # fmt: skip
    return made


def ordered(database: Database, some: Sequence[Any]) -> list[Order]:
    """The same as the repository takes them."""
    read = [skimming.loaded(forms.TASK, body) for body in some]
    nodes = tenants.by_uuids(database, {UUID(bytes=body["tenant"]["uuid"]) for body in read})
    return [orders.order(body, nodes[UUID(bytes=body["tenant"]["uuid"])]) for body in read]


def model(database: Database, task: int) -> Model:
    """The rows of a task that the service wrote."""

    def rows(table: str, names: str) -> list[dict[str, Any]]:
        key = "id" if table == "tasks" else "task_id"
        found = database.rows(f"SELECT {names} FROM {table} WHERE {key} = {task} ORDER BY 1")
        return [dict(zip(names.split(", "), row, strict=True)) for row in found]

    return [rows(table, names) for table, names in ROWS.items()]


def renewed(one: Model, number: int, uuid: bytes, now: int) -> Rows:
    """The rows of `one` for another task: with this number, UUID and time."""
    new = {"id": number, "task_id": number, "uuid": uuid, "enqueued_at": now, "updated_at": now,
           "queued_at": now}  # fmt: skip
    return [[tuple([new.get(name, row[name]) for name in row]) for row in rows] for rows in one]


class Work:
    """Tasks without an end, for the service and for the floor, at the database at `url`."""

    def __init__(self, url: str) -> None:
        """All kinds are there once, so that every name is known."""
        self.database = connect(config.load({"TASKS_DATABASE_URL": url}))
        self.bodies = cycle(bodies())
        known = ordered(self.database, bodies())
        made = enqueueing.enqueue(self.database, known, clock.now())
        self.orders = cycle(known)
        self.models = cycle([model(self.database, one.id) for one in made])
        agent = (AGENT["id"], AGENT["clusterId"])
        self.executor = dictionaries.numbers(self.database, dictionaries.AGENTS, [agent])[agent]

    def rows(self, count: int, size: int) -> list[Rows]:
        """The rows of `count` tasks, `size` in a transaction."""
        first = clock.now() // 1000 + AHEAD
        tasks = [
            renewed(one, number, uuid4().bytes, number * 1000)
            for number, one in enumerate(islice(self.models, count), first)
        ]
        return [
            [[row for task in tasks[at : at + size] for row in task[table]] for table in range(3)]
            for at in range(0, count, size)
        ]


def live(floor: Floor, rows: Rows, executor: int, digest: bytes) -> None:
    """The life of the task of `rows`, as the floor writes it. `digest`: of what completes it."""
    floor.enqueue(rows)
    task, now = rows[0][0][0], clock.now()
    floor.step(CLAIM, (executor, now, now, now + MINUTE, now + MINUTE, task), (task, executor, now))
    now = clock.now()
    floor.step(START, (now, now, now + MINUTE, now + MINUTE, task), (now, task), (now, task))
    now = clock.now()
    floor.step(COMPLETE, (now, now, task), (PAYLOAD, task), (now, task), (now, digest, task))
