"""What the rows of a collection are like, from a small sample: how many satisfy a predicate.

A wrong estimate makes a plan slow, never an answer wrong. The sample is taken from random places
of the primary key, kept per process, and taken anew when it is old.
"""

import random
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import Field, fn

from app.catalog.rows import Catalog, Members
from app.connections import Row
from app.database import Database
from app.repository import dictionaries
from app.repository.lists.elsewhere import Containing, Within
from app.repository.predicates import Among, Differs, Missing, Predicate, Span, Tagged, owner

SPOTS = 64
ROWS = 64
"""Rows read at each of the spots."""
SECOND = 1_000_000_000
FRESH = 10 * SECOND
"""How long a sample of a small collection is kept; ten thousand rows add a minute."""
OLDEST = 300 * SECOND
UNKNOWN = 0.05
"""The share assumed where the sample says nothing."""


@dataclass
class Sample:
    """Counts of values by column, times and UUIDs in order, and how many rows there are in all."""

    total: int
    size: int
    until: int
    values: dict[str, Counter[Any]] = field(default_factory=dict)
    times: dict[str, list[int]] = field(default_factory=dict)
    tags: Counter[int] = field(default_factory=Counter)
    moments: dict[str, list[int | None]] = field(default_factory=dict)
    """The times of each sampled row, by column: they follow each other, so that two ranges of them
    are seldom independent."""
    ordered: dict[str, list[int]] = field(default_factory=dict)
    """The places of these rows in order of a time, as they were asked for."""

    def share(self, row: Predicate) -> float:
        """The share of rows that satisfy `row`, as far as the sample tells: 0 to 1."""
        if not self.size:
            return UNKNOWN
        return min(1.0, self.hits(row) / self.size)

    def hits(self, row: Predicate) -> float:
        """The number of sampled rows that satisfy `row`."""
        counts = self.values.get(row.column, Counter())
        match row:
            case Among(values=values):
                return sum(counts[value] for value in values)
            case Tagged(values=values):
                return sum(self.tags[value] for value in values)
            case Missing(missing=missing):
                present = len(self.times.get(row.column, ())) or counts.total() - counts[None]
                return self.size - present if missing else present
            case Span():
                first, last = self.range(row)
                return last - first
            case Differs():
                return len(self.times.get(row.column, ()))
            case Containing() | Within():
                return UNKNOWN * self.size
        return self.size

    def together(self, spans: Sequence[Span]) -> float:
        """The share of rows within all of `spans`, as far as the sample tells: 0 to 1."""
        return len(self.within(spans)) / max(self.size, 1)

    def within(self, spans: Sequence[Span]) -> set[int]:
        """The places of the sampled rows within all of `spans`."""
        return set.intersection(*(set(self.along(span)) for span in spans))

    def along(self, span: Span) -> list[int]:
        """The places of the sampled rows within `span`, in its order."""
        column = span.column
        if column not in self.ordered:
            known = ((moment, at) for at, moment in enumerate(self.moments.get(column, ())))
            self.ordered[column] = [at for moment, at in sorted(
                (moment, at) for moment, at in known if moment is not None)]  # fmt: skip
        first, last = self.range(span)
        return self.ordered[column][first:last]

    def range(self, span: Span) -> tuple[int, int]:
        """Where `span` begins and ends among the times in order."""
        moments = self.times.get(span.column, [])
        first = 0 if span.low is None else bisect_left(moments, span.low)
        last = len(moments) if span.high is None else bisect_right(moments, span.high)
        return first, max(first, last)

    def passed(self, within: Span, descending: bool, spans: Sequence[Span], share: float) -> float:
        """The share of rows that a walk `within` a time passes until it has met so large a `share`
        of rows as are within all of `spans`."""
        places, met = self.along(within), self.within(spans)
        wanted, passed = max(1.0, share * self.size), 0
        for place in reversed(places) if descending else places:
            passed += 1
            wanted -= place in met
            if wanted <= 0:
                break
        return passed / max(self.size, 1)


