"""Plans within what times imply: narrowed to it, and completed by the rows that lie beyond."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from app.repository import apart, invariants
from app.repository.lists.narrowing import Narrowed
from app.repository.lists.plans import Plan, alone
from app.repository.lists.postings import Posted
from app.repository.lists.walks import Walk
from app.repository.predicates import Among, Span

NEARBY = 0.8
"""Below this share of the rows what times imply for ids is worth asking for."""


class Bounding(Narrowed):
    """One demand, and what a plan for it may rely on."""

    def nearer(self, plan: Plan) -> Plan:
        """`plan` within the ids that times allow, where its indexes have ids behind a column."""
        posted = any(isinstance(row, Posted) and row.by_id for row in plan.conditions)
        if not (plan.near or (posted and self.nearby < NEARBY)) or self.ids is None:
            return plan
        walks = []
        for walk in plan.walks:
            rows = tuple(
                replace(row, near=self.ids) if isinstance(row, Posted) and row.by_id else row
                for row in walk.predicates
            )
            walks.append(replace(walk, predicates=(*rows, self.ids) if plan.near else rows))
        return replace(plan, walks=tuple(walks), words=f"{plan.words}, by ids")

    def complete(self, plan: Plan) -> Plan:
        """`plan`, with a walk more for the rows that lie beyond the bounds it relies on."""
        if not any(map(self.loose, self.relied(plan))) or not self.apart:
            return plan
        demand = self.demand
        rows = (Among("id", self.apart), *map(alone, demand.predicates))
        walk = Walk(rows, demand.column, demand.descending, past=demand.past)
        words = f"{plan.words}, and {len(self.apart)} apart"
        return replace(plan, walks=(*plan.walks, walk), words=words, late=True)

    @cached_property
    def apart(self) -> tuple[int, ...]:
        """The rows that need not keep to what one time implies of another."""
        return apart.ids(self.catalog, self.bounds)

    def relied(self, plan: Plan) -> Iterator[Span]:
        """What of the bounds of `plan`'s walks times imply: those on ids, and on the order's time.

        Only what is in them: where ids begin is not asked for once more.
        """
        bound = self.bound if self.demand.column != "id" else None
        for row in plan.conditions:
            span = row.near if isinstance(row, Posted) else row
            if isinstance(span, Span) and (span.column == "id" or span == bound):
                yield span

    def loose(self, span: Span) -> bool:
        """Whether rows that do not keep to the bounds may lie beyond `span`, which is implied."""
        born = invariants.birth(self.catalog)
        return span.column not in ("id", born) or any(
            row.column != born and row.column in invariants.times(self.catalog)
            for row in self.demand.predicates
            if isinstance(row, Span)
        )
