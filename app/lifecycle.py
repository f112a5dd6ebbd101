"""Who may lead which state to which, what every step changes, and which timers run when. Pure.

The rows of `TASK_STEPS`, `ACTIVITY_STEPS` and `TIMERS` are the contract's tables of section 7. The
routes, the 409 answers and the documentation are made from them; `app.transitions` says what a row
does to a task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from app.vocabulary import ResultCode, State, Word

ENQUEUED, ASSIGNED, STARTED, PAUSED, COMPLETED = State
HELD = (ASSIGNED, STARTED, PAUSED)
"""An executor has it, under a lease."""
RUNNING = (STARTED, PAUSED)
OPEN = (ENQUEUED, *HELD)
"""Not completed."""


class Who(Enum):
    """Who may take a step; the value is how people are told."""

    CONSUMER = "a consumer"
    HOLDER = "a consumer with the task's lease"
    HOLDER_OR_ADMIN = "a consumer with the task's lease, or an admin"
    ISSUER = "an issuer"


@dataclass(frozen=True)
class Step:
    """`name` leads from each state in `leads` to the state that is written beside it.

    In `repeats` it has taken effect before, and changes nothing. A step that `ends` the lease can
    be repeated under that very lease.
    """

    name: str
    leads: Mapping[State, State]
    who: Who
    effect: str
    repeats: tuple[State, ...] = ()
    ends: bool = False
    leaseless: Mapping[State, State] = field(default_factory=dict)
    """Where it leads besides when an admin takes it without a lease."""

    @property
    def sources(self) -> tuple[State, ...]:
        """The states from which it can be taken, by whomever, in order of life."""
        return tuple(state for state in State if state in {**self.leads, **self.leaseless})

    def target(self, state: State, leaseless: bool = False) -> State | None:
        """Where it leads from `state`; None: it cannot be taken there."""
        return {**self.leads, **(self.leaseless if leaseless else {})}.get(state)


def all_to(target: State, *sources: State) -> dict[State, State]:
    """Every one of `sources` leads to `target`."""
    return dict.fromkeys(sources, target)


def staying(*states: State) -> dict[State, State]:
    """The state remains what it is."""
    return {state: state for state in states}


TASK_STEPS = (
    Step("claim", all_to(ASSIGNED, ENQUEUED), Who.CONSUMER,
         "A new attempt and lease begin; `executor` and `assignedAt` are set."),
    Step("started", all_to(STARTED, ASSIGNED, PAUSED), Who.HOLDER,
         "`startedAt` is set the first time in an attempt.", repeats=(STARTED,)),
    Step("heartbeat", staying(*HELD), Who.HOLDER, "The lease is renewed once started."),
    Step("progress", staying(*RUNNING), Who.HOLDER,
         "`progress`, and `context` when given, replace what was there."),
    Step("paused", all_to(PAUSED, STARTED), Who.HOLDER, "The execution timer stands still.",
         repeats=(PAUSED,)),
    Step("enqueued", all_to(ENQUEUED, *HELD), Who.HOLDER_OR_ADMIN,
         "The lease ends; `executor`, `assignedAt` and `startedAt` are cleared.", ends=True),
    Step("completed", all_to(COMPLETED, *HELD), Who.HOLDER_OR_ADMIN,
         "The lease ends; `result` and `completedAt` are set.", ends=True,
         leaseless=all_to(COMPLETED, ENQUEUED)),
    Step("cancelRequested", {ENQUEUED: COMPLETED, **staying(*HELD)}, Who.ISSUER,
         "Enqueued: completed as `cancelled` at once. Held: flagged, and completed as `cancelled` "
         "when the grace has passed."),
)  # fmt: skip

ACTIVITY_STEPS = (
    Step("assigned", all_to(ASSIGNED, ENQUEUED), Who.HOLDER, "`executor` is set.",
         repeats=(ASSIGNED,)),
    Step("enqueued", all_to(ENQUEUED, ASSIGNED), Who.HOLDER, "`executor` is cleared.",
         repeats=(ENQUEUED,)),
    Step("started", all_to(STARTED, ENQUEUED, ASSIGNED, PAUSED), Who.HOLDER,
         "`startedAt` is set the first time, and `executor` where there is none.",
         repeats=(STARTED,)),
    Step("paused", all_to(PAUSED, STARTED), Who.HOLDER, "Its work stands still.",
         repeats=(PAUSED,)),
    Step("progress", staying(*RUNNING), Who.HOLDER,
         "`progress`, and `context` when given, replace what was there."),
    Step("completed", all_to(COMPLETED, *OPEN), Who.HOLDER, "`result` and `completedAt` are set.",
         repeats=(COMPLETED,)),
)  # fmt: skip

TASK_STEP = {step.name: step for step in TASK_STEPS}
ACTIVITY_STEP = {step.name: step for step in ACTIVITY_STEPS}


def allowed(steps: tuple[Step, ...], state: State) -> str:
    """The names of the steps that `state` allows, for people."""
    return ", ".join(step.name for step in steps if state in step.sources) or "none"


class Timer(Word):
    """What frees a task that is stuck; where two fire at one moment, the earlier row does."""

    QUEUE = "queue"
    ACK = "ack"
    HEARTBEAT = "heartbeat"
    EXEC = "exec"
    LIFE = "life"
    GRACE = "grace"


@dataclass(frozen=True)
class Alarm:
    """A timer: the states in which it runs, what it makes of the task, since when it counts."""

    timer: Timer
    runs: tuple[State, ...]
    result: ResultCode | None
    """How it completes the task; None: back to the queue, while there are assignments left."""
    counts: str
    seconds: int | None
    """Its default; None: it runs only where a task asks for it."""


TIMERS = (
    Alarm(Timer.QUEUE, (ENQUEUED,), ResultCode.TIMEDOUT,
          "since it last entered the queue, or its `notBefore`, whichever is later", None),
    Alarm(Timer.ACK, (ASSIGNED,), None, "since it was claimed", 60),
    Alarm(Timer.HEARTBEAT, RUNNING, None, "since the last call under its lease", 60),
    Alarm(Timer.EXEC, (STARTED,), ResultCode.TIMEDOUT,
          "since the first start of this attempt, pauses not counted", None),
    Alarm(Timer.LIFE, OPEN, ResultCode.TIMEDOUT, "since `enqueuedAt`", None),
    Alarm(Timer.GRACE, HELD, ResultCode.CANCELLED, "since its cancellation was requested", 300),
)  # fmt: skip
ALARM = {row.timer: row for row in TIMERS}

MOST_ASSIGNMENTS = 5
"""How often a task is handed out at most, where it does not say."""
MOST_FAILURES = 5
"""How many failed attempts complete it, where it does not say."""

REQUEUED = "requeued"
FAILED = "failed"
