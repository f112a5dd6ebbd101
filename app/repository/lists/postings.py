"""Conditions answered beside a walk: by the ids that an index of their own has for them.

Where two conditions leave many rows each and few together, the row behind each step of a walk costs
most. The ids that satisfy the other condition are read from its index first, without the rows; a
step of the walk then asks whether its id is among them, and looks at the row only if it is.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from peewee import SQL, Value

from app.catalog.indexes import Index
from app.catalog.rows import Catalog
from app.repository.lists.sources import Along
from app.repository.predicates import Among, Predicate, Span, Tagged, owner


@dataclass(frozen=True)
class Posted(Predicate):
    """The row is among those that satisfy `row`, by `index` (None: the tags' own)."""

    row: Among | Span | Tagged
    index: Index | None
    near: Span | None = None
    """Between which ids they are looked for."""

    @property
    def by_id(self) -> bool:
        """Whether the index has ids in order behind each value: not behind a range of times."""
        return not isinstance(self.row, Span)

    @property
    def shape(self) -> Hashable:
        """That of the condition, its index, and which ids."""
        return ("Posted", self.index and self.index.name, self.row.shape,
                self.near and self.near.shape)  # fmt: skip

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Those of the condition, then the ids."""
        return self.row.parameters + (() if self.near is None else self.near.parameters)

    def ids(self, catalog: Catalog, places: list[Value], dialect: str) -> Any:
        """The SELECT of the ids, each once on a server, which makes a table of them."""
        count = len(self.row.parameters)
        first, rest = places[:count], places[count:]
        model: Any = catalog.model
        if isinstance(self.row, Tagged):
            key, source = owner(catalog.tags), catalog.tags
            conditions = [catalog.tags.tag_id.in_(first)]
        else:
            key, source = model.id, Along(model, self.index.name if self.index else None, dialect)
            conditions = [self.row.sql(catalog, first)]
            if self.index and self.index.where:
                conditions.append(SQL(f"({self.index.where})"))
        if self.near is not None:
            conditions.append(self.near.bounding(key, rest))
        found = model.select(key.alias("id")).from_(source).where(*conditions)
        return found if dialect == "sqlite" else found.distinct()
