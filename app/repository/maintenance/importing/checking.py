"""What is checked before the first row is written: each object, and what objects say of others."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.catalog.rows import Catalog
from app.database import Database
from app.errors import Fault
from app.repository import invariants
from app.repository.maintenance.importing.candidates import Candidate
from app.repository.maintenance.importing.layout import LAYOUTS
from app.repository.maintenance.importing.members import ATTEMPTS, IGNORED, TENANT, Columns
from app.repository.maintenance.importing.presence import Presence
from app.repository.maintenance.importing.spool import Batch, Spool
from app.repository.maintenance.importing.tenancy import Tenancy
from app.repository.maintenance.importing.values import Wrong
from app.repository.tenants import Node
from app.vocabulary import State

ENQUEUED = State.ENQUEUED.code


@dataclass
class Tally:
    """What became of the objects so far."""

    tasks: int = 0
    activities: int = 0
    skipped: int = 0
    replaced: int = 0
    again: int = 0
    """How many of those skipped or replaced came earlier in the same load."""
    bad: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    """How often each member that the API does not have was met."""


class Checker:
    """Judges objects in the order in which they come, and spools the rows of the good ones."""

    def __init__(
        self, database: Database, default: Node, now: int, replace: bool,
        report: Callable[[Any, Sequence[Fault]], None],
    ) -> None:  # fmt: skip
        """`default`: tenant of objects without one; `report`: told of every bad object."""
        self.database = database
        self.now = now
        self.replace = replace
        self.report = report
        self.tenancy = Tenancy(database, default)
        self.presence = Presence(database)
        self.spool = Spool()
        self.tally = Tally()
        self.bounds: invariants.Bounds = {}
        self.spans: dict[str, tuple[int, int]] = {}
        """The smallest and the largest id of each collection."""

    def close(self) -> None:
        """Remove the temporary files."""
        self.presence.close()
        self.spool.close()

    def take(self, candidates: Sequence[Candidate]) -> None:
        """Judge some candidates and spool those that are good."""
        self.presence.learn(candidates)
        batch = Batch({})
        # By id: of two in one batch the later one replaces the earlier.
        kept: dict[str, dict[int, Columns]] = {plural: {} for plural in LAYOUTS}
        for candidate in candidates:
            if self.good(candidate, batch):
                kept[candidate.catalog.plural][candidate.into["id"]] = candidate.into
            if candidate.into[IGNORED]:
                self.tally.ignored.update(candidate.into[IGNORED])
        for plural, by_id in kept.items():
            if by_id:
                layout, held = LAYOUTS[plural], list(by_id.values())
                self.note(layout.catalog, map(layout.times, held))
                batch.rows |= layout.rows(self.database, held)
                low, high = self.spans.get(plural, (min(by_id), 0))
                self.spans[plural] = min(low, *by_id), max(high, *by_id)
        self.spool.add(batch)

    def note(self, catalog: Catalog, times: Iterable[Any]) -> None:
        """Remember the bounds that the planner must know of."""
        for name, value in invariants.needed(catalog, times).items():
            self.bounds[name] = max(value, self.bounds.get(name, 0))

    def good(self, candidate: Candidate, batch: Batch) -> bool:
        """Whether the candidate's rows are to be written; they are complete then."""
        owner = self.owner(candidate)
        if candidate.faults:
            self.tally.bad += 1
            self.report(candidate.origin, candidate.faults)
            return False
        assert owner is not None
        plural, into = candidate.catalog.plural, candidate.into
        there = self.presence.places[plural].get(into["id"])
        self.tally.again += into["id"] in self.presence.came[plural]
        if there is not None and not self.replace:
            self.tally.skipped += 1
            return False
        self.tenancy.use(owner)
        into["tenant_id"], into["branch_id"] = owner.id, owner.branch_id
        into[LAYOUTS[plural].key] = into["id"]
        if plural == "tasks":
            waiting(into, self.now)
        if there is not None:
            self.tally.replaced += 1
            batch.replaced.setdefault(plural, []).append(into["id"])
            if plural == "tasks" and there != owner.id:
                batch.moved.append((owner.id, owner.branch_id, into["id"]))
        else:
            setattr(self.tally, plural, getattr(self.tally, plural) + 1)
        if plural == "activities":
            self.lean(into, batch)
        key = into["tenant_id"] if plural == "tasks" else into["task_id"]
        self.presence.enter(plural, into["id"], into["uuid"], key)
        return True

    def lean(self, into: Columns, batch: Batch) -> None:
        """Note which rows of the database an activity needs: somebody may remove one meanwhile."""
        for plural, column in (("tasks", "task_id"), ("activities", "parent_id")):
            if into[column] in self.presence.stored[plural]:
                batch.needed.setdefault(plural, []).append(into[column])

    def owner(self, candidate: Candidate) -> Node | None:
        """The tenant of the candidate's row; what others say against it becomes its faults."""
        into, plural = candidate.into, candidate.catalog.plural
        if "id" not in into:
            return None
        found = self.tenant(candidate)
        if plural == "activities":
            found = self.task_tenant(candidate, found)
        if into["uuid"] is not None and into["id"] is not None:
            holder = self.presence.owners[plural].get(into["uuid"])
            if holder not in (None, into["id"]):
                candidate.wrong("uuid", None, f"belongs to the {candidate.catalog.name} {holder}")
        return found

    def tenant(self, candidate: Candidate) -> Node | None:
        """The tenant that the candidate tells of, or the default."""
        told = candidate.into[TENANT]
        try:
            return self.tenancy.of(told, candidate.into)
        except Wrong as error:
            candidate.refuse("tenant", told, error)
            return None

    def task_tenant(self, candidate: Candidate, told: Node | None) -> Node | None:
        """The tenant of an activity's task, which has to be the one told of."""
        into = candidate.into
        number = into["task_id"]
        if number is None:
            return None
        tenant = self.presence.places["tasks"].get(number)
        if tenant is None:
            candidate.wrong("taskId", number, "no such task came before")
        elif into[TENANT] is not None and told is not None and told.id != tenant:
            candidate.wrong("tenant", into[TENANT], f"its task belongs to tenant {tenant}")
        parent = into["parent_id"]
        if parent is not None:
            task = self.presence.places["activities"].get(parent)
            if task != number:
                words = "no such activity came before" if task is None else "is of another task"
                candidate.wrong("parentActivityId", parent, words)
        return None if tenant is None else self.tenancy.must(tenant)


def waiting(into: Columns, now: int) -> None:
    """Complete a task's columns: it holds no lease, and claims see it when it is due.

    The fence continues behind the attempts that are known, for each has its number.
    """
    into["fence"] = max((attempt[1] for attempt in into[ATTEMPTS]), default=0)
    if into["state"] == ENQUEUED:
        into["queued_at"] = into["enqueued_at"]
        # Due at once: whoever looks first, upkeep or a claim, puts it into its lane.
        into["due_at"] = now
