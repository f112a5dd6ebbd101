"""How the objects of one collection lie in its tables."""

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from peewee import Model, TextField

from app.catalog import shapes
from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database
from app.models import Attempt
from app.repository import dictionaries, invariants
from app.repository.dictionaries import AGENTS, TAGS, Dictionary
from app.repository.lists.lookups import DICTIONARIES
from app.repository.maintenance.importing.members import (
    ATTEMPTS,
    IGNORED,
    TAG_NAMES,
    TENANT,
    Columns,
)
from app.repository.maintenance.importing.readers import readers, twins
from app.vocabulary import Priority

Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by table name, each with its columns in the model's order."""

NONE = frozenset((None, 0))
"""What stands in a column that has no entry."""
TASK_DEFAULTS: Columns = {"queue_id": ("default",), "priority": Priority.NORMAL.code}
"""What a level that lacks an attribute means by it, beyond the models' own defaults."""


def columns(model: type[Model]) -> list[str]:
    """The names of a table's columns, in order."""
    return [field.column_name for field in model._meta.sorted_fields]


@dataclass(frozen=True, eq=False)
class Layout:
    """The tables of `catalog`, and what stands where in them."""

    catalog: Catalog

    @cached_property
    def readers(self) -> dict[str, Any]:
        """A reader for each attribute."""
        return readers(self.catalog)

    @cached_property
    def twins(self) -> list[tuple[str, str]]:
        """Attributes that repeat a number as a string."""
        return twins(self.catalog)

    @cached_property
    def key(self) -> str:
        """The column of the details' and tags' tables that holds the row's id."""
        key: Any = self.catalog.details._meta.primary_key
        return str(key.column_name)

    @cached_property
    def defaults(self) -> Columns:
        """Every column of both tables with the value of an absent attribute."""
        models = (self.catalog.details, self.catalog.model)
        made = {field.column_name: field.default for m in models for field in m._meta.sorted_fields}
        own = TASK_DEFAULTS if self.catalog is TASKS else {}
        return {**made, **own, TENANT: None, TAG_NAMES: (), ATTEMPTS: (), IGNORED: []}

    @cached_property
    def entries(self) -> list[tuple[str, Dictionary]]:
        """The columns that hold numbers of entries, and their dictionaries."""
        return [
            (row.shape.column.column_name, DICTIONARIES[row.shape.dictionary])
            for row in self.catalog.attributes
            if isinstance(row.shape, shapes.Entry)
        ]

    @cached_property
    def times(self) -> Any:
        """The times that the planner's bounds speak of, out of columns."""
        return itemgetter(*invariants.times(self.catalog))

    @cached_property
    def texts(self) -> Any:
        """The texts of JSON, which may be long, out of columns."""
        fields = self.catalog.details._meta.sorted_fields
        return itemgetter(*(one.column_name for one in fields if isinstance(one, TextField)))

    @cached_property
    def rows_of(self) -> list[tuple[str, Any]]:
        """The two tables with one row for each object, and their rows out of columns."""
        models = (self.catalog.model, self.catalog.details)
        return [(model._meta.table_name, itemgetter(*columns(model))) for model in models]

    def numbered(self, database: Database, held: list[Columns]) -> None:
        """Put the numbers of their dictionaries in place of entries."""
        for column, dictionary in self.entries:
            wanted = set(map(itemgetter(column), held)) - NONE
            numbers: dict[Any, int | None] = {None: None, 0: 0}
            numbers.update(dictionaries.numbers(database, dictionary, wanted))
            for into in held:
                into[column] = numbers[into[column]]

    def rows(self, database: Database, held: list[Columns]) -> Rows:
        """The rows of all tables for objects whose entries are texts."""
        self.numbered(database, held)
        rows = {table: [row_of(into) for into in held] for table, row_of in self.rows_of}
        rows[self.catalog.tags._meta.table_name] = tag_rows(database, self.catalog, held)
        if self.catalog is TASKS:
            rows["attempts"] = attempt_rows(database, held)
        return {table: some for table, some in rows.items() if some}


def tag_rows(database: Database, catalog: Catalog, held: list[Columns]) -> list[tuple[Any, ...]]:
    """A row for each tag; a task's repeat its times."""
    names = {(name,) for into in held for name in into[TAG_NAMES]}
    numbers = dictionaries.numbers(database, TAGS, names)
    times = ("started_at", "completed_at") if catalog is TASKS else ()
    return [
        (numbers[(name,)], into["id"], *(into[time] for time in times))
        for into in held
        for name in into[TAG_NAMES]
    ]


def attempt_rows(database: Database, held: list[Columns]) -> list[tuple[Any, ...]]:
    """A row for each assignment."""
    agents = {executor for into in held for executor, *_ in into[ATTEMPTS]}
    numbers = dictionaries.numbers(database, AGENTS, agents)
    return [
        (into["id"], number, numbers[executor], *rest, None)
        for into in held
        for executor, number, *rest in into[ATTEMPTS]
    ]


LAYOUTS = {catalog.plural: Layout(catalog) for catalog in (TASKS, ACTIVITIES)}
"""In the order in which rows must be written: activities belong to tasks."""

TABLES = [
    model
    for layout in LAYOUTS.values()
    for model in (
        layout.catalog.model, layout.catalog.details, layout.catalog.tags,
        *((Attempt,) if layout.catalog is TASKS else ()),
    )
]  # fmt: skip
"""All tables that an import writes, each after those that it refers to."""
