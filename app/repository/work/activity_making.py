"""New activities: made under the lease of their task, once however often they are sent."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from app.database import Database
from app.errors import BadRequest, Fault, LeaseLost, NotFound, UuidConflict
from app.lifecycle import STARTED
from app.repository.dictionaries import (
    AGENTS,
    POLICIES,
    RESOURCES,
    TAGS,
    TYPES,
    USERS,
    Dictionary,
    Entry,
    numbers,
)
from app.repository.sentences import insert, insert_all, rows
from app.repository.work.endings import keep_bounds
from app.repository.work.enqueueing import MICROSECOND, numbers_for
from app.repository.work.facts import attempted, read_alone, store
from app.repository.work.steps import held_under
from app.signals import lease_lost, moved
from app.transitions import Facts, renewed
from app.vocabulary import State

EXISTING = """
SELECT a.id, d.body_digest, a.deleted_at, a.task_id FROM activities a
LEFT JOIN activity_details d ON d.activity_id = a.id WHERE a.uuid = ?
"""
OWN = "SELECT id FROM activities WHERE uuid = ?"
PARENT = "SELECT 1 FROM activities WHERE id = ? AND task_id = ? AND deleted_at IS NULL"


@dataclass(frozen=True)
class Made:
    """An activity that is there now: its number, and whether this call made it."""

    id: int
    fresh: bool


@dataclass(frozen=True)
class Draft:
    """An activity to be made, read and validated. None stands for what was not given."""

    task: int
    type: str
    digest: bytes | None
    """SHA-256 of the body, when it has a UUID: sent again, it is the same activity."""
    uuid: bytes | None = None
    parent: int | None = None
    sustainable: bool = False
    state: State = STARTED
    executor: Entry | None = None
    user: str | None = None
    workflow: int | None = None
    policy: Entry | None = None
    resource: Entry | None = None
    tags: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    """Columns of the details: tags, context and argument as JSON."""


Numbers = dict[str, int | None]


def number(database: Database, dictionary: Dictionary, entry: Entry | None) -> int | None:
    """The number of an entry; None for none."""
    return None if entry is None else numbers(database, dictionary, [entry])[entry]


def numbered(database: Database, draft: Draft) -> Numbers:
    """The numbers that stand for the texts of `draft`, by column."""
    return {
        "type_id": number(database, TYPES, (draft.type,)),
        "user_id": number(database, USERS, None if draft.user is None else (draft.user,)),
        "policy_id": number(database, POLICIES, draft.policy),
        "resource_id": number(database, RESOURCES, draft.resource),
        "executor_id": number(database, AGENTS, draft.executor),
    }


def make(database: Database, draft: Draft, fence: int | None, now: int) -> Made:
    """The activity that `draft` asks for. `fence`: what the lease proves; None: nothing.

    Raises NotFound, BadRequest for a parent of another task, LeaseLost, UuidConflict, Unavailable;
    then nothing has changed.
    """
    columns = numbered(database, draft)
    tags = numbers(database, TAGS, {(tag,) for tag in draft.tags})
    uuid = draft.uuid or uuid4().bytes
    tried: list[int] = []

    def act() -> Made:
        with database.write_transaction():
            task = held(database, draft, fence)
            store(database, task, renewed(task, now))
            if tried and rows(database, OWN, (uuid,)) == [(tried[-1],)]:
                return Made(tried[-1], True)
            if (there := known(database, draft)) is not None:
                return Made(there, False)
            made = numbers_for(database, "activities").take(1, now, bool(tried))[0]
            tried.append(made)
            write(database, row(draft, task, columns, made, uuid, now), draft, tags)
            return Made(made, True)

    try:
        done = attempted(database, act)
    except LeaseLost:
        lease_lost.send(database=database, task=draft.task, step="activity")
        raise
    if done.fresh:
        moved.send(
            database=database, activity=done.id, task=draft.task, step="make", state=draft.state
        )
    return done


def held(database: Database, draft: Draft, fence: int | None) -> Facts:
    """The task, which nobody else changes until the commit, and which the caller holds."""
    task = read_alone(database, draft.task)
    if task is None or task.deleted_at is not None:
        raise NotFound(kind="task")
    if draft.parent is not None and not rows(database, PARENT, (draft.parent, draft.task)):
        words = "'parentActivityId' is not an activity of this task"
        raise BadRequest([Fault("parentActivityId", str(draft.parent), words)])
    if fence is None or not held_under(task, fence):
        raise LeaseLost()
    return task


def known(database: Database, draft: Draft) -> int | None:
    """The activity that has the UUID and body of `draft`; None: nobody has the UUID.

    Raises UuidConflict.
    """
    if draft.uuid is None:
        return None
    for there, digest, deleted, _ in rows(database, EXISTING, (draft.uuid,)):
        if deleted is not None or digest is None or digest != draft.digest:
            raise UuidConflict({0: str(UUID(bytes=draft.uuid))}, "activity")
        return int(there)
    return None


def row(
    draft: Draft, task: Facts, columns: Numbers, made: int, uuid: bytes, now: int
) -> dict[str, Any]:
    """The row of a new activity: what it does not say is its task's."""
    created = made * MICROSECOND + now % MICROSECOND
    user, executor = columns["user_id"], columns["executor_id"]
    leased = task.executor_id if executor is None else executor
    return {
        **columns,
        "id": made,
        "uuid": uuid,
        "task_id": task.id,
        "parent_id": draft.parent,
        "state": draft.state.code,
        "tenant_id": task.tenant_id,
        "branch_id": task.branch_id,
        "user_id": task.user_id if user is None else user,
        "executor_id": None if draft.state is State.ENQUEUED else leased,
        "workflow_id": task.workflow_id if draft.workflow is None else draft.workflow,
        "sustainable": int(draft.sustainable),
        "created_at": created,
        "started_at": created if draft.state is STARTED else None,
        "updated_at": created,
    }


def write(
    database: Database, columns: dict[str, Any], draft: Draft, tags: dict[Entry, int]
) -> None:
    """Write a new activity in the open transaction. Raises peewee.IntegrityError."""
    made = columns["id"]
    insert(database, "activities", columns)
    details = {"activity_id": made, **draft.details, "body_digest": draft.digest}
    insert(database, "activity_details", details)
    marks = [{"tag_id": tags[(tag,)], "activity_id": made} for tag in dict.fromkeys(draft.tags)]
    insert_all(database, "activity_tags", marks)
    times = (columns["created_at"], columns["started_at"], columns["updated_at"], None)
    keep_bounds(database, [times])