def total(database: Database, catalog: Catalog) -> int:
    """How many rows there are; MySQL's own estimate, since it would have to count."""
    if database.dialect == "sqlite":
        return int(database.select(catalog.model.select(fn.COUNT("*")).tuples())[0][0])
    row = database.row(
        "SELECT table_rows FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = %s",
        (catalog.plural,),
    )
    return int(row[0] or 0) if row else 0


def edge(database: Database, catalog: Catalog, of: Callable[[Field], Any]) -> int | None:
    """The least or greatest id, as `of` says; None where there are no rows."""
    found: int | None = database.select(catalog.model.select(of(catalog.model.id)).tuples())[0][0]
    return found


def spots(database: Database, catalog: Catalog, count: int) -> list[int | None]:
    """Ids from which to read on: random ones, or just the first (None) of a small collection."""
    if count <= SPOTS * ROWS:
        return [None]
    # Two statements: for both at once SQLite reads every row.
    least, most = (edge(database, catalog, of) for of in (fn.MIN, fn.MAX))
    if least is None or most is None:
        return [None]  # MySQL has not noticed yet that the rows are gone
    chance = random.Random(count)
    # One in each part: rows that lie together were born together, and say less of times than many.
    return [least + int((most - least) * (part + chance.random()) / SPOTS) for part in range(SPOTS)]


def weighed(catalog: Catalog) -> set[str]:
    """The columns by which plans are weighed: those of filters, and who owns a row."""
    columns = {"tenant_id", "branch_id", "deleted_at", "uuid"}
    for row in catalog.filters:
        target = row.target.column if isinstance(row.target, Members) else row.target
        if isinstance(target, Field):
            columns.add(target.column_name)
    return columns - {"id"}


def columns(database: Database, catalog: Catalog, count: int) -> dict[str, list[Any]]:
    """The values of the sampled rows, column by column: a server keeps a sample for good."""
    model = catalog.model
    names = ["id", *sorted(weighed(catalog))]
    query = model.select(*(model._meta.columns[name] for name in names)).order_by(model.id).tuples()
    found: dict[int, Row] = {}
    for spot in spots(database, catalog, count):
        some = query.limit(SPOTS * ROWS if spot is None else ROWS)
        beyond = some if spot is None else some.where(model.id >= spot)
        found.update((row[0], row) for row in database.select(beyond))
    held = zip(*found.values(), strict=True) if found else ([] for _ in names)
    sampled = dict(zip(names, map(list, held), strict=True))
    sampled["uuid"] = [leading(value) for value in sampled["uuid"]]
    return sampled


def leading(uuid: bytes | None) -> int | None:
    """A UUID as a number, as far as it tells the order: it may grow with time, as times do."""
    return None if uuid is None else int.from_bytes(uuid[:8], "big")


def taken(database: Database, catalog: Catalog, now: int) -> Sample:
    """A new sample."""
    count = total(database, catalog)
    sampled = columns(database, catalog, count)
    ids = sampled.pop("id")
    count = max(count, len(ids))
    keep = min(OLDEST, FRESH + count // 10_000 * 60 * SECOND)
    sample = Sample(count, len(ids), now + keep)
    sample.moments["id"], sample.times["id"] = ids, sorted(ids)
    for column, values in sampled.items():
        if column.endswith("_at") or column == "uuid":
            sample.moments[column] = values
            sample.times[column] = sorted(value for value in values if value is not None)
        else:
            sample.values[column] = Counter(values)
    for some in dictionaries.batches(ids):
        tags = catalog.tags
        query = tags.select(tags.tag_id).where(owner(tags).in_(some)).tuples()
        sample.tags.update(row[0] for row in database.select(query))
    return sample


def sample_of(database: Database, catalog: Catalog, now: int) -> Sample:
    """The sample in force; `now`: epoch nanoseconds."""
    name = ("sample", catalog.plural)
    kept: Sample | None = database.memory.get(name)
    if kept is None or now >= kept.until or kept.until > now + OLDEST:
        if kept is not None:
            kept.until = now + FRESH  # the other threads use the old one until the new is there
        kept = database.memory[name] = taken(database, catalog, now)
    return kept
