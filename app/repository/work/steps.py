"""The steps of a task that is there: each is one transaction and one compare-and-set.

Every act takes the task (its number, or its facts as they were read a moment ago), the time, and
`fence`: the number that the caller's lease names, or None for an admin who needs none. What an act
refuses has changed nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app import transitions
from app.database import Database
from app.errors import InvalidTransition, LeaseLost, NotCancellable, NotCompleted, NotFound
from app.lifecycle import COMPLETED, FAILED, REQUEUED, TASK_STEP, TASK_STEPS, Step, allowed
from app.repository.sentences import rows, update
from app.repository.work import endings
from app.repository.work.facts import attempted, lane_of, read, read_alone, store
from app.signals import Event, lease_lost, queued, send_all, stepped
from app.transitions import Facts, renewed, seen
from app.vocabulary import ResultCode, State

Change = Callable[[Facts], Facts]
Known = int | Facts
"""A task, by its number or as it was read a moment ago: should it have changed since, the
comparison fails and it is read again."""
ENDED_BY = "SELECT ended_by FROM attempts WHERE task_id = ? AND number = ?"
REPORTED = "SELECT progress, context FROM task_details WHERE task_id = ?"


@dataclass(frozen=True)
class Taking:
    """A step about to be taken: by whom, when, and what it writes beside the task's facts."""

    step: Step
    now: int
    fence: int | None
    change: Change
    details: dict[str, Any] = field(default_factory=dict)
    """Columns of the details: JSON that the caller brings."""
    outcome: str = ""
    """How the attempt ends, for steps that end it."""
    reason: str | None = None
    digest: bytes | None = None
    """SHA-256 of step and body: who repeats them under the same lease is not refused."""
    met: Callable[[Facts], bool] | None = None
    """Whether what is asked for is so already, for steps that may be asked for at any time."""

    @property
    def repeatable(self) -> bool:
        """Whether it can be seen that the step was taken: an admin's without a lease cannot."""
        return self.fence is not None or self.met is not None


def held_under(facts: Facts, fence: int) -> bool:
    """Whether the lease that `fence` names is the one in force."""
    return facts.held and facts.fence == fence and facts.lease_until is not None


def found(database: Database, task: int, alone: bool = False) -> Facts:
    """The facts of a task that is not deleted. Raises NotFound.

    `alone`: nobody else changes them before the open transaction ends.
    """
    facts = read_alone(database, task) if alone else read(database, task)
    if facts is None or facts.deleted_at is not None:
        raise NotFound(kind="task")
    return facts


def number_of(task: Known) -> int:
    """The task's number."""
    return task if isinstance(task, int) else task.id


def take(database: Database, task: Known, taking: Taking) -> Facts:
    """Take a step -> the facts as they are then.

    Raises NotFound, LeaseLost, InvalidTransition, Unavailable; then nothing has changed.
    """
    number = number_of(task)
    known = [task] if isinstance(task, Facts) else []

    tries = count()

    def act() -> tuple[Facts, list[Event]]:
        with database.write_transaction():
            # Whoever came too late once takes his place in the row for the task.
            late = next(tries) > 0
            facts = known.pop() if known else found(database, number, alone=late)
            if taking.met is not None and taking.met(facts):
                return facts, []
            if taking.fence is not None and not held_under(facts, taking.fence):
                return unchanged(database, facts, taking), []
            if taking.step.target(facts.standing, taking.fence is None) is None:
                return again(database, facts, taking), []
            new = taking.change(facts)
            return new, done(database, facts, new, taking)

    try:
        facts, events = attempted(database, act, taking.repeatable)
    except LeaseLost:
        lease_lost.send(database=database, task=number, step=taking.step.name)
        raise
    send_all(events)
    return facts


def unchanged(database: Database, facts: Facts, taking: Taking) -> Facts:
    """`facts`, when this very step ended the lease that is no longer in force. Raises LeaseLost."""
    if taking.step.ends:
        ended = rows(database, ENDED_BY, (facts.id, taking.fence))
        if ended and taking.digest is not None and ended[0][0] == taking.digest:
            return facts
    raise LeaseLost()


def again(database: Database, facts: Facts, taking: Taking) -> Facts:
    """`facts` with the lease renewed, when the step has been taken before.

    Raises InvalidTransition.
    """
    if facts.standing not in taking.step.repeats:
        raise refused(facts.standing, taking.step)
    new = renewed(facts, taking.now)
    store(database, facts, new)
    return new


def refused(state: State, step: Step) -> InvalidTransition:
    """The refusal of a step that `state` does not allow."""
    return InvalidTransition(
        kind="task", state=state.value, step=step.name, allowed=allowed(TASK_STEPS, state)
    )


def done(database: Database, old: Facts, new: Facts, taking: Taking) -> list[Event]:
    """Write what the step changes -> what has happened then."""
    store(database, old, new, taking.details)
    if old.held and old.started_at is None and new.started_at is not None:
        begun = {"started_at": new.started_at}
        update(database, "attempts", begun, {"task_id": old.id, "number": old.fence})
    if old.state != new.state and not new.held:
        if old.held:
            moment, how = new.updated_at or taking.now, outcome(new, taking)
            endings.close(database, old, moment, how, taking.reason, taking.digest)
        endings.settle(database, new)
    return happened(database, old, new, taking.step.name, taking.reason)


def outcome(new: Facts, taking: Taking) -> str:
    """How the attempt ended; what never came back to the queue was not requeued."""
    returned = new.standing is not COMPLETED or taking.outcome == FAILED
    return taking.outcome if returned else spoken_result(new)


