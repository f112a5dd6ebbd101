"""Plans within what times imply: narrowed to it, and completed by the rows that lie beyond."""

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
        near = any(
            row is self.ids or (isinstance(row, Posted) and row.near) for row in plan.conditions
        )
        bound = self.bound in plan.conditions
        relied = (self.bound if bound else None, self.ids if near else None)
        if not self.loose(*relied) or not self.apart:
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

    def loose(self, *implied: Span | None) -> bool:
        """Whether rows that do not keep to the bounds may lie beyond what is implied."""
        born = invariants.birth(self.catalog)
        others = any(
            row.column != born and row.column in invariants.times(self.catalog)
            for row in self.demand.predicates
            if isinstance(row, Span)
        )
        return any(
            span is not None and (others or span.column not in ("id", born)) for span in implied
        )
