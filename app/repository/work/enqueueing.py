"""New tasks: written whole or not at all, once however often they are sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import randrange
from threading import Lock
from typing import Any
from uuid import UUID, uuid4

import peewee

from app.database import Database
from app.errors import Unavailable, UuidConflict
from app.lifecycle import ENQUEUED
from app.repository.dictionaries import (
    AGENTS,
    POLICIES,
    QUEUES,
    RESOURCES,
    TAGS,
    TYPES,
    USERS,
    Dictionary,
    Entry,
    batches,
    numbers,
)
from app.repository.lists.projection import Born
from app.repository.sentences import Columns, insert_all, rows
from app.repository.tenants import Node
from app.repository.work import lanes
from app.repository.work.facts import TRIES
from app.signals import queued, stepped
from app.transitions import Facts, settled
from app.vocabulary import Priority

MICROSECOND = 1_000
AHEAD = 1_000_000
"""Microseconds that numbers may be ahead of the clock."""
EXISTING = """
SELECT t.id, t.uuid, d.body_digest, t.deleted_at FROM tasks t
LEFT JOIN task_details d ON d.task_id = t.id WHERE t.uuid IN ("""
OWN = "SELECT uuid FROM tasks WHERE id = ?"
ABSENT = dict.fromkeys(
    ("tags", "context", "argument", "queue_timeout", "ack_timeout", "heartbeat_interval",
     "exec_timeout", "life_time", "max_assign_count", "max_fail_count")
)  # fmt: skip
"""The details that an order may bring."""
BLANK = Facts._make([None] * len(Facts._fields))._replace(state=ENQUEUED.code, ran=0)
"""A task of which nothing is known yet."""


@dataclass(frozen=True)
class Order:
    """A task to be enqueued, read and validated. None or 0 stands for what was not given.

    Times and intervals are nanoseconds; JSON is the text that will come out again.
    """

    tenant: Node
    type: str
    digest: bytes | None
    """SHA-256 of the body, when it has a UUID: sent again, it is the same task."""
    queue: str = "default"
    priority: Priority = Priority.NORMAL
    uuid: bytes | None = None
    policy: Entry | None = None
    resource: Entry | None = None
    user: str | None = None
    issuer: Entry | None = None
    affinity: Entry | None = None
    workflow_id: int | None = None
    tags: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    """Columns of the details: tags, context and argument as JSON, intervals, limits."""
    cancellable: bool = True
    not_before: int | None = None


@dataclass(frozen=True)
class Enqueued:
    """A task that is there now: its number, and what was written when this call made it."""

    id: int
    born: Born | None = None

    @property
    def fresh(self) -> bool:
        """Whether this call made it."""
        return self.born is not None


class Clock:
    """Numbers that grow: the microseconds of the clock, or the next ones where it stands still."""

    def __init__(self) -> None:
        """Nothing was given out yet."""
        self.last = 0
        self.lock = Lock()

    def take(self, wanted: int, now: int, clash: bool = False) -> range:
        """`wanted` consecutive numbers that nobody in this process has had.

        After a `clash` with another process: some that lie a little later. When the clock was set
        back they follow it: what is taken already is seen as a clash.
        """
        with self.lock:
            first = now // MICROSECOND
            if self.last - first < AHEAD:
                first = max(first, self.last + 1)
            first += randrange(1, 1000) if clash else 0
            self.last = first + wanted - 1
            return range(first, self.last + 1)


def numbers_for(database: Database, table: str) -> Clock:
    """What gives out the numbers of a table's new rows in this process."""
    found: Clock = database.memory.setdefault((table, "numbers"), Clock())
    return found


def enqueue(database: Database, orders: Sequence[Order], now: int) -> list[Enqueued]:
    """The tasks that `orders` ask for, in their order; all of them are there, or none is.

    An order whose UUID is there with the same body is done already. Raises UuidConflict naming all
    orders that are not, and Unavailable.
    """
    uuids = [order.uuid or uuid4().bytes for order in orders]
    there = known(database, orders)
    drafts = drafted(database, orders, uuids)
    tags = numbers(database, TAGS, {(tag,) for order in orders for tag in order.tags})
    for attempt in range(TRIES):
        places = [place for place in range(len(orders)) if uuids[place] not in there]
        ids = dict(
            zip(
                places,
                numbers_for(database, "tasks").take(len(places), now, attempt > 0),
                strict=True,
            )
        )
        new = {at: born(drafts[at], orders[at], ids[at], now) for at in places}
        try:
            if new:
                write(database, [(*new[at], orders[at]) for at in places], tags)
        except peewee.IntegrityError:
            # Another process had the same microsecond, or the same UUID was sent twice at once; or
            # a commit got no answer and did happen.
            if not landed(database, uuids, ids):
                there = known(database, orders)
                continue
        return [
            Enqueued(ids[at], new[at]) if at in new else Enqueued(there[uuids[at]])
            for at in range(len(orders))
        ]
    raise Unavailable(reason="too many calls write at once")


def known(database: Database, orders: Sequence[Order]) -> dict[bytes, int]:
    """The tasks that have the UUIDs of `orders` already. Raises UuidConflict where one differs."""
    wanted = {order.uuid: order.digest for order in orders if order.uuid}
    found: dict[bytes, int] = {}
    conflicts: set[bytes] = set()
    for some in batches(wanted):
        text = EXISTING + ", ".join("?" * len(some)) + ")"
        for number, uuid, digest, deleted in rows(database, text, some):
            if deleted is not None or digest is None or digest != wanted[uuid]:
                conflicts.add(uuid)
            found[uuid] = number
    if conflicts:
        # In the order of the request, and nothing about whose they are.
        uuids = ((at, order.uuid) for at, order in enumerate(orders) if order.uuid in conflicts)
        raise UuidConflict({at: str(UUID(bytes=uuid)) for at, uuid in uuids if uuid}, "task")
    return found


def landed(database: Database, uuids: Sequence[bytes], ids: dict[int, int]) -> bool:
    """Whether the tasks with these numbers are those with these UUIDs: all are, or none is."""
    place, number = next(iter(ids.items()))
    return rows(database, OWN, (number,)) == [(uuids[place],)]


def numbers_of(
    database: Database, dictionary: Dictionary, entries: Iterable[Entry | None]
) -> dict[Entry | None, int | None]:
    """The number of each of `entries`, and None for none."""
    given = {entry for entry in entries if entry is not None}
    found: dict[Entry | None, int | None] = {None: None}
    if given:
        found.update(numbers(database, dictionary, given))
    return found


def drafted(
    database: Database, orders: Sequence[Order], uuids: Sequence[bytes]
) -> list[dict[str, Any]]:
    """A row of the tasks' table for each of `orders`, as yet without number and times."""
    types = numbers(database, TYPES, {(order.type,) for order in orders})
    queues = numbers(database, QUEUES, {(order.queue,) for order in orders})
    named = [(order.user,) for order in orders if order.user is not None]
    users = numbers_of(database, USERS, named)
    policies = numbers_of(database, POLICIES, (order.policy for order in orders))
    resources = numbers_of(database, RESOURCES, (order.resource for order in orders))
    agents = numbers_of(
        database, AGENTS, (agent for order in orders for agent in (order.issuer, order.affinity))
    )
    drafts = [
        {
            "uuid": uuid,
            "type_id": types[(order.type,)],
            "queue_id": queues[(order.queue,)],
            "priority": order.priority.code,
            "state": ENQUEUED.code,
            "tenant_id": order.tenant.id,
            "branch_id": order.tenant.branch_id,
            "user_id": users[None if order.user is None else (order.user,)],
            "policy_id": policies[order.policy],
            "resource_id": resources[order.resource],
            "issuer_id": agents[order.issuer],
            "affinity_id": agents[order.affinity] or 0,
            "workflow_id": order.workflow_id,
            "cancellable": int(order.cancellable),
            "not_before": order.not_before,
        }
        for order, uuid in zip(orders, uuids, strict=True)
    ]
    found = lanes.numbers(database, {lane(draft) for draft in drafts})
    for draft in drafts:
        draft["lane_id"] = found[lane(draft)]
    return drafts


def lane(draft: Columns) -> lanes.Members:
    """The lane of a row, as members."""
    return draft["queue_id"], draft["type_id"], draft["tenant_id"], draft["affinity_id"]


def born(draft: dict[str, Any], order: Order, number: int, now: int) -> Born:
    """The rows of a task and of its details, complete."""
    enqueued = number * MICROSECOND + now % MICROSECOND
    details = {**ABSENT, **order.details, "queued_at": enqueued, "body_digest": order.digest}
    facts = BLANK._replace(
        lane_id=draft["lane_id"],
        enqueued_at=enqueued,
        queued_at=enqueued,
        not_before=order.not_before,
        queue_timeout=details["queue_timeout"],
        life_time=details["life_time"],
    )
    # Against the time of its birth: the clock may have stood still for a while.
    facts = settled(facts, max(now, enqueued))
    times = {"enqueued_at": enqueued, "updated_at": enqueued}
    row = {"id": number, **draft, **times, "ready": facts.ready, "due_at": facts.due_at}
    return row, {"task_id": number, **details}


def write(
    database: Database, new: Sequence[tuple[Columns, Columns, Order]], tags: dict[Entry, int]
) -> None:
    """Write new tasks, each with its details and its order, in one transaction.

    Raises peewee.IntegrityError when a number or UUID is taken.
    """
    tasks, details = [row for row, _, _ in new], [row for _, row, _ in new]
    marks = [
        {"tag_id": tags[(tag,)], "task_id": row["id"]}
        for row, _, order in new
        for tag in dict.fromkeys(order.tags)
    ]

    def act() -> None:
        with database.write_transaction():
            insert_all(database, "tasks", tasks)
            insert_all(database, "task_details", details)
            insert_all(database, "task_tags", marks)

    database.retried(act, repeatable=True)
    told = [(lane(row), None if row["ready"] else row["not_before"]) for row in tasks]
    queued.send(database=database, arrivals=told)
    for row in tasks:
        stepped.send(
            database=database, task=row["id"], attempt=0, step="enqueue", state=ENQUEUED,
            executor=None, reason=None, result=None,
        )  # fmt: skip
