"""Conditions on rows: what a request demands, as data that a plan can weigh and SQL can be made of.

A predicate has a `shape` (what its SQL text depends on) and `parameters` (the values, which never
enter the text): statements are compiled once per shape.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from peewee import SQL, Expression, Field, Value, fn

from app.catalog.rows import Catalog


class Mark:
    """The place of the `n`-th parameter of a statement."""

    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        """Stand for parameter number `n`."""
        self.n = n


@lru_cache(maxsize=4_096)
def mark(n: int) -> Mark:
    """The mark of parameter number `n`: one for all statements, of which thousands are kept."""
    return Mark(n)


def marks(start: int, count: int) -> list[Value]:
    """Marks for `count` parameters from number `start` on, as Peewee nodes."""
    return [Value(mark(start + i), converter=False, unpack=False) for i in range(count)]


@dataclass(frozen=True)
class Predicate:
    """A condition on one column."""

    column: str

    @property
    def shape(self) -> Hashable:
        """What the SQL text depends on."""
        return (type(self).__name__, self.column, len(self.parameters))

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The values, in the order of their marks."""
        return ()

    def sql(self, catalog: Catalog, places: list[Value]) -> Any:
        """The condition as a Peewee expression, with `places` for its parameters."""
        raise NotImplementedError

    def field(self, catalog: Catalog) -> Field:
        """The column."""
        found: Field = catalog.model._meta.columns[self.column]
        return found


@dataclass(frozen=True)
class Among(Predicate):
    """The column has one of `values`, of which there is at least one, in order."""

    values: tuple[Any, ...]

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The values, the last repeated up to a power of two: few texts serve all numbers."""
        size = 1 << (len(self.values) - 1).bit_length()
        return self.values + (self.values[-1],) * (size - len(self.values))

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """`column = ?` or `column IN (?, ...)`."""
        field = self.field(catalog)
        return field == places[0] if len(places) == 1 else field.in_(places)


@dataclass(frozen=True)
class Span(Predicate):
    """The column lies between two bounds, both included; None = open."""

    low: int | None = None
    high: int | None = None

    @property
    def shape(self) -> Hashable:
        """Which bounds there are."""
        return ("Span", self.column, self.low is None, self.high is None)

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The bounds that there are."""
        return tuple(bound for bound in (self.low, self.high) if bound is not None)

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """`column >= ? AND column <= ?`."""
        return self.bounding(self.field(catalog), places)

    def bounding(self, field: Field, places: list[Value]) -> Expression:
        """The bounds put to `field`."""
        rest = list(places)
        parts = [field >= rest.pop(0)] if self.low is not None else []
        if self.high is not None:
            parts.append(field <= rest.pop(0))
        return parts[0] & parts[1] if len(parts) == 2 else parts[0]


@dataclass(frozen=True)
class Missing(Predicate):
    """The column is NULL, or is not."""

    missing: bool

    @property
    def shape(self) -> Hashable:
        """Which of the two."""
        return ("Missing", self.column, self.missing)

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """`column IS [NOT] NULL`."""
        return self.field(catalog).is_null(self.missing)


@dataclass(frozen=True)
class Differs(Predicate):
    """The column has a value, and another than this."""

    value: int

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The value."""
        return (self.value,)

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """`column <> ?`, which NULL does not satisfy."""
        return self.field(catalog) != places[0]


@dataclass(frozen=True)
class Past(Predicate):
    """Beyond a row in a walk by `column` and id: the page's beginning.

    `ties`: the id of that row, or None where the column alone tells rows apart. Written as
    `c <= ? AND (c < ? OR id < ?)`, since MariaDB walks a row-value comparison from the first row.
    """

    value: Any
    ties: int | None
    descending: bool

    @property
    def shape(self) -> Hashable:
        """Direction, and whether ids break ties."""
        return ("Past", self.column, self.ties is None, self.descending)

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The row's value once or twice, and its id."""
        return (self.value,) if self.ties is None else (self.value, self.value, self.ties)

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """The comparison in the direction of the walk."""
        return beyond(self, self.field(catalog), catalog.model.id, places)


def beyond(row: Past, column: Field, key: Field, places: list[Value]) -> Expression:
    """`row`'s comparison in terms of these columns."""
    if row.ties is None:
        return column < places[0] if row.descending else column > places[0]
    if row.descending:
        return (column <= places[0]) & ((column < places[1]) | (key < places[2]))
    return (column >= places[0]) & ((column > places[1]) | (key > places[2]))


@dataclass(frozen=True)
class Tagged(Predicate):
    """The row has one of the tags with these numbers."""

    values: tuple[int, ...]

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The numbers, padded as those of Among."""
        return Among("tag_id", self.values).parameters

    def sql(self, catalog: Catalog, places: list[Value]) -> Any:
        """A look-up of the tag's row."""
        tags = catalog.tags
        own = owner(tags)
        inner = tags.select(SQL("1")).where((own == catalog.model.id) & tags.tag_id.in_(places))
        return fn.EXISTS(inner)


def owner(tags: Any) -> Field:
    """The column of a tags' table that names the tagged row."""
    found: Field = next(
        field for field in tags._meta.sorted_fields if field.name in ("task_id", "activity_id")
    )
    return found


Predicates = tuple[Predicate, ...]


def on(predicates: Predicates, column: str, kind: type[Predicate]) -> Iterator[Any]:
    """Those of `predicates` that are of `kind` and on `column`."""
    return (row for row in predicates if row.column == column and isinstance(row, kind))


def parameters_of(predicates: Predicates) -> tuple[Any, ...]:
    """All parameters, in order."""
    return tuple(value for row in predicates for value in row.parameters)


def shapes_of(predicates: Predicates) -> tuple[Hashable, ...]:
    """All shapes, in order."""
    return tuple(row.shape for row in predicates)
