"""Walks: one SELECT along one index, with the rest of the conditions tested on the way.

Which index is taken is said in the statement (`INDEXED BY`, `FORCE INDEX`): left to themselves both
engines choose badly as soon as a filter and an order compete (2.3 s against 1 ms at ten million).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import SQL, Node

from app.catalog.indexes import Index
from app.catalog.rows import Catalog
from app.database import Database, Row
from app.repository.predicates import (
    Among,
    Past,
    Predicates,
    Tagged,
    beyond,
    marks,
    owner,
    parameters_of,
    shapes_of,
)
from app.repository.statements import fetch


class Along(Node):
    """A table read along a named index, or (None) from its first row to its last."""

    def __init__(self, model: Any, index: str | None, dialect: str) -> None:
        """Name `index` of `model` in the words of `dialect`."""
        super().__init__()
        self.model = model
        if dialect == "sqlite":
            self.words = f" INDEXED BY {index}" if index else " NOT INDEXED"
        else:
            self.words = f" FORCE INDEX ({index or 'PRIMARY'})"

    def __sql__(self, context: Any) -> Any:
        """The table with its alias, then the index."""
        return context.sql(self.model).literal(self.words)


class Beside(Node):
    """Rows of one source with those of a table that they lead to, read in that order."""

    def __init__(self, first: Node, second: Any, on: Any, dialect: str) -> None:
        """Join `second` to `first`; neither engine may turn them round."""
        super().__init__()
        self.first, self.second, self.on = first, second, on
        self.words = " CROSS JOIN " if dialect == "sqlite" else " STRAIGHT_JOIN "

    def __sql__(self, context: Any) -> Any:
        """The two sources and what joins them."""
        return (
            context.sql(self.first)
            .literal(self.words)
            .sql(self.second)
            .literal(" ON ")
            .sql(self.on)
        )


@dataclass(frozen=True)
class Walk:
    """Rows along `index` (None: the primary key) that satisfy `predicates`, in one order.

    `order`: a column and, by id, its ties; `column` "id" or "uuid" needs none.
    """

    predicates: Predicates
    column: str
    descending: bool
    index: Index | None = None
    tagged: int | None = None
    """The tag along whose own index the walk goes."""
    past: Past | None = None

    @property
    def all(self) -> Predicates:
        """The conditions with the page's beginning."""
        return self.predicates if self.past is None else (*self.predicates, self.past)


@dataclass(frozen=True)
class Head:
    """The columns of the rows wanted, and a name for that choice."""

    name: Hashable
    columns: Sequence[Any] = field(hash=False, compare=False)
    details: Any = field(default=None, hash=False, compare=False)
    """The details' table, when columns of it are among them."""


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
    return fetch(database, shape, lambda: select(database, catalog, walk, head, limit), parameters)


def select(database: Database, catalog: Catalog, walk: Walk, head: Head, limit: int | None) -> Any:
    """The query of a walk, marks in the places of its values."""
    conditions, used = [], 0
    along_tags = walk.tagged is not None
    for row in walk.all:
        places = marks(used, len(row.parameters))
        used += len(places)
        if along_tags and isinstance(row, Past):
            columns = column_of(catalog, walk, row.column), column_of(catalog, walk, "id")
            conditions.append(beyond(row, *columns, places))
        else:
            conditions.append(row.sql(catalog, places))
    if along_tags:
        conditions.append(catalog.tags.tag_id == marks(used, 1)[0])
        used += 1
    conditions += held(catalog, walk)
    query = source(database, catalog, walk, head)
    if conditions:
        query = query.where(*conditions)
    query = query.order_by(*ordered(catalog, walk))
    return query.tuples() if limit is None else query.limit(marks(used, 1)[0]).tuples()


def held(catalog: Catalog, walk: Walk) -> list[Any]:
    """The condition of the walk's index, which the engine must find in the statement."""
    if walk.index is None or not walk.index.where:
        return []
    if walk.tagged is not None:
        return [column_of(catalog, walk, walk.index.columns[-1]).is_null(False)]
    return [SQL(f"({walk.index.where})")]


def source(database: Database, catalog: Catalog, walk: Walk, head: Head) -> Any:
    """The SELECT of `head` from the walk's table, details joined where they are needed."""
    model = catalog.model
    table: Any = model
    if walk.index is None and walk.tagged is None and not by_key(walk.predicates):
        table = Along(model, of_order(database, catalog, walk.column), database.dialect)
    if walk.index is not None:
        first = catalog.tags if walk.tagged is not None else model
        table = Along(first, walk.index.name, database.dialect)
    if walk.tagged is not None:
        if walk.index is None:
            table = catalog.tags
        table = Beside(table, model, owner(catalog.tags) == model.id, database.dialect)
    if head.details is not None:
        key = head.details._meta.primary_key
        table = Joined(table, head.details, key == model.id)
    return model.select(*head.columns).from_(table)


def by_key(predicates: Predicates) -> bool:
    """Whether rows are asked for by id, UUID or tag, which the engine finds by itself."""
    return any(
        isinstance(row, Among | Tagged) and row.column in ("id", "uuid") for row in predicates
    )


def of_order(database: Database, catalog: Catalog, column: str) -> str | None:
    """The name of the index behind a unique column; None for the primary key."""
    if column != "uuid":
        return None
    return f"sqlite_autoindex_{catalog.plural}_1" if database.dialect == "sqlite" else "uuid"


class Joined(Node):
    """A source with the rows of a table that there may or may not be for it."""

    def __init__(self, first: Any, second: Any, on: Any) -> None:
        """Join `second` to `first` where it is there."""
        super().__init__()
        self.first, self.second, self.on = first, second, on

    def __sql__(self, context: Any) -> Any:
        """A left outer join."""
        context.sql(self.first).literal(" LEFT OUTER JOIN ").sql(self.second)
        return context.literal(" ON ").sql(self.on)


def ordered(catalog: Catalog, walk: Walk) -> list[Any]:
    """The columns of ORDER BY, taken from the table whose index is walked."""
    names = [walk.column] if walk.column in ("id", "uuid") else [walk.column, "id"]
    columns = [column_of(catalog, walk, name) for name in names]
    return [column.desc() if walk.descending else column.asc() for column in columns]


def column_of(catalog: Catalog, walk: Walk, name: str) -> Any:
    """A column that orders the walk: the tags' own copy where a tag's index is walked."""
    if walk.tagged is not None:
        if name == "id":
            return owner(catalog.tags)
        if walk.index is not None:
            return catalog.tags._meta.columns[name]
    return catalog.model._meta.columns[name]


def streams(walk: Walk, row: Among | Tagged) -> list[Walk]:
    """`walk` once for each value of `row`, which its index begins with."""
    rest = tuple(other for other in walk.predicates if other is not row)
    if isinstance(row, Tagged):
        return [
            Walk(rest, walk.column, walk.descending, walk.index, value, walk.past)
            for value in row.values
        ]
    return [
        Walk((Among(row.column, (value,)), *rest), walk.column, walk.descending, walk.index,
             None, walk.past)
        for value in row.values
    ]  # fmt: skip
