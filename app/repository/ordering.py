"""Lists in any order: a request's order is taken apart into walks along single columns.

An order field either has few values (state, priority: a list for each), or names (types, users: a
list for each, in order of the names), or is a time (rows without it, then by it), or is unique.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

from peewee import Field

from app.connections import Row
from app.repository import dictionaries, invariants
from app.repository.estimating import Estimates
from app.repository.naming import entries, name_of, named
from app.repository.planning import Planner
from app.repository.plans import Demand, Plan
from app.repository.portions import MANY, better_sorted, coded, handfuls
from app.repository.predicates import Among, Missing, Past, Predicate, Predicates, Span
from app.repository.terms import (
    UNIQUE,
    WORDS,
    Keys,
    Term,
    comparable,
    contradicts,
    earlier,
    spanned,
    without,
)
from app.repository.walking import run
from app.repository.walks import Head, Walk


@dataclass(frozen=True, eq=False)
class Few:
    """Rows of the order's columns alone, and where each column is."""

    rows: list[Row]
    places: dict[str, int]


class Torn(Exception):
    """One statement is not enough, or what it relied on has changed: a transaction is needed."""


class Lister:
    """Finds rows of one collection in one order; `columns` are those that its rows have."""

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
        self.width = len(head.columns)
        self.plans = plans

    def page(self, predicates: Predicates, after: Keys | None, want: int) -> list[Row]:
        """The first `want` rows that satisfy `predicates`, beyond `after`. Raises Torn."""
        rows = self.listed(self.terms, predicates, after, want)
        if self.alone and not (rows and rows[0][-1] == self.bounds.get(invariants.VERSION)):
            raise Torn
        return rows

    def step(self, walk: Walk, want: int | None) -> list[Row]:
        """The rows of a walk. Raises Torn for the second one outside a transaction."""
        if self.alone and self.asked:
            raise Torn
        self.asked = True
        return run(self.database, self.catalog, walk, self.head, want)

    def listed(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """The first `want` rows in the order of `terms`, beyond `after`."""
        if want <= 0:
            return []
        term, rest = terms[0], terms[1:]
        if term.column in UNIQUE:
            return self.walked(predicates, term, after, want)
        plain = len(terms) == 2 and rest[0].column == "id" and not several(term)
        if not plain and better_sorted(self.estimates, self.bounds, terms, predicates, after, want):
            few = self.few(terms, predicates)
            if few is not None:
                return self.sorted_here(terms, few, after, want)
        if term.names:
            return self.by_name(terms, predicates, after, want)
        if term.column in WORDS:
            return self.by_value(coded(term, predicates, after), rest, predicates, after, want)
        return self.by_time(terms, predicates, after, want)

    def expect(self, predicates: Predicates, want: int) -> None:
        """Raise Torn, before the first statement, when it will hardly find `want` rows and others
        must follow."""
        if self.alone and not self.asked and self.estimates.matches(predicates) < want:
            raise Torn

    def by_name(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """The lists for the names of the first term, for many names together where each has few."""
        term, found = terms[0], []  # type: tuple[Term, list[Row]]
        nullable = self.catalog.model._meta.columns[term.column].null
        values = named(self.database, term, predicates, after, nullable)
        share = self.estimates.matches(predicates) / max(self.estimates.sample.total, 1)
        for some in handfuls(self.estimates, values, share, want, found):
            found += self.of_names(terms, some, predicates, after, want - len(found))
            if len(found) >= want:
                break
        return found

    def of_names(
        self, terms: list[Term], some: Sequence[tuple[Any, Predicate]],
        predicates: Predicates, after: Keys | None, want: int,
    ) -> list[Row]:  # fmt: skip
        """The list for some names, in the order of the first term."""
        numbers = sorted(row.values[0] for _, row in some if isinstance(row, Among))
        if 1 < len(numbers) == len(some):
            inner = Among(terms[0].column, tuple(numbers))
            few = self.few(terms, (inner, *without(predicates, inner)))
            if few is not None:
                return self.sorted_here(terms, few, after, want)
        return self.by_value(iter(some), terms[1:], predicates, after, want)

    def by_value(
        self, values: Iterator[tuple[Any, Predicate]], rest: list[Term],
        predicates: Predicates, after: Keys | None, want: int,
    ) -> list[Row]:  # fmt: skip
        """The lists for single values of the first term, one after the other."""
        found: list[Row] = []
        for key, condition in values:
            begin = after[1:] if after is not None and key == after[0] else None
            inner = (condition, *without(predicates, condition))
            self.expect(inner, want)
            found += self.listed(rest, inner, begin, want - len(found))
            if len(found) >= want:
                break
        return found

    def by_time(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows without the first term's time, and rows by it, in the order that they come."""
        found: list[Row] = []
        for missing in (False, True) if terms[0].descending else (True, False):
            inner = (Missing(terms[0].column, missing), *predicates)
            if contradicts(predicates, terms[0].column, missing):
                continue
            begin = after
            if after is not None and (after[0] is None) != missing:
                if missing != terms[0].descending:
                    continue
                begin = None
            if missing == terms[0].descending or after is None:
                self.expect(inner, want)
            part = self.without_time if missing else self.with_time
            found += part(terms, inner, begin, want - len(found))
        return found

    def without_time(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows that lack the first term's time, by the terms behind it."""
        return self.listed(terms[1:], predicates, after[1:] if after is not None else None, want)

    def with_time(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows that have the first term's time, by it."""
        term, rest = terms[0], terms[1:]
        if rest[0].column == "id" and rest[0].descending == term.descending:
            return self.walked(predicates, term, after, want)
        found: list[Row] = []
        if after is not None:
            found += self.tied(terms, predicates, after[0], after[1:], want)
            low, high = (None, after[0] - 1) if term.descending else (after[0] + 1, None)
            narrowed = spanned(predicates, Span(term.column, low, high))
            if narrowed is None:
                return found
            predicates = narrowed
        if len(found) >= want:
            return found
        if self.alone and self.estimates.matches(predicates) >= want:
            raise Torn  # those that share the last one's time will be asked for as well
        block = self.walked(predicates, term, None, want - len(found))
        if len(block) < want - len(found):
            return found + self.in_order(block, terms)
        last = block[-1][self.places[term.column]]
        whole = [row for row in block if row[self.places[term.column]] != last]
        found += self.in_order(whole, terms)
        return found + self.tied(terms, predicates, last, None, want - len(found))

    def tied(
        self, terms: list[Term], predicates: Predicates, moment: int, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows that share one time, by the terms behind it."""
        narrowed = spanned(predicates, Span(terms[0].column, moment, moment))
        return [] if narrowed is None else self.listed(terms[1:], narrowed, after, want)

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
        demand = Demand(self.catalog, predicates, term.column, term.descending, past, want)
        plan = Planner(self.estimates, demand, self.bounds).best()
        self.plans.append(plan)
        if not plan.late and len(plan.walks) == 1:
            return self.step(plan.walks[0], want)
        if self.alone:
            raise Torn
        return self.fetched(self.merged(plan, term, want))

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

    def few(self, terms: list[Term], predicates: Predicates) -> "Few | None":
        """All rows that satisfy `predicates`; None when they are more than were expected."""
        if self.alone:
            raise Torn
        demand = Demand(self.catalog, predicates, "id", False, None, MANY)
        plan = Planner(self.estimates, demand, self.bounds).best()
        self.plans.append(plan)
        columns = [self.catalog.model.id]
        places = {
            term.column: place(columns, self.catalog.model._meta.columns[term.column])
            for term in terms
        }
        head = Head(("terms", tuple(places)), tuple(columns))
        found: dict[int, Row] = {}
        for walk in plan.walks:
            rows = run(self.database, self.catalog, walk, head, MANY)
            if len(rows) == MANY:
                return None
            found |= {row[0]: row for row in rows}
        return Few(list(found.values()), places)

    def sorted_here(
        self, terms: list[Term], few: "Few", after: Keys | None, want: int
    ) -> list[Row]:
        """The first `want` of a few rows, beyond `after`."""
        ordered = self.in_order(few.rows, terms, few.places)
        if after is not None:
            ordered = [row for row in ordered if self.beyond(terms, few, row, after)]
        return self.fetched([row[0] for row in ordered[:want]])

    def beyond(self, terms: list[Term], few: "Few", row: Row, after: Keys) -> bool:
        """Whether `row` comes after the keys `after`."""
        for term, edge in zip(terms, after, strict=True):
            key = self.key(term, row[few.places[term.column]])
            if key != edge:
                return earlier(edge, key, term.descending)
        return False

    def in_order(
        self, rows: list[Row], terms: list[Term], places: dict[str, int] | None = None
    ) -> list[Row]:
        """`rows` sorted by `terms`."""
        for term in reversed(terms):
            at = (places or self.places)[term.column]
            keys = self.comparables(term, {row[at] for row in rows})
            rows = sorted(rows, key=lambda row: keys[row[at]], reverse=term.descending)
        return rows

    def comparables(self, term: Term, values: set[Any]) -> dict[Any, Any]:
        """What a term sorts each of a column's values by."""
        if term.names:
            entries(self.database, term, values)  # all by one statement
        return {value: comparable(self.key(term, value)) for value in values}

    def keys(self, row: Row) -> list[Any]:
        """The place of `row` in the order."""
        return [self.key(term, row[self.places[term.column]]) for term in self.terms]

    def key(self, term: Term, value: Any) -> Any:
        """What a term sorts a column's value by: the name that a number stands for, or itself."""
        return value if term.names is None or value is None else name_of(self.database, term, value)


def several(term: Term) -> bool:
    """Whether lists by `term` are made of one for each of its values."""
    return bool(term.names) or term.column in WORDS


def place(columns: list[Any], wanted: Field) -> int:
    """The place of a column in `columns`, at whose end it is put when it is not there."""
    for at, column in enumerate(columns):
        if column is wanted:
            return at
    columns.append(wanted)
    return len(columns) - 1
