"""Timers: what is due fires, what has waited for its time becomes ready.

One process at a time takes turns (`leading`). A server that was away is no reason for a lease to
end: when there was no turn for a second or more, or the wall clock has stepped, the ack and
heartbeat timers of all leases that were alive begin one full interval anew. That is also how a step
of the clock revokes no lease: forward, it looks like an absence; backward, the times that leases
have left are set anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app import clock, transitions
from app.database import Database
from app.lifecycle import HELD
from app.repository.figures import tallying
from app.repository.sentences import rows
from app.repository.timers import firing, leading
from app.repository.timers.leading import BY_HAND, Candidate, Reign
from app.repository.work import idempotency, promoting
from app.repository.work.facts import attempted, read, store
from app.signals import turned
from app.vocabulary import State

DUTY = "reaper"
ABSENCE = 1_000_000_000
"""Nanoseconds without a turn that count as an absence."""
WORKING_SECONDS = 0.25
"""How long a turn works before it leaves the rest to the next one: a leader who did not beat in the
meantime would look absent, and begin all leases anew for ever."""
UNBOUNDED = float("inf")
BATCH = 100
"""Tasks that are looked up at a time."""
TOGETHER = 20
"""Tasks of one transaction."""
DUE = "SELECT id FROM tasks WHERE due_at <= ? ORDER BY due_at LIMIT ?"
LATEST = DUE.replace("due_at LIMIT", "due_at DESC LIMIT")
LATEST_FIRST = 20
"""Of them so many when much is due: what came of time just now."""
LEASED = """
SELECT id FROM tasks {index} WHERE state = ? AND state < 5 AND id > ?
    AND due_at IS NOT NULL AND lease_until >= ? AND deleted_at IS NULL
ORDER BY id LIMIT ?
"""
INDEX = {"sqlite": "INDEXED BY tasks_state", "mysql": "FORCE INDEX (tasks_state)"}
"""Left to themselves, engines read all tasks that there ever were in order of id."""


@dataclass(frozen=True)
class Turn:
    """What one turn did."""

    fired: int = 0
    promoted: int = 0
    spared: int = 0
    """Leases whose timers began anew."""
    more: bool = False
    """Whether it has left something to the next turn, which should come at once."""


@dataclass
class Sweep:
    """An amnesty on its way: the leases that lived at `since`, as far as they have begun anew."""

    since: int
    seen: int
    """When it last went on: what went silent in the middle was away once more, and begins again."""
    states: tuple[State, ...] = HELD
    last: int = 0
    """All tasks of the first of `states` up to this number are done."""


def turn(database: Database, now: int, until: float = UNBOUNDED) -> Turn:
    """Fire every timer that is due, make ready what has waited: see `due_at`. Then changes are
    folded into figures, where many have gathered.

    `until`, on the steady clock, is when it leaves the rest to the next turn.
    """
    fired = promoted = 0
    while due := due_at(database, now):
        before = fired + promoted
        for some in batches(due):
            went = firing.fire(database, some, now)
            fired += len(went)
            for task in some:
                if task not in went:
                    act = partial(promoting.promoted, database, task, now)
                    promoted += firing.alone(database, task, act) or 0
            if clock.monotonic() >= until:
                return Turn(fired, promoted, more=True)
        if fired + promoted == before:
            break
    idempotency.forget(database, now)
    return Turn(fired, promoted, more=tallying.upkeep(database, until))


def due_at(database: Database, now: int) -> list[int]:
    """Some of the tasks that are due, the earliest first. Where there are more, they come behind
    some of the latest: thousands that were imported, or put off to one moment, make no timer wait
    that comes after them."""
    due = [row[0] for row in rows(database, DUE, (now, BATCH))]
    if len(due) < BATCH:
        return due
    latest = [row[0] for row in rows(database, LATEST, (now, LATEST_FIRST))]
    return list(dict.fromkeys((*latest, *due)))


def batches(tasks: Sequence[int]) -> Iterator[Sequence[int]]:
    """`tasks` in parts for one transaction each."""
    return (tasks[at : at + TOGETHER] for at in range(0, len(tasks), TOGETHER))


def spare(database: Database, sweep: Sweep, now: int, until: float = UNBOUNDED) -> Turn:
    """Begin anew, at `now`, the timers of all leases of `sweep`, or as many as there is time for.

    `until`: see `turn`.
    """
    spared, text = 0, LEASED.format(index=INDEX[database.dialect])
    while sweep.states:
        values = (sweep.states[0].code, sweep.last, sweep.since, TOGETHER)
        some = [row[0] for row in rows(database, text, values)]
        if not some:
            sweep.states, sweep.last = sweep.states[1:], 0
            continue
        spared += attempted(database, partial(spare_some, database, some, sweep.since, now))
        sweep.last, sweep.seen = some[-1], now
        if clock.monotonic() >= until:
            return Turn(spared=spared, more=True)
    return Turn(spared=spared)


def spare_some(database: Database, tasks: Sequence[int], since: int, now: int) -> int:
    """How many of `tasks` had a lease that lived at `since`; it lasts a full interval from now."""
    spared = 0
    with database.write_transaction():
        for task in tasks:
            old = read(database, task)
            if old is not None and old.lease_until is not None and old.lease_until >= since:
                store(database, old, transitions.amnestied(old, now))
                spared += 1
    return spared


def absent(reign: Reign, now: int) -> bool:
    """Whether there was no turn for a while before `now`, or the wall clock was set back."""
    return reign.beat_at is not None and abs(now - reign.beat_at) >= ABSENCE


def once(database: Database, now: int) -> Turn:
    """Take one turn by hand or by cron, whether or not somebody leads: a timer fires only once.

    Where turns are taken like this alone, the time between two of them is no absence: how often
    they come is the operator's choice.
    """
    reign = leading.reign(database, DUTY)
    by_loop = reign is not None and reign.holder != BY_HAND
    away = reign is not None and by_loop and absent(reign, now)
    spared = spare(database, Sweep(reign.beat_at or 0, now), now) if reign and away else Turn()
    done = turn(database, now)
    tallying.fold_all(database)
    if reign is None or away or not by_loop:
        leading.record(database, DUTY, BY_HAND, reign, now)
    return replace(done, spared=spared.spared)


def lead(database: Database, candidate: Candidate, now: int, steady: float) -> Turn | None:
    """Take a turn when this process leads; None: another does. `steady`: see `leading`."""
    reign = candidate.leads(database, now, steady)
    if reign is None:
        candidate.unfinished = None
        return None
    until = clock.monotonic() + WORKING_SECONDS
    spared = Turn()
    if absent(reign, now):
        sweep = candidate.unfinished = sweep_of(candidate.unfinished, reign.beat_at or 0, now)
        spared = spare(database, sweep, now, until)
        if spared.more:
            # Without saying that the duty was done: should this process die, all are spared again.
            return spared if candidate.hold(database, reign, now) else None
    candidate.unfinished = None
    if candidate.beat(database, reign, now) is None:
        return None
    began = clock.monotonic()
    done = turn(database, now, until)
    seconds = clock.monotonic() - began
    turned.send(database=database, fired=done.fired, promoted=done.promoted, seconds=seconds)
    return replace(done, spared=spared.spared)


def sweep_of(unfinished: Sweep | None, since: int, now: int) -> Sweep:
    """The amnesty for an absence since `since`: the one on its way, unless it was interrupted."""
    if unfinished and unfinished.since == since and abs(now - unfinished.seen) < ABSENCE:
        return unfinished
    return Sweep(since, now)
