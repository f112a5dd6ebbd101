"""The statement of a walk: one SELECT along one index.

Which index is taken is said in the statement (`INDEXED BY`, `FORCE INDEX`): left to themselves both
engines choose badly as soon as a filter and an order compete (2.3 s against 1 ms at ten million).
"""

from types import SimpleNamespace
from typing import Any, TypeGuard

from peewee import OP, SQL, Expression

from app.catalog.rows import Catalog
from app.connections import Row
from app.database import Database
from app.repository.lists.elsewhere import Containing, Within
from app.repository.lists.postings import Posted
from app.repository.lists.sources import Along, Beside, Joined, Tested
from app.repository.lists.walks import Head, Walk
from app.repository.predicates import (
    Among,
    Differs,
    Missing,
    Past,
    Predicate,
    Predicates,
    Span,
    Tagged,
    beyond,
    marks,
    on,
    owner,
    parameters_of,
    shapes_of,
)
from app.repository.statements import fetch


def run(
    database: Database, catalog: Catalog, walk: Walk, head: Head, limit: int | None
) -> list[Row]:
    """The first `limit` rows of `walk`, or all."""
    rows = walk.all
    shape = (
        "walk", catalog.name, head.name, walk.index and walk.index.name, walk.tagged is None,
        walk.column, walk.descending, limit is None, shapes_of(rows),
    )  # fmt: skip
    parameters = [*parameters_of(rows)]
    if walk.tagged is not None:
        parameters.append(walk.tagged)
    if limit is not None:
        parameters.append(limit)

    def build() -> Any:
        return Statement(database, catalog, walk, head).select(limit is not None)

    return fetch(database, shape, build, parameters)


