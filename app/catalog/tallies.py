"""Figures that are kept of tasks and activities: what is counted by them alone needs no rows.

Each collection has three tables: figures, by tenant with all below it and by dimensions; changes
that are not among them yet; and the tenants of which there are figures.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

from app.catalog.rows import Catalog


@dataclass(frozen=True)
class Dimension:
    """A column by which figures are kept, and what a row has there: a number, 0 for none."""

    column: str
    of_row: str = "{row}.{column}"
    wide: bool = False
    """Many values: figures over all of them are kept as well, under `ALL`."""

    def sql(self, row: str) -> str:
        """The value in terms of the row called `row`."""
        return self.of_row.format(row=row, column=self.column)


ALL = 0
"""Stands for all values of a wide dimension: no type or queue has this number."""
TYPE = Dimension("type_id", wide=True)
QUEUE = Dimension("queue_id", wide=True)
STATE = Dimension("state")
RESULT = Dimension("result", "COALESCE({row}.result, 0)")
DELETED = Dimension("deleted", "({row}.deleted_at IS NOT NULL)")


@dataclass(frozen=True)
class Tally:
    """The figures of one collection."""

    name: str
    """The catalog's; the tables' names begin with it."""
    table: str
    dimensions: tuple[Dimension, ...]

    @cached_property
    def figures(self) -> str:
        """The table of figures."""
        return f"{self.name}_tallies"

    @cached_property
    def changes(self) -> str:
        """The table of changes, which triggers write with each row of the collection."""
        return f"{self.name}_tally_changes"

    @cached_property
    def nodes(self) -> str:
        """The table of tenants: how many rows each has with all below it, and whether the figures
        by dimensions are kept. Changes that are not folded yet are not in it."""
        return f"{self.name}_tally_nodes"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The dimensions' columns, in order of the figures' key."""
        return tuple(dimension.column for dimension in self.dimensions)

    @cached_property
    def masks(self) -> tuple[tuple[int, ...], ...]:
        """One for each figure that a row is in: 1 where it has the row's value, 0 where `ALL`."""
        return tuple(product(*((1, 0) if one.wide else (1,) for one in self.dimensions)))


TALLIES = (
    Tally("task", "tasks", (TYPE, QUEUE, STATE, RESULT, Dimension("priority"), DELETED)),
    Tally("activity", "activities", (TYPE, STATE, RESULT, Dimension("sustainable"), DELETED)),
)


def tally_of(catalog: Catalog) -> Tally:
    """The figures of a collection."""
    return next(tally for tally in TALLIES if tally.name == catalog.name)
