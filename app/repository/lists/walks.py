"""Walks: rows along one index, with the rest of the conditions tested on the way."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.catalog.indexes import Index
from app.repository.predicates import Among, Past, Predicates, Tagged


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
