"""The terms of an order, and what follows from keys and conditions on their columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.catalog.rows import Catalog, Members
from app.repository.lists.filtering import both, empty
from app.repository.lists.query import OrderBy
from app.repository.predicates import Among, Differs, Missing, Predicate, Predicates, Span, on
from app.vocabulary import Priority, State

WORDS = {"state": len(State), "priority": len(Priority)}
"""Columns of codes, and how many codes there are."""
UNIQUE = ("id", "uuid")
Keys = Sequence[Any]
"""A row's place in the order: a code, name, time (or None) or unique value for each term."""


@dataclass(frozen=True, eq=False)
class Term:
    """One field of the order: its column, direction, and the dictionary whose names it sorts by."""

    column: str
    descending: bool
    names: Members | None = None


def terms_of(catalog: Catalog, order: OrderBy) -> list[Term]:
    """The terms of `order`, ended by a unique one: ties go by id in the last field's direction."""
    terms: list[Term] = []
    for direction, name in order or (("asc", "id"),):
        target = catalog.order_of[name].target
        names = target if isinstance(target, Members) else None
        column = target.column if isinstance(target, Members) else target
        terms.append(Term(column.column_name, direction == "desc", names))
        if terms[-1].column in UNIQUE:
            return terms
    return [*terms, Term("id", terms[-1].descending)]


def comparable(key: Any) -> tuple[bool, Any]:
    """A key that sorts before every other when it is missing."""
    return (key is not None, key)


def earlier(key: Any, edge: Any, descending: bool) -> bool:
    """Whether `key` comes before `edge` in the direction given."""
    if key == edge:
        return False
    return (comparable(key) < comparable(edge)) != descending


def contradicts(predicates: Predicates, column: str, missing: bool) -> bool:
    """Whether no row that satisfies `predicates` has (or lacks) the column, as `missing` says."""
    if any(row.missing != missing for row in on(predicates, column, Missing)):
        return True
    return missing and any(
        row.column == column and isinstance(row, Span | Differs) for row in predicates
    )


def spanned(predicates: Predicates, span: Span) -> Predicates | None:
    """`predicates` and `span`, as one with that on the same column; None: a contradiction."""
    rest = tuple(
        row for row in predicates if not (isinstance(row, Span) and row.column == span.column)
    )
    for row in on(predicates, span.column, Span):
        span = both(row, span)
    return None if empty(span) else (*rest, span)


def without(predicates: Predicates, condition: Predicate) -> Predicates:
    """`predicates` less those that `condition`, on the same column, makes needless."""
    return tuple(
        row for row in predicates if not (isinstance(row, Among) and row.column == condition.column)
    )
