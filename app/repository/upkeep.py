"""Timers: what is due fires, what has waited for its time becomes ready.

One process at a time takes turns (`leading`). A server that was away is no reason for a lease to
end: when there was no turn for a second or more, or the wall clock has stepped, the ack and
heartbeat timers of all leases that were alive begin one full interval anew. That is also how a step
of the clock revokes no lease: forward, it looks like an absence; backward, the times that leases
have left are set anew.
"""

from dataclasses import dataclass
from functools import partial

from app import transitions
from app.database import Database
from app.lifecycle import Timer
from app.repository import candidates, endings, idempotency, leading
from app.repository.facts import attempted, read, store
from app.repository.leading import BY_HAND, Candidate, Reign
from app.repository.sentences import rows
from app.repository.steps import happened
from app.signals import Event, send_all, turned
from app.transitions import expired, fires

DUTY = "reaper"
ABSENCE = 1_000_000_000
"""Nanoseconds without a turn that count as an absence."""
BATCH = 100
"""Tasks that are looked up at a time."""
BATCHES = 20
"""Batches of one turn at most, so that it beats in time."""
DUE = "SELECT id FROM tasks WHERE due_at <= ? ORDER BY due_at LIMIT ?"
LEASED = """
SELECT id FROM tasks WHERE due_at IS NOT NULL AND lease_until >= ? AND id > ?
    AND state IN (2, 3, 4) AND deleted_at IS NULL
ORDER BY id LIMIT ?
"""


@dataclass(frozen=True)
class Turn:
    """What one turn did."""

    fired: int = 0
    promoted: int = 0
    spared: int = 0
    """Leases whose timers began anew."""


def turn(database: Database, now: int) -> Turn:
    """Fire every timer that is due, make ready what has waited: the earliest first, bounded."""
    fired = promoted = 0
    for _ in range(BATCHES):
        due = [row[0] for row in rows(database, DUE, (now, BATCH))]
        for task in due:
            if fire(database, task, now):
                fired += 1
            elif candidates.promoted(database, task, now):
                promoted += 1
        if len(due) < BATCH:
            break
    idempotency.forget(database, now)
    return Turn(fired, promoted)


def fire(database: Database, task: int, now: int) -> Timer | None:
    """The timer of a task that fired at `now`, if any was due; once, whoever else looks."""

    def act() -> tuple[Timer | None, list[Event]]:
        with database.write_transaction():
            old = read(database, task)
            if old is None or old.due_at is None or old.due_at > now:
                return None, []
            timer = fires(old, now)
            if timer is None:
                return None, []
            new = expired(old, timer, now)
            store(database, old, new)
            if old.held:
                endings.close(database, old, new.updated_at or now, timer.value)
            endings.settle(database, new)
            return timer, happened(database, old, new, timer.value)

    timer, events = attempted(database, act)
    send_all(events)
    return timer


def spare(database: Database, since: int, now: int) -> int:
    """Begin anew, at `now`, the timers of all leases that lived at `since` -> how many."""
    spared, last = 0, 0
    while some := [row[0] for row in rows(database, LEASED, (since, last, BATCH))]:
        for task in some:
            spared += attempted(database, partial(spare_one, database, task, since, now))
        last = some[-1]
    return spared


def spare_one(database: Database, task: int, since: int, now: int) -> bool:
    """Whether a lease that lived at `since` lasts a full interval from `now` on."""
    with database.write_transaction():
        old = read(database, task)
        if old is None or old.lease_until is None or old.lease_until < since:
            return False
        store(database, old, transitions.amnestied(old, now))
        return True


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
    spared = spare(database, reign.beat_at or 0, now) if reign is not None and away else 0
    done = turn(database, now)
    if reign is None or away or not by_loop:
        leading.record(database, DUTY, BY_HAND, reign, now)
    return Turn(done.fired, done.promoted, spared)


def lead(database: Database, candidate: Candidate, now: int, steady: float) -> Turn | None:
    """Take a turn when this process leads; None: another does. `steady`: see `leading`."""
    reign = candidate.leads(database, now, steady)
    if reign is None:
        return None
    # Before the beat: should this process die meanwhile, the next one spares them again.
    spared = spare(database, reign.beat_at or 0, now) if absent(reign, now) else 0
    if candidate.beat(database, reign, now) is None:
        return None
    done = turn(database, now)
    turned.send(database=database, fired=done.fired, promoted=done.promoted, seconds=0.0)
    return Turn(done.fired, done.promoted, spared)
