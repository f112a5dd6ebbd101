"""What a row of a catalog is: a filter, an attribute, an order field; and a collection of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from peewee import Field

from app.catalog.kinds import Kind
from app.catalog.shapes import Shape
from app.vocabulary import Lod


@dataclass(frozen=True, eq=False)
class Filter:
    """A query parameter: its name, how entries are written, the column they are compared with."""

    name: str
    kind: Kind
    target: "Field | Members | Special"
    words: str
    example: str
    """An entry that finds something in the demonstration data."""


@dataclass(frozen=True, eq=False)
class Members:
    """A member of a dictionary's entries: the column that holds numbers, the member compared."""

    column: Field
    member: Field
    folded: Field | None = None


@dataclass(frozen=True)
class Special:
    """A filter whose meaning is not the comparison of a column: `tag`, `allow_deleted`."""

    name: str


TAGGED = Special("tagged")
DELETED = Special("deleted")


@dataclass(frozen=True, eq=False)
class Attribute:
    """A member of the answer: its name, from which level on it is shown, how it is made."""

    name: str
    lod: Lod
    shape: Shape
    words: str


@dataclass(frozen=True, eq=False)
class Order:
    """A field that `order` takes, and the column (or entry's member) that it sorts by."""

    name: str
    target: Field | Members


@dataclass(frozen=True, eq=False)
class Catalog:
    """A collection: what it can be asked and what it answers."""

    name: str
    """As messages say it: "task"."""
    plural: str
    model: Any
    """The Peewee model of the narrow rows; those of their details and tags follow."""
    details: Any
    tags: Any
    filters: tuple[Filter, ...]
    orders: tuple[Order, ...]
    attributes: tuple[Attribute, ...]

    @cached_property
    def filter_of(self) -> dict[str, Filter]:
        """The filters by name."""
        return {row.name: row for row in self.filters}

    @cached_property
    def order_of(self) -> dict[str, Order]:
        """The order fields by name."""
        return {row.name: row for row in self.orders}

    def shown(self, lod: Lod) -> list[Attribute]:
        """The attributes that `lod` shows, in order."""
        return [row for row in self.attributes if row.lod.code <= lod.code]
