"""What a database's failure means: what became of the transaction, and what a caller is told."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from playhouse.pool import MaxConnectionsExceeded

from app.errors import Unavailable

log = logging.getLogger(__name__)


class Fate(Enum):
    """What became of the transaction that a failure has ended."""

    UNDONE = (1213, 1205, 1020)
    """Rolled back for sure: deadlock or a conflict with another server, lock wait (after which
    `transaction` rolls back what the server has not), record changed."""
    UNSENT = (2002, 2003, 2005, 1040, 1203)
    """No server could be reached: nothing was sent."""
    LOST = (0, 2006, 2013, 2055, 1053, 1927, 1158, 1159, 1160, 1161, 1180, 4031)
    """The connection is gone, and what was not committed with it."""
    UNFIT = (1047, 1290, 1836)
    """This server takes no writes, and perhaps no reads: no quorum, or read-only."""
    UNKNOWN = ()
    """It was asked to commit and did not answer: done, or not done."""
    ENDED = (-1,)
    """Trying again would not help."""


BY_NUMBER = {number: fate for fate in Fate for number in fate.value}
WORDS = {
    1047: "the database server belongs to no cluster with a quorum",
    1290: "the database is read-only",
    1836: "the database is read-only",
}
BUSY = "the database is busy"
NO_INDEX = "an index is missing: `flask db upgrade` builds it"
"""Plans name their index: SQLite's `no such index`, MySQL's 1176."""
NO_SUCH_KEY = 1176
BEHIND = "is not at the newest migration"
"""The database, as it is said wherever that is found."""
NO_SUCH_TABLE = (1146, 1054)
"""MySQL's errors for tables and columns that are not there; SQLite says so in words."""
NOT_ALLOWED = (1044, 1142, 1227, 1419)
"""MySQL's errors for what the account may not do; 1419: make triggers beside a binary log."""
AGAIN = (Fate.UNDONE, Fate.UNSENT, Fate.LOST, Fate.UNFIT)
"""After these the whole transaction can be run again: it has changed nothing."""


def number_of(error: BaseException) -> int:
    """MySQL's error number, -1 where there is none."""
    first = error.args[0] if error.args else -1
    return first if isinstance(first, int) else -1


def fate_of(error: Exception, dialect: str) -> Fate:
    """What became of the transaction in which `error` was raised, before its COMMIT."""
    if dialect == "sqlite":
        return Fate.ENDED
    return BY_NUMBER.get(number_of(error), Fate.ENDED)


def refuse(error: Exception, fate: Fate) -> Unavailable:
    """What a caller is told of a failing database; the driver's own words go to the log."""
    words = str(error).lower()
    log.warning("database: %s", error)
    refusal = Unavailable(*reason(error, fate, words))
    refusal.fate = fate
    return refusal


def cause(refusal: Unavailable) -> str:
    """One line for the operator, who may know what the database itself said."""
    error = refusal.__cause__
    if error is None or "reason" not in refusal.facts:
        return refusal.message
    words = [str(part) for part in error.args if part] or [type(error).__name__]
    words += [error.filename] if isinstance(error, OSError) and error.filename else []
    told = " ".join(" ".join(words).split())
    return f"TASKS_DATABASE_URL: {refusal.facts['reason']}: {told}"


@contextmanager
def unlogged() -> Iterator[None]:
    """Failures inside are not logged: they end a command that says so, or are of no account."""
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def reason(error: Exception, fate: Fate, words: str) -> Any:
    """In words for people, and when a retry makes sense, in seconds."""
    if isinstance(error, MaxConnectionsExceeded) or fate is Fate.UNDONE:
        return (BUSY,)
    if fate is Fate.UNFIT:
        return WORDS[number_of(error)], 5
    if number_of(error) == NO_SUCH_KEY or words.startswith("no such index"):
        return NO_INDEX, 30
    if number_of(error) in NO_SUCH_TABLE or words.startswith(("no such table", "no such column")):
        return f"the database {BEHIND}: `flask db upgrade` brings it there", 30
    if number_of(error) in NOT_ALLOWED:
        return "the database does not allow that to the account", 60
    if "locked" in words or "busy" in words:
        return (BUSY,)
    if "full" in words:
        return "the storage is full", 30
    return "the database does not answer", 5
