"""What narrows a walk: bounds that conditions on other times imply, and how far it must go."""

from collections.abc import Iterator
from functools import cached_property

from app.repository import invariants
from app.repository.lists.estimating import Estimates, indexes
from app.repository.lists.plans import Demand
from app.repository.lists.sampling import leading
from app.repository.lists.walking import run
from app.repository.lists.walks import Head, Walk
from app.repository.predicates import Predicate, Predicates, Span, on

FEW = 100
"""Rows that are found as quickly as they are weighed."""


class Narrowed:
    """One demand, with what is known of the rows."""

    def __init__(self, estimates: Estimates, demand: Demand, bounds: invariants.Bounds) -> None:
        """Know the rows by `estimates`, and what their times imply by `bounds`."""
        self.database = estimates.database
        self.catalog = demand.catalog
        self.estimates = estimates
        self.sample = estimates.sample
        self.count = estimates.count
        self.demand = demand
        self.bounds = bounds

    @cached_property
    def bound(self) -> Span | None:
        """What the conditions on other times imply for the order's column."""
        column = self.demand.column
        if column == "id":
            return self.ids
        return self.implied(column) if column in invariants.times(self.catalog) else None

    @cached_property
    def ids(self) -> Span | None:
        """What the conditions on times imply for the id."""
        born = self.implied(invariants.birth(self.catalog), itself=True)
        if born is None or not invariants.ordered(self.database, self.catalog, self.bounds):
            return None
        return self.by_id(born)

    def implied(self, target: str, itself: bool = False) -> Span | None:
        """What the conditions on other times (or `itself`) imply for the time `target`."""
        if self.bounds.get(invariants.measured(self.catalog)):
            return None
        spans = [
            invariants.implied(self.catalog, self.bounds, row, target)
            for row in (*self.demand.predicates, *self.begun)
            if isinstance(row, Span) and row.column in invariants.times(self.catalog)
            and (itself or row.column != target)
        ]  # fmt: skip
        found = [span for span in spans if span is not None]
        if not found:
            return None
        low = max((span.low for span in found if span.low is not None), default=None)
        high = min((span.high for span in found if span.high is not None), default=None)
        return Span(target, low, high)

    @property
    def begun(self) -> Iterator[Span]:
        """The times from which a walk by id goes on, of rows in order of birth."""
        past = self.demand.past
        if past is not None and past.column != self.demand.column:
            low, high = (None, past.value) if past.descending else (past.value, None)
            yield Span(past.column, low, high)

    def by_id(self, span: Span) -> Span | None:
        """A bound on the time of birth as one on the id: ids grow with it."""
        low = self.edge(span.low, descending=False) if span.low is not None else None
        high = self.edge(span.high, descending=True) if span.high is not None else None
        return None if low is None and high is None else Span("id", low, high)

    def edge(self, moment: int, descending: bool) -> int | None:
        """The id of the first row from `moment` on, or of the last up to it."""
        born = invariants.birth(self.catalog)
        span = Span(born, None, moment) if descending else Span(born, moment, None)
        index = next(indexes(self.catalog.plural, born))
        head = Head("id", (self.catalog.model.id,))
        rows = run(
            self.database, self.catalog, Walk((span,), born, descending, index), head, limit=1
        )
        if rows:
            return int(rows[0][0])
        # No row is on that side: nothing satisfies the bound, and no id is that small or large.
        return 0 if descending else 2**63 - 1

    def share(self, rows: Predicates, beside: Predicate | None = None) -> float:
        """The share of rows that satisfy all of `rows` but `beside`.

        Conditions that bound the walk itself are left out.
        """
        some = (row for row in rows if row is not beside and not self.bounding_row(row))
        return max(self.estimates.share(some), 0.1 / max(self.sample.total, 1))

    def bounding_row(self, row: Predicate) -> bool:
        """Whether `row` bounds the walk, by its own column or by what it implies; along UUIDs,
        which may grow with time, whether it says where the walk meets its first row."""
        if not isinstance(row, Span):
            return False
        tracked = self.bound is not None or self.demand.column == "uuid"
        implied = tracked and row.column in invariants.times(self.catalog)
        return implied or row.column == self.demand.column

    def inside(self) -> float:
        """The share of rows within the bounds of the walk."""
        spans = [*on(self.demand.predicates, self.demand.column, Span)]
        if self.bound is not None:
            spans.append(self.bound)
        return min((self.sample.share(span) for span in spans), default=1.0)

    @cached_property
    def expected(self) -> float:
        """About how many rows the list will have, at least `FEW` where so many are wanted."""
        rows = self.sample.total * self.inside() * self.share(self.demand.predicates)
        return min(self.demand.limit, max(rows, FEW))

    @cached_property
    def behind(self) -> list[Span]:
        """The conditions on other times, of which the walk's bounds are what they imply."""
        rows = self.demand.predicates
        return [
            row
            for row in rows
            if isinstance(row, Span) and self.bounding_row(row) and row.column != self.demand.column
        ]

    def visited(self, among: float, rest: float) -> float:
        """Rows looked at by a walk over `among` rows of which the share `rest` is wanted."""
        needed, inside = self.demand.limit / rest, among * self.inside()
        if not self.behind or needed >= inside:
            return min(inside, needed)
        if not all(map(self.sample.hits, self.behind)):
            return inside
        # Where the walk begins, many may come first that the conditions behind the bounds refuse.
        key = (self.within, self.demand.descending, *self.behind, round(needed / among, 4))
        if key not in self.estimates.passed:
            self.estimates.passed[key] = self.sample.passed(
                self.within, self.demand.descending, self.behind, needed / among
            )
        return min(inside, max(needed, among * self.estimates.passed[key]))

    @property
    def within(self) -> Span:
        """Between which values of its column the walk goes."""
        demand = self.demand
        spans = [*on(demand.predicates, demand.column, Span), *filter(None, (self.bound,))]
        lows = [span.low for span in spans if span.low is not None]
        highs = [span.high for span in spans if span.high is not None]
        past = demand.past
        if past is not None and past.value is not None and past.column == demand.column:
            value = past.value
            edge = leading(value) if isinstance(value, bytes) else value
            (highs if demand.descending else lows).append(edge)
        return Span(demand.column, max(lows, default=None), min(highs, default=None))

    @cached_property
    def nearby(self) -> float:
        """The share of rows with ids that the conditions on times allow."""
        born = self.implied(invariants.birth(self.catalog), itself=True)
        if born is None or self.bounds.get(invariants.unordered(self.catalog)):
            return 1.0
        return self.sample.share(born)
