"""Which process does a duty that only one may do at a time: elected through one row.

The leader beats; who sees no new beat for a while takes over. What counts is how long a candidate
has watched the same beat on its own steady clock, so that no wall clock decides, whichever way it
steps and however far the servers' clocks lie apart.
"""

from dataclasses import dataclass
from typing import Any

import peewee

from app.database import Database
from app.models import Leader
from app.repository.sentences import insert, rows, update

PATIENCE = 4.0
"""Seconds without a beat after which a leader is taken for dead."""
HOLD = 4_000_000_000
"""The same in nanoseconds: what the row says of the hold's end, for people who look at it."""
ROW = "SELECT holder, term, held_until, beat_at FROM leaders WHERE duty = ?"
FREE = ""
"""The holder of a duty that was laid down."""
BY_HAND = "by hand"
"""The holder when the duty was last done by a command that has ended."""
IDLE = (FREE, BY_HAND)
"""Holders that do not go on."""


@dataclass(frozen=True)
class Reign:
    """The row of a duty: who holds it, for the how-many-th time it changed hands, until when."""

    holder: str
    term: int
    until: int
    beat_at: int | None


def reign(database: Database, duty: str) -> Reign | None:
    """Who holds `duty`, or None when it was never done."""
    found = rows(database, ROW, (duty,))
    return Reign(*found[0]) if found else None


def begin(database: Database, duty: str, holder: str, now: int) -> Reign | None:
    """The first reign of all; None when somebody else was faster."""
    row = {"duty": duty, "holder": holder, "held_until": now + HOLD, "term": 1, "beat_at": None}
    try:
        insert(database, Leader._meta.table_name, row)
    except peewee.IntegrityError:
        return None
    return Reign(holder, 1, now + HOLD, None)


def change(database: Database, duty: str, old: Reign, new: Reign) -> bool:
    """Whether the row was still `old` and is now `new`."""
    keys = {"duty": duty, "holder": old.holder, "term": old.term, "held_until": old.until}
    columns = {"holder": new.holder, "term": new.term, "held_until": new.until,
               "beat_at": new.beat_at}  # fmt: skip
    return update(database, Leader._meta.table_name, columns, keys) == 1


def record(database: Database, duty: str, holder: str, old: Reign | None, now: int) -> None:
    """Note that `holder`, who does not go on leading, did the duty at `now`."""
    known = old or begin(database, duty, holder, now)
    if known is not None:
        change(database, duty, known, Reign(holder, known.term + 1, known.until + 1, now))


class Candidate:
    """One process that would do a duty; `name` is unlike any other's."""

    def __init__(self, duty: str, name: str) -> None:
        """Nothing was seen yet."""
        self.duty = duty
        self.name = name
        self.seen: Reign | None = None
        self.since = 0.0
        self.unfinished: Any = None
        """What it has begun of the duty and not ended yet; the duty's own affair."""

    def leads(self, database: Database, now: int, steady: float) -> Reign | None:
        """The reign as it was, when this process leads from now on; None: another does.

        `steady`: seconds of a clock that never steps.
        """
        known = reign(database, self.duty)
        if known is None:
            return begin(database, self.duty, self.name, now)
        if known.holder == self.name:
            return known
        if known != self.seen:
            self.seen, self.since = known, steady
        if known.holder not in IDLE and steady - self.since < PATIENCE:
            return None
        new = Reign(self.name, known.term + 1, self.until(known, now), known.beat_at)
        return new if change(database, self.duty, known, new) else None

    def until(self, known: Reign, now: int) -> int:
        """When the hold ends; never the same as before, for that is how a beat is seen."""
        return now + HOLD if now + HOLD != known.until else now + HOLD + 1

    def beat(self, database: Database, known: Reign, now: int) -> Reign | None:
        """Say that the duty was done at `now`; None: somebody else has taken over."""
        new = Reign(self.name, known.term, self.until(known, now), now)
        return new if change(database, self.duty, known, new) else None

    def hold(self, database: Database, known: Reign, now: int) -> Reign | None:
        """Go on leading without saying that the duty was done; None: as for `beat`."""
        new = Reign(self.name, known.term, self.until(known, now), known.beat_at)
        return new if change(database, self.duty, known, new) else None

    def lay_down(self, database: Database) -> None:
        """Let somebody else take over at once, when this process leads."""
        known = reign(database, self.duty)
        if known is not None and known.holder == self.name:
            change(
                database, self.duty, known, Reign(FREE, known.term, known.until + 1, known.beat_at)
            )