def spoken_result(facts: Facts) -> str:
    """The result's word of a completed task."""
    return list(ResultCode)[(facts.result or 1) - 1].value


def happened(
    database: Database, old: Facts, new: Facts, step: str, reason: str | None = None
) -> list[Event]:
    """The events of a change that is about to be committed. Renewing a lease is none."""
    if not seen(old, new):
        return []
    told = {
        "database": database, "task": old.id, "attempt": new.fence, "step": step,
        "state": new.standing, "executor": new.executor_id or old.executor_id, "reason": reason,
        "result": spoken_result(new) if new.standing is COMPLETED else None,
    }  # fmt: skip
    events: list[Event] = [(stepped, told)]
    if new.standing is State.ENQUEUED:
        later = None if new.ready else new.not_before
        events.append((queued, {"database": database, "arrivals": [(lane_of(new), later)]}))
    return events


def start(database: Database, task: Known, now: int, fence: int) -> Facts:
    """The executor is at work. Raises as `take`."""
    change = Taking(TASK_STEP["started"], now, fence, lambda f: transitions.started(f, now))
    return take(database, task, change)


def pause(database: Database, task: Known, now: int, fence: int) -> Facts:
    """The work stands still. Raises as `take`."""
    change = Taking(TASK_STEP["paused"], now, fence, lambda f: transitions.paused(f, now))
    return take(database, task, change)


def beat(database: Database, task: Known, now: int, fence: int) -> Facts:
    """The lease lasts a full interval again, once started. Raises as `take`."""
    change = Taking(TASK_STEP["heartbeat"], now, fence, lambda f: renewed(f, now))
    return take(database, task, change)


def report(
    database: Database, task: Known, now: int, fence: int, progress: str, context: str | None
) -> Facts:
    """`progress` and, when given, `context` (JSON) replace what was there. Raises as `take`."""
    told = {"progress": progress} | ({} if context is None else {"context": context})
    new: dict[str, Any] = {}

    def change(facts: Facts) -> Facts:
        was = dict(
            zip(("progress", "context"), rows(database, REPORTED, (facts.id,))[0], strict=True)
        )
        new.clear()
        if any(was[name] != value for name, value in told.items()):
            new.update(told)
            facts = transitions.touched(facts, now)
        return renewed(facts, now)

    return take(database, task, Taking(TASK_STEP["progress"], now, fence, change, new))


def give_back(
    database: Database,
    task: Known,
    now: int,
    fence: int | None,
    digest: bytes | None = None,
    delay: int | None = None,
    reason: str | None = None,
    failed: bool = False,
) -> Facts:
    """Back to the queue, after `delay` nanoseconds. Raises as `take`."""

    def change(facts: Facts) -> Facts:
        return transitions.returned(facts, now, delay, failed)

    outcome = FAILED if failed else REQUEUED
    step = TASK_STEP["enqueued"]
    taking = Taking(step, now, fence, change, {}, outcome, reason, digest if fence else None)
    return take(database, task, taking)


def complete(
    database: Database,
    task: Known,
    now: int,
    fence: int | None,
    code: ResultCode,
    parts: dict[str, str],
    digest: bytes | None = None,
) -> Facts:
    """Ended with `code`; `parts`: payload, warnings, error as JSON, those given. Raises as `take`.

    An admin's end of an enqueued task has no lease and no attempt.
    """
    step = TASK_STEP["completed"]

    def change(facts: Facts) -> Facts:
        return transitions.completed(facts, code, now)

    taking = Taking(step, now, fence, change, dict(parts), "", None, digest if fence else None)
    return take(database, task, taking)


def request_cancel(database: Database, task: Known, now: int, grace: int) -> Facts:
    """Cancelled at once while enqueued, else flagged; `grace`: nanoseconds until it is anyhow.

    Raises NotFound, NotCancellable, InvalidTransition, Unavailable.
    """

    def requested(facts: Facts) -> bool:
        return facts.cancel_requested == 1  # however the task has ended meanwhile

    def change(facts: Facts) -> Facts:
        if not facts.cancellable:
            raise NotCancellable()
        return transitions.cancelled(facts, grace, now)

    step = TASK_STEP["cancelRequested"]
    return take(database, task, Taking(step, now, None, change, met=requested))


def delete(database: Database, task: int, now: int) -> None:
    """A completed task and its activities are shown only on demand from now on.

    Raises NotFound, NotCompleted, Unavailable.
    """
    tried: set[int | None] = set()

    def act() -> None:
        with database.write_transaction():
            facts = read(database, task)
            if facts is not None and facts.deleted_at in tried:
                return
            if facts is None or facts.deleted_at is not None:
                raise NotFound(kind="task")
            if facts.standing is not COMPLETED:
                raise NotCompleted(state=facts.standing.value)
            new = transitions.touched(facts, now)
            tried.add(new.updated_at)
            mark(database, facts, new._replace(deleted_at=new.updated_at))

    attempted(database, act)


def restore(database: Database, task: int, now: int) -> None:
    """The task and the activities that were deleted with it are shown again.

    Raises NotFound, Unavailable.
    """

    def act() -> None:
        with database.write_transaction():
            facts = read(database, task)
            if facts is None:
                raise NotFound(kind="task")
            if facts.deleted_at is not None:
                mark(database, facts, transitions.touched(facts, now)._replace(deleted_at=None))

    attempted(database, act)


def mark(database: Database, old: Facts, new: Facts) -> None:
    """Write the deletion or restoring of a task and its activities."""
    store(database, old, new)
    endings.mark(database, old.id, new.deleted_at, old.deleted_at, new.updated_at or 0)
