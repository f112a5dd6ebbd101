"""Which index a request walks: the choice of the cheapest of a few plans.

A plan is a list of walks whose rows are merged. Four families: along the index of the order,
testing all conditions on the way; along an index that begins with one condition and goes on in the
order, a walk for each of the condition's values; all rows of the most selective condition, sorted;
or those of a condition within a range of a time behind it. Each with any of the other conditions
answered beside the walk, by an index of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from app.catalog.indexes import Index
from app.repository.lists.bounding import Bounding
from app.repository.lists.costs import ASKED, POSTED, SORTED, STATEMENT, Costs
from app.repository.lists.estimating import holds, indexes
from app.repository.lists.plans import Plan, singly
from app.repository.lists.postings import Posted
from app.repository.lists.walks import Walk, streams
from app.repository.predicates import Among, Missing, Predicate, Span, Tagged, on

DEAR = 2_000.0
"""Plans below are taken without looking for what is cheaper beside their walks."""
ENOUGH = 3.0
"""A plan that costs no more than this for each row found is taken without looking for a better."""
BRANCHES = 64
"""Walks that are merged at most."""


class Planner(Bounding):
    """Weighs the plans for one demand against what is known of the rows."""

    @cached_property
    def costs(self) -> Costs:
        """What walks cost."""
        return Costs(self.estimates)

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
            yield from self.ranged(row)

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
        visited = self.visited(self.sample.total, self.share(self.demand.predicates))
        spread = {"id": None, "uuid": 1.0}.get(column, float(self.sample.total))
        yield self.plan([self.walk(index)], f"along {column}", visited, spread)

    def along(self, row: Predicate) -> Iterator[Plan]:
        """Along the index of one condition that goes on in the order."""
        column = self.demand.column
        if column == "uuid" or not isinstance(row, Among | Tagged | Missing):
            return
        index = self.leading(row, column)
        if index is None and not (isinstance(row, Tagged) and column == "id"):
            return
        walks = self.branched(self.walk(index), row)
        if not walks:
            return
        visited = self.visited(self.count(row), self.share(self.demand.predicates, beside=row))
        words = f"along {row.column}, then {column}"
        yield self.plan(walks, words, visited, self.spread(row))

    def branched(self, walk: Walk, row: Among | Tagged | Missing) -> list[Walk]:
        """`walk` once for each value of `row`; nothing where those are too many."""
        if isinstance(row, Missing):
            return [walk]
        return streams(walk, row) if len(row.values) <= BRANCHES else []

    def spread(self, row: Predicate) -> float:
        """How many rows lie in order behind one value of `row`."""
        if isinstance(row, Span):
            return self.sample.total  # rows of one time are neighbours
        return self.count(row) / (len(row.values) if isinstance(row, Among | Tagged) else 1)

    def plan(
        self, walks: Sequence[Walk], words: str, steps: float, spread: float | None,
        found: float = 0.0, near: bool = False,
    ) -> Plan:  # fmt: skip
        """The plan of `walks` that look at so many rows; `found`: the share of them that has to be
        sorted, none where they come in order."""
        order = SORTED * steps * found
        walk = walks[0]
        steps_cost = self.costs.walked(steps, spread, walk.predicates, walk.index)
        cost = len(walks) * STATEMENT + steps_cost
        late = found > 0 or len(walks) > 1
        return Plan(tuple(walks), cost + order, words, late, near, steps, spread, order)

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
        near = near and self.nearby < 1.0
        words = f"all of {row.column}, sorted"
        found = self.share(self.demand.predicates, beside=row)
        yield self.plan(walks, words, rows, self.spread(row), found, near)

    def ranged(self, row: Predicate) -> Iterator[Plan]:
        """All rows of one condition within a range of a time behind it, sorted."""
        if not isinstance(row, Among):
            return
        for span in self.demand.predicates:
            index = self.leading(row, span.column) if isinstance(span, Span) else None
            if index is None or span.column == self.demand.column:
                continue
            walks = self.branched(self.walk(index), row)
            if not walks:
                return
            rows = self.count(row) * self.sample.share(span)
            words = f"all of {row.column} within {span.column}, sorted"
            rest = tuple(other for other in self.demand.predicates if other is not span)
            found = self.share(rest, beside=row)
            yield self.plan(walks, words, rows, self.spread(row), found)

    def beside(self, plan: Plan) -> Plan:
        """`plan` with those conditions answered beside its walks for which that pays."""
        if plan.spread is None:
            return plan  # the rows themselves are walked
        chosen: list[Among | Span | Tagged] = []
        cost = plan.cost
        for row in sorted(self.postable(plan.walks[0]), key=self.count):
            other = self.posting(plan, plan.spread, [*chosen, row])
            if other < cost:
                cost = other
                chosen.append(row)
        if not chosen:
            return plan
        posted: dict[Predicate, Posted] = {
            row: Posted("id", row, self.estimates.index_of(row)) for row in chosen
        }
        walks = tuple(
            replace(walk, predicates=tuple(posted.get(row, row) for row in walk.predicates))
            for walk in plan.walks
        )
        words = ", ".join(row.column for row in chosen)
        return replace(plan, walks=walks, cost=cost, words=f"{plan.words}, beside {words}")

    def postable(self, walk: Walk) -> Iterator[Among | Span | Tagged]:
        """Conditions that another index than that of `walk` answers."""
        columns = {walk.column, *(walk.index.columns if walk.index else ())}
        for row in walk.predicates:
            other = isinstance(row, Tagged) or row.column not in {"id", *columns}
            if other and isinstance(row, Among | Span | Tagged) and self.estimates.usable(row):
                yield row

    def posting(self, plan: Plan, spread: float, rows: Sequence[Predicate]) -> float:
        """What `plan` costs when `rows` are answered beside its walks."""
        near = [1.0 if isinstance(row, Span) else self.nearby for row in rows]
        beside = [(row, self.count(row) * part) for row, part in zip(rows, near, strict=True)]
        walk = plan.walks[0]
        again = (len(plan.walks) - 1) * sum(POSTED * count for _, count in beside)
        once = self.costs.posted(plan.steps, spread, walk.predicates, beside, walk.index)
        return len(plan.walks) * STATEMENT + once + again + plan.order

    def best(self) -> Plan:
        """The cheapest plan; no walk at all where a count has shown that nothing matches."""
        plans = []
        for plan in self.plans():
            plans.append(plan)
            if not plan.cost or plan.cost <= STATEMENT + ENOUGH * self.expected:
                break
        found = min(plans, key=lambda plan: plan.cost)
        if not self.estimates.vain.isdisjoint(self.demand.predicates):
            return Plan((), 0.0, "nothing")
        if found.cost > DEAR:
            for plan in plans:
                if ASKED * plan.steps < found.cost:
                    found = min(found, self.beside(plan), key=lambda plan: plan.cost)
        return self.complete(self.nearer(singly(found)))
