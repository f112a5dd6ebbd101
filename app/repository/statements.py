"""A Peewee query compiled once per shape, and run with values.

Peewee needs about a millisecond to write a statement, the database often less to run it: the text
is kept per shape, and the values find their places by the marks in it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from app.connections import Row
from app.database import Database
from app.repository.predicates import Mark

MOST = 2_048
"""Statements kept per process; the one made first goes first."""
KEPT = "statements"

Text = tuple[str, tuple[Any, ...]]


def compiled(database: Database, query: Any) -> Text:
    """The text of `query` and what stands in its places: marks, or values that never change."""
    sql, values = database.compiled(query)
    return sql, tuple(values)


def text_of(database: Database, shape: Hashable, build: Callable[[], Any]) -> Text:
    """The text for `shape`, compiled from what `build` makes when it is not known yet."""
    kept: OrderedDict[Hashable, Text] = database.memory.setdefault(KEPT, OrderedDict())
    known = kept.get(shape)
    if known is None:
        known = kept[shape] = compiled(database, build())
        while len(kept) > MOST:
            kept.popitem(last=False)
    return known


def fetch(
    database: Database, shape: Hashable, build: Callable[[], Any], parameters: Sequence[Any]
) -> list[Row]:
    """What the query of `shape` answers with `parameters` in the places of its marks."""
    sql, places = text_of(database, shape, build)
    values = [parameters[place.n] if isinstance(place, Mark) else place for place in places]
    return database.rows(sql, values)
