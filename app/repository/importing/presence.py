"""What the database has already of that which an import brings, asked for in batches."""

from collections.abc import Iterable
from typing import Any

from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database
from app.models import Activity, Task
from app.repository.dictionaries import batches

PLACES = {"tasks": Task.tenant_id, "activities": Activity.task_id}
"""What is asked of a row besides its id and UUID."""


class Presence:
    """Ids and UUIDs that were in the database when they were asked for."""

    def __init__(self, database: Database) -> None:
        """Look once which collections hold anything at all."""
        self.database = database
        self.filled = {
            catalog.plural: self.any_of(catalog.model) for catalog in (TASKS, ACTIVITIES)
        }
        self.places: dict[str, dict[int, int]] = {plural: {} for plural in PLACES}
        self.owners: dict[str, dict[bytes, int]] = {plural: {} for plural in PLACES}

    def any_of(self, model: Any) -> bool:
        """Whether a table holds any row."""
        return bool(self.database.select(model.select(model.id).limit(1).tuples()))

    def learn(self, candidates: Iterable[Any]) -> None:
        """Know of everything that these candidates name; what was known before is forgotten."""
        for catalog in (TASKS, ACTIVITIES):
            plural = catalog.plural
            self.places[plural], self.owners[plural] = {}, {}
            if self.filled[plural]:
                own = [each.into for each in candidates if each.catalog is catalog]
                ids = {into["id"] for into in own if "id" in into}
                column = "task_id" if catalog is TASKS else "parent_id"
                ids |= {
                    each.into[column] for each in candidates
                    if each.catalog is ACTIVITIES and column in each.into
                }  # fmt: skip
                self.ask(catalog, "id", ids - {None})
                uuids = {into["uuid"] for into in own if "uuid" in into}
                self.ask(catalog, "uuid", uuids - {None})

    def ask(self, catalog: Catalog, name: str, values: Iterable[Any]) -> None:
        """Learn of the rows that have one of these values."""
        model: Any = catalog.model
        plural = catalog.plural
        for some in batches(values):
            query = model.select(model.id, model.uuid, PLACES[plural]).where(
                getattr(model, name).in_(some)
            )
            for number, uuid, place in self.database.select(query.tuples()):
                self.places[plural][number] = place
                self.owners[plural][bytes(uuid)] = number

    def place_of(self, plural: str, number: int) -> int | None:
        """The tenant of a task, or the task of an activity; None: it is not there."""
        return self.places[plural].get(number)

    def owner(self, plural: str, uuid: bytes) -> int | None:
        """The id of the row with this UUID; None: there is none."""
        return self.owners[plural].get(uuid)
