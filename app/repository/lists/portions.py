"""How a list is taken apart: fetched whole and sorted, or value after value of its first term.

Costs are in microseconds, as those of the plans.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from app.repository.invariants import Bounds
from app.repository.lists.costs import POSTED
from app.repository.lists.estimating import Estimates
from app.repository.lists.naming import named
from app.repository.lists.planning import Planner
from app.repository.lists.plans import Demand, Plan
from app.repository.lists.terms import WORDS, Keys, Term, contradicts, earlier, without
from app.repository.predicates import Among, Missing, Predicate, Predicates, on

SMALL = 6_000
"""Rows that are rather sorted here than asked for in many statements."""
MANY = 3 * SMALL
"""Rows at which sorting here is given up: the estimate was wrong."""
GATHERED = 2.0
"""Microseconds that a row costs which is looked at to be sorted here."""
SORTED_HERE = 2.0
"""What it costs to sort one that is wanted."""
HANDFULS = 4
"""Statements that some names at a time take."""
FIRST = 16
"""Names of which it is asked how many rows they have."""
BY_VALUE = 200.0
"""Microseconds that a list for one value costs before its first row, here and in the engine."""
TOGETHER = 200
"""Names whose lists are made by one statement at most."""
IN_VAIN = 1_600
"""The same where those before had no row at all: then it is sooner known that none has."""
FREQUENT = 2_000
"""Rows from which on a name has a statement of its own."""


def whole(estimates: Estimates, bounds: Bounds, predicates: Predicates) -> Plan:
    """The plan by which all rows that satisfy `predicates` are fetched, in no order."""
    demand = Demand(estimates.catalog, predicates, "id", False, None, MANY)
    return Planner(estimates, demand, bounds).best()


def better_sorted(
    estimates: Estimates, bounds: Bounds, terms: list[Term], predicates: Predicates,
    after: Keys | None, want: int,
) -> Plan | None:  # fmt: skip
    """The plan by which all rows that satisfy `predicates` are fetched, where they are better
    sorted here than asked for one value of the first term after the other."""
    rows, visited = estimates.matches(predicates), estimates.narrowest(predicates)
    if visited <= SMALL:
        return whole(estimates, bounds, predicates)
    if rows > MANY:
        return None
    plan = whole(estimates, bounds, predicates)
    cost = plan.cost + rows * SORTED_HERE
    some: Iterable[tuple[Term, Predicate]] = parts(terms, predicates)
    if terms[0].names:
        # Name after name, one row in so many is wanted; unless the first few names have enough.
        if by_handfuls(estimates, visited, rows, want) < cost:
            return None
        some = list(islice(named_parts(estimates, terms, predicates, after), FIRST))
        likely = sum(estimates.matches((row, *without(predicates, row))) for _, row in some)
        if likely < want and len(some) == FIRST:
            return plan
    return plan if cost < one_by_one(estimates, bounds, some, predicates, want, cost) else None


def by_handfuls(estimates: Estimates, visited: float, rows: float, want: int) -> float:
    """Microseconds that lists for some names at a time take, where one row in so many is wanted and
    the narrowest condition is answered beside them."""
    met = want * estimates.sample.total / max(rows, 1.0)
    return HANDFULS * (BY_VALUE + POSTED * visited) + min(GATHERED, 2 * POSTED) * met


def one_by_one(
    estimates: Estimates, bounds: Bounds, some: Iterable[tuple[Term, Predicate]],
    predicates: Predicates, want: int, most: float,
) -> float:  # fmt: skip
    """Microseconds that lists for single values of the first term take until they have `want`
    rows; counted up to `most`."""
    cost, found = 0.0, 0.0
    for term, condition in some:
        inner = (condition, *without(predicates, condition))
        if term.names or term.column in WORDS:
            cost += BY_VALUE + GATHERED * estimates.narrowest((condition, *predicates))
        else:
            ask = Demand(estimates.catalog, inner, term.column, term.descending, None, want)
            cost += BY_VALUE + Planner(estimates, ask, bounds).best().cost
        found += estimates.matches(inner)
        if found >= want or cost > most:
            break
    return cost


def named_parts(
    estimates: Estimates, terms: list[Term], predicates: Predicates, after: Keys | None
) -> Iterator[tuple[Term, Predicate]]:
    """For each name of the first term its condition, and the term by which its rows come."""
    nullable = estimates.catalog.model._meta.columns[terms[0].column].null
    for _, condition in named(estimates.database, terms[0], predicates, after, nullable):
        yield terms[1], condition


def parts(terms: list[Term], predicates: Predicates) -> Iterator[tuple[Term, Predicate]]:
    """For each value of the first term its condition, and the term by which its rows come."""
    term, rest = terms[0], terms[1]
    if term.column in WORDS:
        yield from ((rest, row) for _, row in coded(term, predicates, None))
    elif not term.names:
        for missing in (False, True) if term.descending else (True, False):
            if not contradicts(predicates, term.column, missing):
                yield rest if missing else term, Missing(term.column, missing)


def handfuls(
    estimates: Estimates, values: Iterator[tuple[Any, Predicate]], share: float, want: int,
    found: Sequence[Any],
) -> Iterator[list[tuple[Any, Predicate]]]:  # fmt: skip
    """Names that together have about `want` rows of which `share` is wanted; frequent ones
    come alone. `found`: the rows found so far, by which more names are taken than were expected
    to do."""
    some: list[tuple[Any, Predicate]] = []
    expected, hoped, enough, most = 0.0, 0.0, float(want), TOGETHER
    for pair in values:
        rows = estimates.likely(pair[1])
        alone = rows > FREQUENT or not isinstance(pair[1], Among)
        if some and (alone or expected >= enough or len(some) >= most):
            hoped += expected
            yield some
            some, expected = [], 0.0
            most = TOGETHER if found else min(2 * most, IN_VAIN)
            enough = (want - len(found)) * max(1.0, hoped / max(len(found), 1))
        some.append(pair)
        expected += rows * share
        if alone:
            hoped += expected
            yield some
            some, expected = [], 0.0
    if some:
        yield some


def coded(
    term: Term, predicates: Predicates, after: Keys | None
) -> Iterator[tuple[int, Predicate]]:
    """The codes that rows may have, in order from `after` on."""
    codes = set(range(1, WORDS[term.column] + 1))
    for row in on(predicates, term.column, Among):
        codes &= set(row.values)
    for code in sorted(codes, reverse=term.descending):
        if after is None or not earlier(code, after[0], term.descending):
            yield code, Among(term.column, (code,))
