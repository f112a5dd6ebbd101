"""What a step or a timer makes of a task: from facts to new facts. Pure; times are arguments.

Every function takes the facts as they are and gives the facts as they will be; the repository
writes the difference under the condition that nothing has changed meanwhile.
"""

from collections.abc import Callable
from typing import NamedTuple

from app.catalog.times import LAST
from app.lifecycle import (
    ALARM,
    ASSIGNED,
    COMPLETED,
    ENQUEUED,
    HELD,
    MOST_ASSIGNMENTS,
    MOST_FAILURES,
    PAUSED,
    RUNNING,
    STARTED,
    TIMERS,
    Timer,
)
from app.vocabulary import ResultCode, State

SECOND = 1_000_000_000
STATES = tuple(State)


class Facts(NamedTuple):
    """The columns of a task on which steps and timers depend, named as in the database."""

    id: int
    tenant_id: int
    branch_id: int
    type_id: int
    queue_id: int
    affinity_id: int
    lane_id: int
    user_id: int | None
    workflow_id: int | None
    executor_id: int | None
    state: int
    result: int | None
    cancellable: int
    cancel_requested: int
    enqueued_at: int | None
    assigned_at: int | None
    started_at: int | None
    updated_at: int | None
    completed_at: int | None
    deleted_at: int | None
    revision: int
    ready: int
    not_before: int | None
    due_at: int | None
    fence: int
    lease_until: int | None
    assign_count: int
    fail_count: int
    # From here on in the details' table.
    queue_timeout: int | None
    ack_timeout: int | None
    heartbeat_interval: int | None
    exec_timeout: int | None
    life_time: int | None
    max_assign_count: int | None
    max_fail_count: int | None
    queued_at: int | None
    ran_at: int | None
    ran: int
    cancel_at: int | None
    tagged: int
    """Whether it has tags; no column of its own."""

    @property
    def standing(self) -> State:
        """The state as a word."""
        return STATES[self.state - 1]

    @property
    def held(self) -> bool:
        """Whether an executor has it."""
        return self.standing in HELD


OWN = Facts._fields[: Facts._fields.index("queue_timeout")]
"""The fields that are columns of the tasks themselves."""


UNSEEN = frozenset(("lease_until", "due_at", "ready", "lane_id"))
"""Fields that may change without a step: leases and what upkeep keeps for itself."""


def seen(old: Facts, new: Facts) -> bool:
    """Whether callers see a difference, the lease aside; the clock may stand still meanwhile."""
    pairs = zip(Facts._fields, old, new, strict=True)
    return any(before != after for name, before, after in pairs if name not in UNSEEN)


def default(timer: Timer) -> int:
    """Nanoseconds that `timer` waits where a task does not say."""
    return (ALARM[timer].seconds or 0) * SECOND


def stamp(facts: Facts, now: int) -> int:
    """`now`, or later where clocks disagree: a task's times never go back, and a change is later
    than the one before."""
    times = (facts.enqueued_at, facts.assigned_at, facts.started_at, after(facts.updated_at))
    return max([now, *(moment for moment in times if moment is not None)])


def after(moment: int | None) -> int | None:
    """The next nanosecond after a change, while there is one."""
    return None if moment is None else min(moment + 1, LAST)


def alarms(facts: Facts) -> list[tuple[int, Timer]]:
    """When each timer that runs now fires, in the order of the table."""
    fires_at = ((MOMENTS[timer](facts), timer) for timer in RUNS[facts.standing])
    return [(moment, timer) for moment, timer in fires_at if moment is not None]


def sum_of(moment: int | None, interval: int | None) -> int | None:
    """A moment later by an interval; None when either is absent."""
    return None if moment is None or interval is None else moment + interval


def queue_ends(facts: Facts) -> int | None:
    """When the queue timer fires."""
    entered = facts.queued_at if facts.queued_at is not None else facts.enqueued_at
    return sum_of(max(entered or 0, facts.not_before or 0), facts.queue_timeout)


def exec_ends(facts: Facts) -> int | None:
    """When the execution timer fires, should it not be paused before."""
    if facts.exec_timeout is None:
        return None
    return sum_of(facts.ran_at, facts.exec_timeout - facts.ran)


MOMENTS: dict[Timer, Callable[[Facts], int | None]] = {
    Timer.QUEUE: queue_ends,
    Timer.ACK: lambda facts: facts.lease_until,
    Timer.HEARTBEAT: lambda facts: facts.lease_until,
    Timer.EXEC: exec_ends,
    Timer.LIFE: lambda facts: sum_of(facts.enqueued_at, facts.life_time),
    Timer.GRACE: lambda facts: facts.cancel_at,
}
"""When each timer fires, if it runs and nothing comes between."""
RUNS = {state: [row.timer for row in TIMERS if state in row.runs] for state in State}
"""The timers that run in each state."""


def fires(facts: Facts, now: int) -> Timer | None:
    """The timer that fires at `now`: of those that are due, the one that was due first."""
    due = [(moment, timer) for moment, timer in alarms(facts) if moment <= now]
    return min(due, key=lambda pair: pair[0])[1] if due else None


