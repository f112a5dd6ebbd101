"""Counting rows where no figures are kept: along one index, without looking at the rows if it can.

That a row is not deleted stands in no index: all that satisfy a condition are counted by its index
alone, less those among the deleted, of which there are few.
"""

from collections.abc import Callable
from typing import Any

from peewee import SQL, Expression, Select, fn

from app.catalog.indexes import Index
from app.catalog.rows import Catalog
from app.database import Database
from app.repository.lists.elsewhere import Containing
from app.repository.lists.estimating import Estimates
from app.repository.lists.sampling import sample_of
from app.repository.lists.sources import Along
from app.repository.lists.walking import by_key
from app.repository.predicates import (
    Among,
    Differs,
    Missing,
    Predicate,
    Predicates,
    Span,
    Tagged,
    marks,
    owner,
    parameters_of,
    shapes_of,
)
from app.repository.statements import fetch

DELETED = Missing("deleted_at", False)
NOT_DELETED = Missing("deleted_at", True)
LOOKED_AT = 0.9
"""Up to this share of the rows that satisfy a condition the deleted ones are looked at instead."""


def counted(database: Database, catalog: Catalog, wanted: Predicates, now: int) -> int:
    """The number of rows that satisfy `wanted`, along the index of the rarest condition."""
    estimates = Estimates(database, catalog, sample_of(database, catalog, now))
    rest = tuple(row for row in wanted if row != NOT_DELETED)
    if len(rest) == 1 and (source := alone(database, estimates, rest[0])):
        return by_index(database, estimates, rest[0], len(rest) < len(wanted), source)
    return by_rows(database, catalog, wanted, estimates.rarest(wanted))


Source = tuple[str, Callable[[list[Any]], Any]]
"""A name, and the query of the number of rows that satisfy a condition, deleted ones included."""


def alone(database: Database, estimates: Estimates, row: Predicate) -> Source | None:
    """How an index alone tells how many rows satisfy `row`; None where none does."""
    catalog = estimates.catalog
    if isinstance(row, Tagged):
        tags, own = catalog.tags, owner(catalog.tags)

        def tagged(places: list[Any]) -> Any:
            some = tags.select(fn.COUNT(own if len(row.values) == 1 else own.distinct()))
            return some.where(tags.tag_id.in_(places))

        return f"tags {len(row.values) == 1}", tagged
    index = estimates.index_of(row)
    if index is None or not isinstance(row, Among | Span | Differs | Missing | Containing):
        return None

    def along(places: list[Any]) -> Any:
        some = catalog.model.select(fn.COUNT(SQL("*")))
        some = some.from_(Along(catalog.model, index.name, database.dialect))
        return some.where(row.sql(catalog, places), *held(index))

    return index.name, along


def held(index: Index) -> list[Any]:
    """The condition of an index, which the engine must find in the statement."""
    return [SQL(f"({index.where})")] if index.where else []


def by_index(
    database: Database, estimates: Estimates, row: Predicate, visible: bool, source: Source
) -> int:
    """The number of rows that satisfy `row`; `visible`: less the deleted ones."""
    catalog, (name, whole) = estimates.catalog, source
    deleted = next(iter(estimates.indexes_of("deleted_at")))
    index = estimates.index_of(row)
    # No index of this table leads to tags: MySQL begins with their own, SQLite with all rows.
    direct = index is not None or database.dialect == "mysql"
    if visible and direct and estimates.count(DELETED) > LOOKED_AT * estimates.count(row):
        return by_rows(database, catalog, (row, NOT_DELETED), index)

    def build() -> Any:
        places = marks(0, len(row.parameters))
        if not visible:
            return whole(places).tuples()
        gone = catalog.model.select(fn.COUNT(SQL("*")))
        gone = gone.from_(Along(catalog.model, deleted.name, database.dialect))
        gone = gone.where(DELETED.sql(catalog, []), row.sql(catalog, places))
        return Select(columns=[Expression(whole(places), "-", gone)]).tuples()

    shape = ("count alone", catalog.name, name, visible, row.shape)
    return int(fetch(database, shape, build, row.parameters)[0][0])


def by_rows(database: Database, catalog: Catalog, wanted: Predicates, index: Index | None) -> int:
    """The number of rows that satisfy `wanted`, looked at along `index`, or (None) all of them."""

    def build() -> Any:
        conditions, used = [], 0
        for row in wanted:
            places = marks(used, len(row.parameters))
            used += len(places)
            conditions.append(row.sql(catalog, places))
        if index:
            conditions += held(index)
        # Without a word SQLite takes an index for `<>`, and a row at a time: 5 s, not 0.1.
        direct = index is None and wanted and not by_key(wanted)
        source: Any = catalog.model
        if index or direct:
            source = Along(catalog.model, index.name if index else None, database.dialect)
        found = catalog.model.select(fn.COUNT("*")).from_(source)
        return (found.where(*conditions) if conditions else found).tuples()

    shape = ("count", catalog.name, index and index.name, shapes_of(wanted))
    return int(fetch(database, shape, build, parameters_of(wanted))[0][0])
