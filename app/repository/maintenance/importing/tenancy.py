"""The tenants that objects name: found, or planned with all their ancestors."""

import re
from collections.abc import Iterable
from dataclasses import replace
from types import NoneType
from typing import Any
from uuid import UUID

from app.catalog.kinds import LARGEST_ID
from app.database import Database
from app.models import Task, Tenant
from app.repository import invariants, tenants
from app.repository.maintenance.importing.members import IGNORED, Columns, inside
from app.repository.maintenance.importing.values import Wrong, text_of, uuid_of
from app.repository.tenants import ROOT, Node

LOCATOR = re.compile(r"/1/(?:[1-9][0-9]{0,18}/)*")
LONGEST_LOCATOR = 1024
NUMBER = re.compile("[0-9]{1,19}")
MEMBERS = ("id", "uuid", "locator", "name")
REMEMBERED = 10_000


class Tenancy:
    """Who the tenants of an import are. Nothing is written before `write`."""

    def __init__(self, database: Database, default: Node) -> None:
        """`default`: the tenant of objects that name none."""
        self.database = database
        self.default = default
        self.nodes: dict[int, Node] = {}
        self.numbers: dict[UUID, int] = {}
        self.resolved: dict[tuple[Any, ...], Node] = {}
        self.new: dict[int, int] = {}
        """Planned tenants: number to parent's number, ancestors first."""
        self.changed: set[int] = set()
        self.used: set[int] = set()
        # The migrations made the root's UUID and name up: where nothing is owned yet, the first
        # object that brings them says what they are.
        self.unnamed_root = not database.select(Task.select(Task.id).limit(1).tuples())

    def of(self, told: Any, into: Columns) -> Node:
        """The tenant that an object tells of; the default for None. Raises Wrong."""
        if told is None:
            return self.default
        try:
            return self.resolved[(*told, *told.values())]
        except (KeyError, TypeError):
            pass
        before = len(into[IGNORED])
        found = self.node(*self.members(told, into))
        # One with members that the API does not have is looked at each time, and they are counted;
        # one whose id is a number as well: true and 1.0 equal 1, and would be found for it.
        if len(into[IGNORED]) == before and type(told.get("id")) in (str, NoneType):
            if len(self.resolved) > REMEMBERED:
                self.resolved.clear()
            self.resolved[(*told, *told.values())] = found
        return found

    def use(self, node: Node) -> None:
        """A row of `node` will be written: it and its ancestors must be there."""
        if node.id not in self.used:
            self.used.update(int(step) for step in node.locator.strip("/").split("/"))

    def members(
        self, told: Any, into: Columns
    ) -> tuple[int | None, UUID | None, str | None, str | None]:
        """Number, UUID, locator and name as told, each None where absent. Raises Wrong."""
        number, uuid, locator, name = inside(told, MEMBERS, into, "tenant")
        wrong: list[tuple[str, str]] = []
        if number is not None and not numbers_one(number):
            wrong.append((".id", f"digits of a number from 1 to {LARGEST_ID} are accepted"))
        if locator is not None and not well_formed(locator):
            wrong.append((".locator", "ids from the root, such as /1/15/210/, are accepted"))
        for place, value, read in ((".uuid", uuid, uuid_of), (".name", name, text_of)):
            try:
                value is None or read(value)
            except Wrong as error:
                wrong += [(place, words) for _, words in error.faults]
        if wrong:
            raise Wrong(*wrong)
        last = None if locator is None else int(locator.split("/")[-2])
        if number is not None and last is not None and int(number) != last:
            raise Wrong((".locator", f"should end with the tenant's id, {number}"))
        known = int(number) if number is not None else last
        return known, uuid and UUID(uuid), locator, name

    def node(
        self, number: int | None, uuid: UUID | None, locator: str | None, name: str | None
    ) -> Node:
        """The tenant with these members. Raises Wrong."""
        if number is None:
            if uuid is None:
                raise Wrong(("", "its id, uuid or locator is needed"))
            owner = self.owner(uuid)
            if owner is None:
                raise Wrong((".locator", "is needed: no tenant with this UUID is known"))
            number = owner
        node = self.at(number, locator)
        return self.completed(node, uuid, name)

    def at(self, number: int, locator: str | None) -> Node:
        """The tenant `number`, planned under `locator` where it is not known. Raises Wrong."""
        node = self.known(number)
        if node is None and locator is None:
            raise Wrong((".locator", f"is needed: no tenant {number} is known"))
        if node is None:
            return self.planned(locator or "")
        if locator not in (None, node.locator):
            raise Wrong((".locator", f"tenant {number} is at {node.locator}"))
        return node

    def planned(self, locator: str) -> Node:
        """The tenant at `locator`, and its ancestors, known from now on. Raises Wrong."""
        steps = [int(step) for step in locator.strip("/").split("/")]
        self.fetch(steps)
        parent = self.must(ROOT)
        for number in steps[1:]:
            node = self.nodes.get(number)
            if node is None:
                node = self.nodes[number] = tenants.below(parent, number, None, None)
                self.new[number] = parent.id
            elif node.locator != f"{parent.locator}{number}/":
                raise Wrong((".locator", f"tenant {number} is at {node.locator}"))
            parent = node
        return parent

    def completed(self, node: Node, uuid: UUID | None, name: str | None) -> Node:
        """`node` with the UUID and name that it lacked. Raises Wrong when it has another UUID."""
        adopting = node.root and self.unnamed_root and uuid is not None
        if uuid is not None and uuid != node.uuid:
            owner = self.owner(uuid)
            if owner not in (None, node.id):
                raise Wrong((".uuid", f"is that of tenant {owner}"))
            if node.uuid is not None and not node.root:
                raise Wrong((".uuid", f"tenant {node.id} has the UUID {node.uuid}"))
        fresh = node
        if uuid is not None and (node.uuid is None or adopting):
            fresh = replace(fresh, uuid=uuid)
            self.numbers[uuid] = node.id
        if name is not None and (node.name is None or adopting):
            fresh = replace(fresh, name=name)
        if adopting:
            self.unnamed_root = False
        if fresh != node:
            self.nodes[node.id] = fresh
            self.changed.add(node.id)
        return fresh

    def must(self, number: int) -> Node:
        """A tenant that is known for sure."""
        node = self.known(number)
        assert node is not None
        return node

    def known(self, number: int) -> Node | None:
        """The tenant `number`, there or planned."""
        if number not in self.nodes:
            self.fetch([number])
        return self.nodes.get(number)

    def fetch(self, numbers: Iterable[int]) -> None:
        """Learn which of `numbers` the database has."""
        missing = [number for number in numbers if number not in self.nodes]
        if missing:
            self.nodes.update(tenants.by_ids(self.database, missing))

    def owner(self, uuid: UUID) -> int | None:
        """The number of the tenant with this UUID, there or planned."""
        if uuid not in self.numbers:
            node = tenants.by_uuid(self.database, uuid)
            # A root that takes another UUID gives its own up.
            if node is None or self.nodes.get(node.id, node).uuid != uuid:
                return None
            self.numbers[uuid] = node.id
        return self.numbers[uuid]

    def write(self) -> None:
        """Write what was planned and is used, in the transaction that is open."""
        for number, parent in self.new.items():
            if number in self.used:
                tenants.inserted(self.database, self.nodes[number], parent)
        changed = (self.changed - self.new.keys()) & self.used
        for number in changed:
            node = self.nodes[number]
            columns = {Tenant.uuid: node.uuid and node.uuid.bytes, Tenant.name: node.name}
            self.database.change(Tenant.update(columns).where(Tenant.id == number))
        if changed:
            invariants.tenants_changed(self.database)


def numbers_one(number: Any) -> bool:
    """Whether `number`, digits in a string or a number, can be a tenant's id."""
    return bool(NUMBER.fullmatch(str(number))) and 0 < int(number) <= LARGEST_ID


def well_formed(locator: Any) -> bool:
    """Whether `locator` can be a path of ids from the root."""
    if type(locator) is not str or len(locator) > LONGEST_LOCATOR or not LOCATOR.fullmatch(locator):
        return False
    steps = locator.strip("/").split("/")
    return len(set(steps)) == len(steps) and all(int(step) <= LARGEST_ID for step in steps)
