"""How many rows satisfy a condition: by a sample, and by counting where that says few.

What is found is remembered for the request, of which many walks may ask the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from math import prod
from typing import Any

from app.catalog.indexes import INDEXES, Index
from app.catalog.rows import Catalog
from app.database import Database
from app.repository.lists.elsewhere import Containing, Within
from app.repository.lists.sampling import Sample
from app.repository.lists.walking import run
from app.repository.lists.walks import Head, Walk, streams
from app.repository.predicates import Among, Missing, Predicate, Predicates, Span, Tagged, marks
from app.repository.statements import fetch

FEW = 8
"""Sampled rows below which an estimate is made sure by counting."""
HALF = 0.5
"""Sampled rows that stand for none."""
ENTRIES = 100
"""Entries of a dictionary of which it is asked whether they match."""
COUNTED = 1_000
"""Rows up to which a count goes."""


@cache
def along_columns() -> dict[tuple[str, tuple[str, ...]], list[Index]]:
    """All indexes, by table and columns."""
    found: dict[tuple[str, tuple[str, ...]], list[Index]] = {}
    for index in INDEXES:
        found.setdefault((index.table, index.columns), []).append(index)
    return found


def indexes(table: str, *columns: str) -> Iterator[Index]:
    """The indexes on exactly these columns: one, none, or two with different rows."""
    return iter(along_columns().get((table, columns), ()))


def holds(index: Index, row: Predicate) -> bool:
    """Whether every row that satisfies `row` is in `index`."""
    if isinstance(row, Among):
        return not set(index.lacks).intersection(row.values)
    return not index.lacks and not (isinstance(row, Missing) and index.where)


class Estimates:
    """About how many rows of a collection satisfy each condition, as one request needs it."""

    def __init__(self, database: Database, catalog: Catalog, sample: Sample) -> None:
        """Know the rows by `sample`."""
        self.database = database
        self.catalog = catalog
        self.sample = sample
        self.counts: dict[Predicate, float] = {}
        self.together: dict[tuple[Span, ...], float] = {}
        """The shares of ranges of several times."""
        self.passed: dict[tuple[Any, ...], float] = {}
        """How far walks go that begin with rows which are not wanted."""
        self.vain: set[Predicate] = set()
        """Conditions that no row satisfies: a count has shown it."""

    def count(self, row: Predicate) -> float:
        """About how many rows satisfy `row`; counted where they are few."""
        known = self.counts.get(row)
        if known is None:
            known = self.sample.hits(row)
            if isinstance(row, Containing | Within):
                known = self.looked_up(row) * self.sample.total
            elif known < FEW and isinstance(row, Among | Tagged | Span | Missing):
                known = self.counted(row)
            else:
                known = self.sample.share(row) * self.sample.total
            self.counts[row] = known
        return known

    def looked_up(self, row: Containing | Within) -> float:
        """The share of rows that satisfy `row`: that of the sampled rows with a frequent entry of
        which the entry matches."""
        counts = self.sample.values.get(row.column, Counter())
        some = [pair for pair in counts.most_common(ENTRIES) if pair[0] is not None]
        if not some:
            return self.sample.share(row)
        numbers = Among(row.column, tuple(number for number, _ in some))
        count = len(row.parameters)

        def build() -> Any:
            places = marks(0, count + len(numbers.parameters))
            matching = row.entries(places[:count])
            return matching.where(matching.model.id.in_(places[count:])).tuples()

        shape = ("looked up", row.shape, len(numbers.parameters))
        found = fetch(self.database, shape, build, (*row.parameters, *numbers.parameters))
        matched = {entry[0] for entry in found}
        seen = sum(times for number, times in some if number in matched)
        missing = counts[None] / max(self.sample.size, 1)
        return max(seen, HALF) / sum(times for _, times in some) * (1 - missing)

    def counted(self, row: Predicate) -> float:
        """How many rows satisfy `row`, counted up to a limit along an index of its own."""
        index = self.index_of(row)
        if index is None and not isinstance(row, Tagged):
            return self.sample.share(row) * self.sample.total
        head = Head("id", (self.catalog.model.id,))
        found = 0
        for walk in self.opened(row, index):
            found += len(run(self.database, self.catalog, walk, head, COUNTED - found))
            if found >= COUNTED:
                return max(COUNTED, self.sample.share(row) * self.sample.total)
        if not found:
            self.vain.add(row)
        return found

    def usable(self, row: Predicate) -> bool:
        """Whether the rows that satisfy `row` can be found without looking at others."""
        named = row.column in ("id", "uuid") and isinstance(row, Among)
        return named or isinstance(row, Tagged) or self.index_of(row) is not None

    def opened(self, row: Predicate, index: Index | None) -> list[Walk]:
        """Walks over all rows that satisfy `row` alone, in no order that matters."""
        if isinstance(row, Tagged):
            return streams(Walk((row,), "id", False, index), row)
        return [Walk((row,), "id", False, index)]

    def index_of(self, row: Predicate) -> Index | None:
        """The index that begins with `row`'s column and holds all that it asks for."""
        if isinstance(row, Tagged):
            return None
        return next(
            (index for index in indexes(self.catalog.plural, row.column) if holds(index, row)), None
        )

    def indexes_of(self, column: str) -> Iterator[Index]:
        """The indexes on this column alone."""
        return indexes(self.catalog.plural, column)

    def matches(self, rows: Predicates) -> float:
        """About how many rows satisfy all of `rows`."""
        return self.share(rows) * max(self.sample.total, 1)

    def share(self, rows: Iterable[Predicate]) -> float:
        """About the share of rows that satisfy all of `rows`: ranges of several times are looked
        at together, all else is taken as independent."""
        known = list(rows)
        spans = [row for row in known if isinstance(row, Span) and row.column != "id"]
        if len({row.column for row in spans}) < 2:
            return self.apart(known)
        key = tuple(spans)
        if key not in self.together:
            self.together[key] = self.sample.together(spans)
        seen = self.together[key]
        together = seen or min(self.apart(spans), HALF / max(self.sample.size, 1))
        return together * self.apart([row for row in known if row not in spans])

    def apart(self, rows: Sequence[Predicate]) -> float:
        """The same, all taken as independent."""
        total = max(self.sample.total, 1)
        return prod(min(1.0, self.count(row) / total) for row in rows)

    def narrowest(self, rows: Predicates) -> float:
        """How many rows satisfy that one of `rows` which leaves fewest and has an index."""
        narrow = (row for row in rows if isinstance(row, Among | Tagged | Span | Missing))
        counts = [self.count(row) for row in narrow if self.usable(row)]
        return min([self.sample.total, *counts])

    def likely(self, row: Predicate) -> float:
        """About how many rows satisfy `row`, by the sample alone: half of one seen for none."""
        return max(self.sample.hits(row), HALF) / max(self.sample.size, 1) * self.sample.total

    def rarest(self, predicates: Predicates) -> Index | None:
        """The index of the condition that leaves fewest rows; None when none leaves few."""
        rows = [row for row in predicates if isinstance(row, Among | Span)]
        found = [(self.count(row), index) for row in rows if (index := self.index_of(row))]
        count, index = min(found, key=lambda pair: pair[0], default=(0.0, None))
        return index if count < self.sample.total / 3 else None
