"""The act of importing: everything is checked, then written whole or not at all."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, starmap
from typing import Any

from app.database import Database
from app.errors import Fault
from app.repository.maintenance.importing.candidates import Candidate, read
from app.repository.maintenance.importing.checking import Checker, Tally
from app.repository.maintenance.importing.layout import LAYOUTS
from app.repository.maintenance.importing.loading import Watch, load
from app.repository.maintenance.importing.reindexing import recover
from app.repository.tenants import Node

TOGETHER = 2_000
"""Objects that are checked and written together."""
HEAVY = 16 << 20
"""Characters of JSON from which on fewer will do."""
FEW = 100
"""Objects that are read before they are weighed."""
Arrival = tuple[Any, Any, Sequence[str]]
"""An object's origin (whatever `report` is to be told), its value, and troubles with its text."""


class NothingImported(Exception):
    """Some objects are bad, and nothing was written."""

    def __init__(self, tally: Tally) -> None:
        """`tally`: what would have become of the others."""
        self.tally = tally
        super().__init__(f"{tally.bad} objects are bad: nothing was imported")


class Unwatched:
    """Nobody is told how far a load is."""

    def begin(self, label: str, length: int) -> None:
        """Nobody is told."""

    def at(self, done: int) -> None:
        """Nobody is told."""


def nobody(origin: Any, faults: Sequence[Fault]) -> None:
    """Nobody is told of a bad object."""


def together(arrivals: Iterable[Arrival]) -> Iterator[list[Candidate]]:
    """`arrivals`, read, in lists of about TOGETHER, or fewer where they are HEAVY; what each was
    read from is let go at once."""
    source, weight = starmap(read, arrivals), 0
    some: list[Candidate] = []
    while few := list(islice(source, min(FEW, TOGETHER))):
        some += few
        weight += sum(map(weight_of, few))
        if len(some) >= TOGETHER or weight >= HEAVY:
            yield some
            some, weight = [], 0
    if some:
        yield some


def weight_of(candidate: Candidate) -> int:
    """Characters of JSON that a candidate's row would hold."""
    if "id" not in candidate.into:
        return 0
    texts = LAYOUTS[candidate.catalog.plural].texts(candidate.into)
    return sum(map(len, filter(None, texts)))


def take(
    database: Database, arrivals: Iterable[Arrival], default: Node, now: int, *,
    replace: bool = False, skip_bad: bool = False,
    report: Callable[[Any, Sequence[Fault]], None] = nobody, watch: Watch | None = None,
) -> Tally:  # fmt: skip
    """Import `arrivals` -> what became of them.

    `default`: tenant of those that name none; `replace`: overwrite what is there by id rather than
    skip it; `skip_bad`: leave bad ones out rather than refuse all. Raises NothingImported,
    Unavailable, OSError; then nothing has changed.
    """
    recover(database)
    checker = Checker(database, default, now, replace, report)
    collecting = gc.isenabled()
    # Millions of objects, none in a cycle: looking for cycles costs a third of the time.
    gc.disable()
    try:
        for some in together(arrivals):
            checker.take(some)
        if checker.tally.bad and not skip_bad:
            raise NothingImported(checker.tally)
        checker.presence.close()
        if checker.spool.counts:
            load(database, checker, watch or Unwatched())
        return checker.tally
    finally:
        checker.close()
        if collecting:
            gc.enable()
