"""The names of a dictionary in order: lists by type or user go through them one by one."""

from collections.abc import Iterable, Iterator
from typing import Any

from peewee import Field

from app.database import Database
from app.repository import dictionaries
from app.repository.lists.terms import Keys, Term, earlier
from app.repository.predicates import Among, Missing, Predicate, Predicates, marks, on
from app.repository.statements import fetch

NAMES = 100
"""Names that are read at a time."""
DICTIONARY_OF = {row.model: row for row in (dictionaries.TYPES, dictionaries.USERS)}
"""The dictionaries by whose names lists can be ordered, by model."""


def name_of(database: Database, term: Term, number: int) -> str:
    """The name that a number in the term's column stands for."""
    return str(entries(database, term, (number,))[number][0])


def entries(
    database: Database, term: Term, numbers: Iterable[int | None]
) -> dict[int | None, dictionaries.Entry]:
    """The entries of the term's dictionary with these numbers; asked for together, they cost one
    statement and not one each."""
    assert term.names is not None
    dictionary = DICTIONARY_OF[term.names.member.model]
    return dictionaries.entries_of(database, dictionary, numbers)


def named(
    database: Database, term: Term, predicates: Predicates, after: Keys | None, nullable: bool
) -> Iterator[tuple[str | None, Predicate]]:
    """The names that rows may have (None: no name), in order from `after` on."""
    listed = list(on(predicates, term.column, Among))
    begin = after[0] if after is not None else None
    nameless = nullable and not listed
    if nameless and not term.descending and begin is None:
        yield None, Missing(term.column, True)
    if not (term.descending and after is not None and begin is None):
        for number, name in names(database, term, listed, begin):
            yield name, Among(term.column, (number,))
    if nameless and term.descending:
        yield None, Missing(term.column, True)


def names(
    database: Database, term: Term, listed: list[Among], begin: str | None
) -> Iterator[tuple[int, str]]:
    """Numbers and names in order from `begin` on: those listed, or the whole dictionary."""
    if listed:
        numbers = set.intersection(*(set(row.values) for row in listed))
        known = entries(database, term, numbers)
        pairs = [(number, str(known[number][0])) for number in numbers]
        for number, name in sorted(pairs, key=lambda pair: pair[1], reverse=term.descending):
            if begin is None or not earlier(name, begin, term.descending):
                yield number, name
        return
    assert term.names is not None
    inclusive = True
    while block := read(database, term.names.member, begin, inclusive, term.descending):
        yield from block
        begin, inclusive = block[-1][1], False


def read(
    database: Database, member: Field, begin: str | None, inclusive: bool, descending: bool
) -> list[Any]:
    """The next entries of a dictionary, number and name, in order of their names."""
    model: Any = member.model

    def build() -> Any:
        query = model.select(model.id, member).limit(NAMES).tuples()
        if begin is not None:
            edge = marks(0, 1)[0]
            if descending:
                query = query.where(member <= edge if inclusive else member < edge)
            else:
                query = query.where(member >= edge if inclusive else member > edge)
        return query.order_by(member.desc() if descending else member.asc())

    shape = ("names", model.__name__, begin is None, inclusive, descending)
    return fetch(database, shape, build, () if begin is None else (begin,))
