"""The steps of an activity: taken under the lease of its task, which each of them renews."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.canonical import digest
from app.database import Database
from app.errors import InvalidTransition, LeaseLost, NotFound
from app.lifecycle import (
    ACTIVITY_STEP,
    ACTIVITY_STEPS,
    ASSIGNED,
    COMPLETED,
    ENQUEUED,
    STARTED,
    Step,
    allowed,
)
from app.repository.dictionaries import AGENTS, Entry, numbers
from app.repository.sentences import rows, update
from app.repository.work.endings import keep_bounds
from app.repository.work.facts import Moved, attempted, read_alone, store
from app.repository.work.steps import held_under
from app.signals import lease_lost, moved
from app.transitions import Facts, after, renewed
from app.vocabulary import ResultCode, State


class Activity(NamedTuple):
    """The columns of an activity on which its steps depend."""

    id: int
    task_id: int
    state: int
    result: int | None
    executor_id: int | None
    created_at: int | None
    started_at: int | None
    updated_at: int | None
    completed_at: int | None
    deleted_at: int | None
    revision: int
    progress: str | None
    context: str | None
    payload: str | None
    warnings: str | None
    error: str | None

    @property
    def standing(self) -> State:
        """The state as a word."""
        return list(State)[self.state - 1]


OWN = Activity._fields[: Activity._fields.index("progress")]
JSON = Activity._fields[len(OWN) :]
SELECT = " ".join((
    "SELECT", ", ".join([f"a.{name}" for name in OWN] + [f"d.{name}" for name in JSON]),
    "FROM activities a JOIN activity_details d ON d.activity_id = a.id WHERE a.id = ?",
))  # fmt: skip
Change = Callable[[Activity, Facts], Activity]


@dataclass(frozen=True)
class Lease:
    """What a lease token proves: a task, and the fence of its claim."""

    task: int
    fence: int


@dataclass(frozen=True)
class Taking:
    """A step about to be taken: when, under which lease (None: a void one), and what it changes."""

    step: Step
    now: int
    lease: Lease | None
    change: Change
    parts: dict[str, Any] = field(default_factory=dict)
    """JSON that the caller brings, by column of the details."""
    same: Callable[[Activity], bool] = lambda _: True
    """Whether an activity that the step has led here before is as this step would leave it."""


def found(database: Database, activity: int) -> Activity:
    """An activity that is not deleted. Raises NotFound."""
    there = rows(database, SELECT, (activity,))
    if not there or Activity._make(there[0]).deleted_at is not None:
        raise NotFound(kind="activity")
    return Activity._make(there[0])


def take(database: Database, activity: int, taking: Taking) -> Facts:
    """Take a step -> the facts of its task, whose lease is renewed.

    Raises NotFound, LeaseLost, InvalidTransition, Unavailable; then nothing has changed.
    """

    owner = 0

    def act() -> tuple[Facts, Activity | None]:
        nonlocal owner
        with database.write_transaction():
            old = found(database, activity)
            owner = old.task_id
            task = read_alone(database, old.task_id)
            if task is None or not taking.lease or not under(task, taking.lease):
                raise LeaseLost()
            # Read again: with the task's row in hand nobody else can move its activities.
            old = found(database, activity)
            new = changed(old, task, taking)
            if new is not None:
                write(database, old, new)
            leased = renewed(task, taking.now)
            store(database, task, leased)
            return leased, new

    try:
        task, new = attempted(database, act)
    except LeaseLost:
        lease_lost.send(database=database, task=owner, step=taking.step.name)
        raise
    if new is not None:
        moved.send(
            database=database, activity=activity, task=task.id, step=taking.step.name,
            state=new.standing,
        )  # fmt: skip
    return task


def under(task: Facts, lease: Lease) -> bool:
    """Whether `lease` is the one in force of `task`."""
    return lease.task == task.id and held_under(task, lease.fence)


def changed(old: Activity, task: Facts, taking: Taking) -> Activity | None:
    """What the step makes of `old`; None: it has been taken before. Raises InvalidTransition."""
    step = taking.step
    target = step.target(old.standing)
    repeated = old.standing in step.repeats and taking.same(old)
    if target is None and not repeated:
        raise InvalidTransition(
            kind="activity",
            state=old.standing.value,
            step=step.name,
            allowed=allowed(ACTIVITY_STEPS, old.standing),
        )
    if target is None:
        return None
    new = taking.change(old._replace(state=target.code), task)._replace(**taking.parts)
    return None if new == old else new._replace(updated_at=stamp(old, taking.now))


def stamp(old: Activity, now: int) -> int:
    """`now`, or later where clocks disagree: as for tasks."""
    times = (old.created_at, old.started_at, after(old.updated_at))
    return max([now, *(moment for moment in times if moment is not None)])


def write(database: Database, old: Activity, new: Activity) -> None:
    """Write what differs, in the open transaction. Raises Moved."""
    pairs = zip(Activity._fields, old, new, strict=True)
    differing = {name: after for name, before, after in pairs if before != after}
    own = {name: value for name, value in differing.items() if name in OWN}
    keys = {"id": old.id, "state": old.state, "revision": old.revision}
    if not update(database, "activities", {**own, "revision": old.revision + 1}, keys):
        raise Moved
    details = {name: value for name, value in differing.items() if name in JSON}
    if details:
        update(database, "activity_details", details, {"activity_id": old.id})
    times = (new.created_at, new.started_at, new.updated_at, new.completed_at)
    keep_bounds(database, [times])


def assign(
    database: Database, activity: int, now: int, lease: Lease | None, executor: Entry
) -> Facts:
    """Somebody is to carry it out. Raises as `take`."""
    agent = numbers(database, AGENTS, [executor])[executor]
    step = ACTIVITY_STEP[ASSIGNED.value]

    def change(old: Activity, _: Facts) -> Activity:
        return old._replace(executor_id=agent)

    same = Taking(step, now, lease, change, {}, lambda old: old.executor_id == agent)
    return take(database, activity, same)


def put_back(database: Database, activity: int, now: int, lease: Lease | None) -> Facts:
    """Nobody is to carry it out any more. Raises as `take`."""
    step = ACTIVITY_STEP[ENQUEUED.value]
    change = Taking(step, now, lease, lambda old, _: old._replace(executor_id=None))
    return take(database, activity, change)


def start(database: Database, activity: int, now: int, lease: Lease | None) -> Facts:
    """It is being carried out. Raises as `take`."""

    def change(old: Activity, task: Facts) -> Activity:
        agent = task.executor_id if old.executor_id is None else old.executor_id
        begun = stamp(old, now) if old.started_at is None else old.started_at
        return old._replace(started_at=begun, executor_id=agent)

    return take(database, activity, Taking(ACTIVITY_STEP[STARTED.value], now, lease, change))


def pause(database: Database, activity: int, now: int, lease: Lease | None) -> Facts:
    """It stands still. Raises as `take`."""
    return take(database, activity, Taking(ACTIVITY_STEP["paused"], now, lease, lambda old, _: old))


def report(
    database: Database, activity: int, now: int, lease: Lease | None, parts: dict[str, str]
) -> Facts:
    """`parts`, progress and perhaps context as JSON, replace what was there. Raises as `take`."""
    taking = Taking(ACTIVITY_STEP["progress"], now, lease, lambda old, _: old, parts)
    return take(database, activity, taking)


def complete(
    database: Database,
    activity: int,
    now: int,
    lease: Lease | None,
    code: ResultCode,
    parts: dict[str, str],
) -> Facts:
    """Ended with `code`; `parts`: payload, warnings, error as JSON. Raises as `take`."""

    def change(old: Activity, _: Facts) -> Activity:
        return old._replace(result=code.code, completed_at=stamp(old, now))

    def same(old: Activity) -> bool:
        kept = {name: getattr(old, name) for name in ("payload", "warnings", "error")}
        return old.result == code.code and all(
            equal(text, parts.get(name)) for name, text in kept.items()
        )

    step = ACTIVITY_STEP[COMPLETED.value]
    return take(database, activity, Taking(step, now, lease, change, parts, same))


def equal(one: str | None, other: str | None) -> bool:
    """Whether two JSON texts say the same, or both are absent."""
    if one is None or other is None:
        return one is other
    return one == other or digest(json.loads(one)) == digest(json.loads(other))
