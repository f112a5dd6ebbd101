"""Which index a request walks: the choice of the cheapest of a few plans.

A plan is a list of walks whose rows are merged. Three families: along the index of the order,
testing all conditions on the way; along an index that begins with one condition and goes on in the
order, a walk for each of the condition's values; or all rows of the most selective condition,
sorted. Costs are microseconds measured on SQLite; MariaDB's differ by a factor, not in their order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from app.catalog.indexes import Index
from app.catalog.rows import Catalog
from app.repository import invariants
from app.repository.estimating import Estimates, holds, indexes
from app.repository.predicates import Among, Missing, Past, Predicate, Predicates, Span, Tagged, on
from app.repository.walks import Head, Walk, run, streams

STATEMENT = 60.0
"""What a statement costs before its first row."""
STEP = 1.2
"""What a row costs that is looked at in the order of an index."""
SCATTERED = 4.0
"""The same in the order of UUIDs, which is no order of the rows."""
GATHERED = 2.0
"""What a row costs that is fetched to be sorted."""
BRANCHES = 64
"""Walks that are merged at most."""


@dataclass(frozen=True)
class Demand:
    """What is to be listed: rows that satisfy `predicates`, by a column and id, from `past` on."""

    catalog: Catalog
    predicates: Predicates
    column: str
    descending: bool
    past: Past | None
    limit: int


@dataclass(frozen=True)
class Plan:
    """Walks whose rows, merged in order, answer a demand; and what that costs in microseconds."""

    walks: tuple[Walk, ...]
    cost: float
    words: str
    late: bool = False
    """Whether ids are found first, and the rows fetched for those of the page alone."""
    near: bool = False
    """Whether what times imply for ids narrows the walks."""


class Planner:
    """Weighs the plans for one demand against what is known of the rows."""

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
        spans = [
            invariants.implied(self.catalog, self.bounds, row, target)
            for row in self.demand.predicates
            if isinstance(row, Span) and row.column in invariants.times(self.catalog)
            and (itself or row.column != target)
        ]  # fmt: skip
        found = [span for span in spans if span is not None]
        if not found:
            return None
        low = max((span.low for span in found if span.low is not None), default=None)
        high = min((span.high for span in found if span.high is not None), default=None)
        return Span(target, low, high)

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
        """Whether `row` bounds the walk, by its own column or by what it implies."""
        if not isinstance(row, Span):
            return False
        implied = self.bound is not None and row.column in invariants.times(self.catalog)
        return implied or row.column == self.demand.column

    def inside(self) -> float:
        """The share of rows within the bounds of the walk."""
        spans = [*on(self.demand.predicates, self.demand.column, Span)]
        if self.bound is not None:
            spans.append(self.bound)
        return min((self.sample.share(span) for span in spans), default=1.0)

    def vain(self, inside: float) -> float:
        """The share of rows within the bounds that the conditions behind them refuse: where the
        walk begins, these may come first."""
        if self.bound is None:
            return 0.0
        rows = self.demand.predicates
        shares = [
            self.count(row) / max(self.sample.total, 1)
            for row in rows
            if self.bounding_row(row) and row.column != self.demand.column
        ]
        return max(0.0, inside - min(shares, default=inside))

    def visited(self, among: float, rest: float) -> float:
        """Rows looked at by a walk over `among` rows of which the share `rest` is wanted."""
        inside = self.inside()
        return min(among * inside, self.demand.limit / rest + among * self.vain(inside))

    def plans(self) -> Iterator[Plan]:
        """All plans worth weighing."""
        rows = self.demand.predicates
        single = [row for column in ("id", "uuid") for row in on(rows, column, Among)]
        if single:
            yield self.direct(single[0])
            return
        yield from self.along_order()
        for row in rows:
            yield from self.along(row)
            yield from self.gathered(row)

    @cached_property
    def nearby(self) -> float:
        """The share of rows with ids that the conditions on times allow."""
        born = self.implied(invariants.birth(self.catalog), itself=True)
        return 1.0 if born is None else self.sample.share(born)

    def nearer(self, plan: Plan) -> Plan:
        """`plan`, whose index has ids behind its column, within the ids that times allow."""
        if self.ids is None:
            return plan
        walks = (replace(walk, predicates=(*walk.predicates, self.ids)) for walk in plan.walks)
        return replace(plan, walks=tuple(walks), words=f"{plan.words}, by ids")

    def walk(self, index: Index | None) -> Walk:
        """A walk in the demand's order, within its bounds."""
        demand = self.demand
        bounds = () if self.bound is None else (self.bound,)
        rows = (*demand.predicates, *bounds)
        return Walk(rows, demand.column, demand.descending, index, past=demand.past)

    def direct(self, row: Among) -> Plan:
        """The rows that `row`, ids or UUIDs, names."""
        demand = self.demand
        walk = Walk(demand.predicates, demand.column, demand.descending, past=demand.past)
        return Plan((walk,), 0.0, f"the rows named by {row.column}")

    def along_order(self) -> Iterator[Plan]:
        """All conditions tested along the index of the order."""
        column = self.demand.column
        index = None
        if column not in ("id", "uuid"):
            index = next(indexes(self.catalog.plural, column), None)
            if index is None:
                return
        rest = self.share(self.demand.predicates)
        step = SCATTERED if column == "uuid" else STEP
        cost = STATEMENT + step * self.visited(self.sample.total, rest)
        yield Plan((self.walk(index),), cost, f"along {column}")

    def along(self, row: Predicate) -> Iterator[Plan]:
        """Along the index of one condition that goes on in the order."""
        column = self.demand.column
        if column == "uuid" or not isinstance(row, Among | Tagged | Missing):
            return
        index = self.leading(row, column)
        if index is None and not (isinstance(row, Tagged) and column == "id"):
            return
        walk = self.walk(index)
        walks = (walk,) if isinstance(row, Missing) else tuple(streams(walk, row))
        if len(walks) > BRANCHES:
            return
        visited = self.visited(self.count(row), self.share(self.demand.predicates, beside=row))
        step = 2 * STEP if isinstance(row, Tagged) else STEP
        words = f"along {row.column}, then {column}"
        yield Plan(walks, len(walks) * STATEMENT + step * visited, words, len(walks) > 1)

    def leading(self, row: Predicate, column: str) -> Index | None:
        """The index that begins with `row`'s column, goes on with `column` and has all its rows."""
        table = self.catalog.plural
        first = row.column
        if isinstance(row, Tagged):
            table, first = str(self.catalog.tags._meta.table_name), "tag_id"
        elif isinstance(row, Missing) and not (row.missing and column == "id"):
            return None
        columns = (first,) if column == "id" else (first, column)
        return next((index for index in indexes(table, *columns) if holds(index, row)), None)

    def gathered(self, row: Predicate) -> Iterator[Plan]:
        """All rows of one condition, sorted."""
        if not isinstance(row, Among | Tagged | Span):
            return
        index = self.estimates.index_of(row)
        if index is None and not isinstance(row, Tagged):
            return
        walk = self.walk(index)
        walks = tuple(streams(walk, row)) if isinstance(row, Tagged) else (walk,)
        near = index is not None and isinstance(row, Among)
        rows = self.count(row) * (self.nearby if near else 1.0)
        cost = len(walks) * STATEMENT + GATHERED * rows
        yield Plan(walks, cost, f"all of {row.column}, sorted", True, near and self.nearby < 1.0)

    def best(self) -> Plan:
        """The cheapest plan; no walk at all where a count has shown that nothing matches."""
        found = min(self.plans(), key=lambda plan: plan.cost)
        if not self.estimates.vain.isdisjoint(self.demand.predicates):
            return Plan((), 0.0, "nothing")
        return self.nearer(found) if found.near else found
