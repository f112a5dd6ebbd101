"""Everything there is, object by object, in an order that an import takes back."""

from collections.abc import Callable, Iterator
from typing import Any

from peewee import fn

from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database
from app.models import Activity
from app.repository.lists import projection
from app.vocabulary import Lod

TOGETHER = 500
"""Objects that are read together."""
NOT_SHOWN = "lease"
"""A lease is nothing that could be taken back."""


def total(database: Database) -> int:
    """How many objects there are."""
    models: tuple[Any, ...] = (TASKS.model, ACTIVITIES.model)
    counts = [model.select(fn.COUNT(model.id)).tuples() for model in models]
    return sum(int(database.select(query)[0][0]) for query in counts)


def lines(database: Database, written: Callable[[str], None]) -> Iterator[bytes]:
    """All tasks, then all activities, parents before their children, as lines of JSON.

    `written` is told the collection of each line. All of them show one moment.
    """
    with database.read_transaction():
        for catalog, ids in ((TASKS, task_ids(database)), (ACTIVITIES, activity_ids(database))):
            for some in ids:
                objects = projection.objects(database, catalog, Lod.DEBUG, some)
                for number in some:
                    objects[number].pop(NOT_SHOWN, None)
                    yield projection.dumps(objects[number]) + b"\n"
                    written(catalog.plural)


def pages(database: Database, catalog: Catalog, *columns: Any) -> Iterator[list[tuple[Any, ...]]]:
    """Ids and other columns of all rows in order of id, a page at a time."""
    model: Any = catalog.model
    last = 0
    while True:
        query = model.select(model.id, *columns).where(model.id > last).order_by(model.id)
        rows = database.select(query.limit(TOGETHER).tuples())
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def task_ids(database: Database) -> Iterator[list[int]]:
    """The ids of all tasks, in order."""
    for rows in pages(database, TASKS):
        yield [row[0] for row in rows]


def activity_ids(database: Database) -> Iterator[list[int]]:
    """The ids of all activities, each behind its parent.

    Ids grow with time here, so that a parent's is the smaller; those of a foreign source need not:
    children that come too early are held back.
    """
    early: dict[int, int] = {}
    for rows in pages(database, ACTIVITIES, Activity.parent_id):
        ready = []
        for number, parent in rows:
            if parent is not None and (parent > number or parent in early):
                early[number] = parent
            else:
                ready.append(number)
        if ready:
            yield ready
    while early:
        ready = [number for number, parent in early.items() if parent not in early]
        for number in ready:
            del early[number]
        for start in range(0, len(ready), TOGETHER):
            yield ready[start : start + TOGETHER]
