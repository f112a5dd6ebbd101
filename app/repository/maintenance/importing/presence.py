"""What is there already of that which an import brings: in the database, or earlier in the import.

Both are asked a batch at a time, for all that its objects name.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database
from app.models import Activity, Task
from app.repository.dictionaries import batches
from app.repository.maintenance.importing.ledger import Ledger

PLACES = {"tasks": Task.tenant_id, "activities": Activity.task_id}
"""What is asked of a row besides its id and UUID."""


class Presence:
    """Ids and UUIDs that are there."""

    def __init__(self, database: Database) -> None:
        """Look once which collections hold anything at all."""
        self.database = database
        self.ledger = Ledger()
        self.filled = {
            catalog.plural: self.any_of(catalog.model) for catalog in (TASKS, ACTIVITIES)
        }
        self.places: dict[str, dict[int, int]] = {plural: {} for plural in PLACES}
        """By collection and id: a task's tenant, an activity's task."""
        self.owners: dict[str, dict[bytes, int]] = {plural: {} for plural in PLACES}
        """By collection and UUID: the id."""
        self.stored: dict[str, set[int]] = {plural: set() for plural in PLACES}
        """By collection: the ids that the database has."""
        self.came: dict[str, set[int]] = {plural: set() for plural in PLACES}
        """By collection: the ids that came earlier in the import."""
        self.fresh: dict[str, list[tuple[int, bytes, int]]] = {plural: [] for plural in PLACES}

    def any_of(self, model: Any) -> bool:
        """Whether a table holds any row."""
        return bool(self.database.select(model.select(model.id).limit(1).tuples()))

    def learn(self, candidates: Sequence[Any]) -> None:
        """Know of everything that these candidates name; what was known before is written down."""
        self.settle()
        columns = {"tasks": [], "activities": []}  # type: dict[str, list[Any]]
        for each in candidates:
            columns[each.catalog.plural].append(each.into)
        activities = columns["activities"]
        for catalog, column in ((TASKS, "task_id"), (ACTIVITIES, "parent_id")):
            own = columns[catalog.plural]
            named = {into.get("id") for into in own} | {into[column] for into in activities}
            self.ask(catalog, named - {None}, {into.get("uuid") for into in own} - {None})

    def ask(self, catalog: Catalog, ids: set[int], uuids: set[bytes]) -> None:
        """Learn which of these are there."""
        plural = catalog.plural
        self.places[plural] = places = {}
        self.owners[plural] = owners = {}
        if self.filled[plural]:
            for name, values in (("id", ids), ("uuid", uuids)):
                for key, uuid, place in self.rows(catalog, name, values):
                    places[key], owners[bytes(uuid)] = place, key
        self.stored[plural] = set(places)
        earlier = self.ledger.places(plural, ids)
        self.came[plural] = {key for key, _ in earlier}
        places.update(earlier)
        owners.update(self.ledger.owners(plural, uuids))

    def rows(self, catalog: Catalog, name: str, values: Iterable[Any]) -> list[Any]:
        """Id, UUID and place of the database's rows that have one of `values` in a column."""
        model: Any = catalog.model
        query = model.select(model.id, model.uuid, PLACES[catalog.plural])
        found = []
        for some in batches(values):
            found += self.database.select(query.where(getattr(model, name).in_(some)).tuples())
        return found

    def enter(self, plural: str, key: int, uuid: bytes, place: int) -> None:
        """A row with this id and UUID will be there."""
        self.places[plural][key] = place
        self.came[plural].add(key)
        self.owners[plural][uuid] = key
        self.fresh[plural].append((key, uuid, place))

    def settle(self) -> None:
        """Write down what came since the last time."""
        for plural, rows in self.fresh.items():
            if rows:
                self.ledger.enter(plural, rows)
                self.fresh[plural] = []

    def close(self) -> None:
        """Forget everything."""
        self.ledger.close()
