"""Rows by one column and id, along the index that is cheapest."""

from collections.abc import Sequence
from heapq import merge
from typing import Any

from peewee import Field

from app.connections import Row
from app.repository import apart, dictionaries, invariants
from app.repository.lists.estimating import Estimates
from app.repository.lists.naming import name_of
from app.repository.lists.planning import Planner
from app.repository.lists.plans import Demand, Plan
from app.repository.lists.terms import UNIQUE, Keys, Term
from app.repository.lists.walking import run
from app.repository.lists.walks import Head, Walk
from app.repository.predicates import Among, Past, Predicates, Span


class Torn(Exception):
    """One statement is not enough, or what it relied on has changed: a transaction is needed."""


class Fetcher:
    """Fetches rows of one collection, of the columns wanted and those of an order."""

    def __init__(
        self, estimates: Estimates, terms: list[Term], head: Head,
        bounds: invariants.Bounds, plans: list[Plan], alone: bool = False,
    ) -> None:  # fmt: skip
        """`head`: the columns wanted, to which those of the order are added; `plans`: to which
        those are added that are taken.

        `alone`: no transaction is open. Rows are then found by one statement, which tells the
        version of the bounds as well, or not at all (Torn).
        """
        self.estimates, self.terms, self.bounds = estimates, terms, bounds
        self.database, self.catalog = estimates.database, estimates.catalog
        columns = list(head.columns)
        self.places: dict[str, int] = {}
        for term in terms:
            self.places[term.column] = place(columns, self.catalog.model._meta.columns[term.column])
        self.alone, self.asked = alone, False
        if alone:
            columns.append(invariants.version())
        name = (head.name, alone, tuple(term.column for term in terms))
        self.head = Head(name, tuple(columns), head.details)
        self.plans = plans

    def step(self, walk: Walk, want: int | None) -> list[Row]:
        """The rows of a walk. Raises Torn for the second one outside a transaction."""
        if self.alone and self.asked:
            raise Torn
        self.asked = True
        return run(self.database, self.catalog, walk, self.head, want)

    def expect(self, predicates: Predicates, want: int) -> None:
        """Raise Torn, before the first statement, when it will hardly find `want` rows and others
        must follow."""
        if self.alone and not self.asked and self.estimates.matches(predicates) < want:
            raise Torn

    def walked(
        self, predicates: Predicates, term: Term, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows by one column and id, along the index that is cheapest."""
        if want <= 0:
            return []
        past = None
        if after is not None:
            ties = None if term.column in UNIQUE else after[1]
            past = Past(term.column, after[0], ties, term.descending)
        column = "id" if self.by_id(term) else term.column
        if self.alone and self.others(predicates, column):
            raise Torn
        demand = Demand(self.catalog, predicates, column, term.descending, past, want)
        plan = Planner(self.estimates, demand, self.bounds).best()
        self.plans.append(plan)
        if not plan.late and len(plan.walks) == 1:
            return self.step(plan.walks[0], want)
        if self.alone:
            raise Torn
        return self.fetched(self.merged(plan, term, want))

    def others(self, predicates: Predicates, column: str) -> bool:
        """Whether rows listed apart will be looked at besides, by a statement of their own."""
        times = invariants.times(self.catalog)[1:]
        bounded = any(
            isinstance(row, Span) and row.column in times and row.column != column
            for row in predicates
        )
        return bounded and bool(apart.ids(self.catalog, self.bounds))

    def by_id(self, term: Term) -> bool:
        """Whether rows by `term`, and their ties by id, come in order of their ids. Raises Torn
        where one more statement tells: a row between the two would be out of its place."""
        born = term.column == invariants.birth(self.catalog)
        if born and self.alone and not invariants.settled(self.catalog, self.bounds):
            raise Torn
        return born and invariants.ordered(self.database, self.catalog, self.bounds)

    def merged(self, plan: Plan, term: Term, want: int) -> list[int]:
        """The first `want` ids of a plan's walks together, each once."""
        columns = (self.catalog.model._meta.columns[term.column], self.catalog.model.id)
        head = Head(("keys", term.column), columns)
        walks = [run(self.database, self.catalog, walk, head, want) for walk in plan.walks]
        ids: dict[int, None] = {}
        for row in merge(*walks, reverse=term.descending):
            ids[row[1]] = None
            if len(ids) >= want:
                break
        return list(ids)

    def fetched(self, ids: Sequence[int]) -> list[Row]:
        """The rows with these ids, in their order."""
        found: dict[int, Row] = {}
        for some in dictionaries.batches(ids):
            walk = Walk((Among("id", tuple(some)),), "id", False)
            found |= {row[0]: row for row in self.step(walk, None)}
        return [found[number] for number in ids]

    def keys(self, row: Row) -> list[Any]:
        """The place of `row` in the order."""
        return [self.key(term, row[self.places[term.column]]) for term in self.terms]

    def key(self, term: Term, value: Any) -> Any:
        """What a term sorts a column's value by: the name that a number stands for, or itself."""
        return value if term.names is None or value is None else name_of(self.database, term, value)


def place(columns: list[Any], wanted: Field) -> int:
    """The place of a column in `columns`, at whose end it is put when it is not there."""
    for at, column in enumerate(columns):
        if column is wanted:
            return at
    columns.append(wanted)
    return len(columns) - 1