def settled(facts: Facts, now: int) -> Facts:
    """The same with `ready` and `due_at` as its other facts demand.

    A task that was imported waits without a lane; it is due at once, and upkeep gives it one.
    """
    moments = [moment for moment, _ in alarms(facts)]
    waiting = facts.state == ENQUEUED.code
    opens = max(facts.not_before or 0, 0 if facts.lane_id else now)
    ready = waiting and facts.lane_id > 0 and opens <= now
    if waiting and not ready:
        moments.append(opens)
    return facts._replace(ready=int(ready), due_at=min(moments, default=None))


def claimed(facts: Facts, executor: int, now: int) -> Facts:
    """Held by `executor` (a number of AGENTS) under a new lease."""
    moment = stamp(facts, now)
    wait = default(Timer.ACK) if facts.ack_timeout is None else facts.ack_timeout
    return settled(
        facts._replace(
            state=ASSIGNED.code,
            executor_id=executor,
            assigned_at=moment,
            updated_at=moment,
            fence=facts.fence + 1,
            lease_until=now + wait,
            assign_count=facts.assign_count + 1,
        ),
        now,
    )


def renewed(facts: Facts, now: int) -> Facts:
    """The lease lasts a full interval again; in `assigned` only the start ends its timer."""
    if facts.standing not in RUNNING or facts.lease_until is None:
        return facts
    wait = facts.heartbeat_interval
    wait = default(Timer.HEARTBEAT) if wait is None else wait
    return settled(facts._replace(lease_until=max(now + wait, facts.lease_until)), now)


def amnestied(facts: Facts, now: int) -> Facts:
    """The ack or heartbeat timer begins anew at `now`; nothing else of the task changes."""
    if facts.lease_until is None:
        return facts
    acked = facts.state == ASSIGNED.code
    wait = facts.ack_timeout if acked else facts.heartbeat_interval
    usual = default(Timer.ACK if acked else Timer.HEARTBEAT)
    return settled(facts._replace(lease_until=now + (usual if wait is None else wait)), now)


def touched(facts: Facts, now: int) -> Facts:
    """Changed at `now`."""
    return facts._replace(updated_at=stamp(facts, now))


def started(facts: Facts, now: int) -> Facts:
    """At work."""
    begun = facts.started_at if facts.started_at is not None else stamp(facts, now)
    ran_at = facts.ran_at if facts.exec_timeout is None else now
    new = facts._replace(state=STARTED.code, started_at=begun, ran_at=ran_at)
    return settled(renewed(touched(new, now)._replace(lease_until=now), now), now)


def paused(facts: Facts, now: int) -> Facts:
    """At rest; the lease goes on."""
    ran = facts.ran if facts.ran_at is None else facts.ran + max(0, now - facts.ran_at)
    new = facts._replace(state=PAUSED.code, ran=ran, ran_at=None)
    return settled(renewed(touched(new, now), now), now)


def completed(facts: Facts, result: ResultCode, now: int) -> Facts:
    """Ended for good, with `result`."""
    new = touched(facts, now)
    return new._replace(
        state=COMPLETED.code,
        result=result.code,
        completed_at=new.updated_at,
        ready=0,
        due_at=None,
        lease_until=None,
        ran_at=None,
        cancel_at=None,
    )


def enqueued(facts: Facts, now: int) -> Facts:
    """Back in the queue; whom it was with and when it began is forgotten."""
    new = touched(facts, now)._replace(
        state=ENQUEUED.code,
        executor_id=None,
        assigned_at=None,
        started_at=None,
        lease_until=None,
        queued_at=now,
        ran_at=None,
        ran=0,
    )
    return settled(new, now)


def returned(facts: Facts, now: int, delay: int | None = None, failed: bool = False) -> Facts:
    """What handing it back makes of it: mostly `enqueued`. `delay`: nanoseconds."""
    facts = facts._replace(
        fail_count=facts.fail_count + failed,
        not_before=facts.not_before if delay is None else now + delay,
    )
    most = MOST_FAILURES if facts.max_fail_count is None else facts.max_fail_count
    if failed and facts.fail_count >= most:
        return completed(facts, ResultCode.ERROR, now)
    if facts.cancel_requested:
        return completed(facts, ResultCode.CANCELLED, now)
    return enqueued(facts, now)


def expired(facts: Facts, timer: Timer, now: int) -> Facts:
    """What `timer` makes of it when it fires."""
    result = ALARM[timer].result
    if result is not None:
        return completed(facts, result, now)
    most = MOST_ASSIGNMENTS if facts.max_assign_count is None else facts.max_assign_count
    if facts.assign_count >= most:
        return completed(facts, ResultCode.ABANDONED, now)
    return returned(facts, now)


def cancelled(facts: Facts, grace: int, now: int) -> Facts:
    """Its cancellation is requested. `grace`: nanoseconds that its executor has."""
    facts = facts._replace(cancel_requested=1)
    if facts.state == ENQUEUED.code:
        return completed(facts, ResultCode.CANCELLED, now)
    return settled(touched(facts, now)._replace(cancel_at=now + grace), now)