class Statement:
    """The SELECT of a walk, as it is made once for all walks of its shape."""

    def __init__(self, database: Database, catalog: Catalog, walk: Walk, head: Head) -> None:
        """The columns of `head` from the rows of `walk`."""
        self.catalog, self.walk, self.head = catalog, walk, head
        self.dialect = database.dialect
        self.posted: list[tuple[str, Any]] = []
        """The tables of ids that are joined to the walk, each by a column of it."""
        tail = walk.index.tail if walk.index else ()
        foreign = any(
            isinstance(row, Posted) or self.elsewhere(row)
            or (walk.descending and row.column in tail)
            for row in walk.predicates
        )  # fmt: skip
        self.apart = foreign and self.dialect == "mysql" and walk.tagged is None
        """Whether the rows are joined to the index by their ids: a server reads them else before
        it asks what other tables answer and, walking backwards, before it tests anything."""
        self.keys: Any = catalog.model.alias() if self.apart else catalog.model
        self.covered = {"id", *((walk.column,) if walk.index is None else walk.index.whole)}
        """The columns that the index has."""

    def select(self, limited: bool) -> Any:
        """The query, marks in the places of its values."""
        conditions, used = [], 0
        for row in self.walk.all:
            places = marks(used, len(row.parameters))
            used += len(places)
            conditions += self.condition(row, places)
        if self.walk.tagged is not None:
            conditions.append(self.catalog.tags.tag_id == marks(used, 1)[0])
            used += 1
        conditions += self.held()
        query = self.catalog.model.select(*self.head.columns).from_(self.source())
        if conditions:
            query = query.where(*conditions)
        query = query.order_by(*self.ordered())
        return query.limit(marks(used, 1)[0]).tuples() if limited else query.tuples()

    def condition(self, row: Predicate, places: list[Any]) -> list[Any]:
        """What `row` adds to WHERE, or (on a server) to the tables that are joined."""
        if isinstance(row, Posted):
            ids = row.ids(self.catalog, places, self.dialect)
            if self.dialect == "sqlite":
                return [Expression(Tested(self.column("id")), OP.IN, ids)]
            return self.beside("id", ids)
        if self.apart and self.elsewhere(row):
            return self.beside(row.column, row.entries(places).distinct())
        if isinstance(row, Past):
            return [beyond(row, self.column(row.column), self.column("id"), places)]
        return [row.sql(self.by_index if self.indexed(row) else self.catalog, places)]

    def beside(self, column: str, ids: Any) -> list[Any]:
        """The walk is joined to `ids` by its `column`: nothing is left for WHERE."""
        self.posted.append((column, ids.alias(f"ids{len(self.posted)}")))
        return []

    def elsewhere(self, row: Predicate) -> TypeGuard[Containing | Within]:
        """Whether entries of another table answer `row`, whose numbers the walk's index has."""
        tail = self.walk.index.tail if self.walk.index else ()
        return type(row) in (Containing, Within) and row.column in tail

    def indexed(self, row: Predicate) -> bool:
        """Whether `row` is tested by the index, though the rows are joined to it."""
        known = isinstance(row, Among | Span | Missing | Differs)
        return self.apart and known and row.column in self.covered

    @property
    def by_index(self) -> Any:
        """The catalog with the columns of the walk's index in the places of the rows'."""
        columns = {
            name: getattr(self.keys, field.name)
            for name, field in self.catalog.model._meta.columns.items()
        }
        return SimpleNamespace(model=SimpleNamespace(_meta=SimpleNamespace(columns=columns)))

    def held(self) -> list[Any]:
        """The condition of the walk's index, which the engine must find in the statement."""
        index = self.walk.index
        if index is None or not index.where:
            return []
        if self.walk.tagged is not None:
            return [self.column(index.columns[-1]).is_null(False)]
        # A server's indexes have all rows, and what is demanded of them implies the condition.
        return [] if self.apart else [SQL(f"({index.where})")]

    def source(self) -> Any:
        """The table that is walked, with those that its rows lead to."""
        walk, model, dialect = self.walk, self.catalog.model, self.dialect
        table: Any = self.keys if walk.tagged is None else self.catalog.tags
        if walk.index is not None:
            table = Along(table, walk.index.name, dialect)
        elif walk.tagged is None and any(on(walk.predicates, "id", Among)):
            table = Along(table, None, dialect)  # the rows with these ids, and no index beside
        elif walk.tagged is None and not by_key(walk.predicates):
            table = Along(table, of_order(dialect, self.catalog, walk.column), dialect)
        key = self.column("id")
        for column, ids in self.posted:
            table = Beside(table, ids, ids.c.id == self.column(column), dialect)
        if walk.tagged is not None:
            table = Beside(table, model, key == model.id, dialect)
        elif self.apart:
            table = Beside(table, Along(model, None, dialect), key == model.id, dialect)
        if self.head.details is not None:
            details = self.head.details
            table = Joined(table, details, details._meta.primary_key == model.id)
        return table

    def ordered(self) -> list[Any]:
        """The columns of ORDER BY, taken from the table whose index is walked."""
        first = self.walk.column
        names = [first] if first in ("id", "uuid") else [first, "id"]
        columns = [self.column(name) for name in names]
        return [column.desc() if self.walk.descending else column.asc() for column in columns]

    def column(self, name: str) -> Any:
        """A column that orders the walk: the tags' own copy where a tag's index is walked."""
        if self.walk.tagged is not None and name == "id":
            return owner(self.catalog.tags)
        if self.walk.tagged is not None and self.walk.index is not None:
            return self.catalog.tags._meta.columns[name]
        found = self.catalog.model._meta.columns[name]
        return getattr(self.keys, found.name) if self.apart and name in self.covered else found


def by_key(predicates: Predicates) -> bool:
    """Whether rows are asked for by id, UUID or tag, which the engine finds by itself."""
    return any(
        isinstance(row, Among | Tagged) and row.column in ("id", "uuid") for row in predicates
    )


def of_order(dialect: str, catalog: Catalog, column: str) -> str | None:
    """The name of the index behind a unique column; None for the primary key."""
    if column != "uuid":
        return None
    return f"sqlite_autoindex_{catalog.plural}_1" if dialect == "sqlite" else "uuid"
