"""The tree of tenants: finding, making and naming its nodes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from peewee import Field, fn

from app.database import Database
from app.errors import BadRequest, Fault
from app.models import TEXT, Tenant
from app.repository import invariants, sentences
from app.repository.dictionaries import batches
from app.repository.predicates import Among, marks
from app.repository.statements import fetch

ROOT = 1
GONE = "largest number of a removed tenant"
"""The invariant that keeps numbers from being given twice: processes remember where a number is."""


@dataclass(frozen=True)
class Node:
    """A tenant: its number, UUID (None while unknown), branch, path of ids and name."""

    id: int
    uuid: UUID | None
    branch_id: int
    locator: str
    name: str | None

    @property
    def root(self) -> bool:
        """Whether this is the root, whose subtree is everything."""
        return self.id == ROOT

    def holds(self, other: "Node") -> bool:
        """Whether `other` is this tenant or below it."""
        return other.locator.startswith(self.locator)


COLUMNS = (Tenant.id, Tenant.uuid, Tenant.branch_id, Tenant.locator, Tenant.name)


def node(row: tuple) -> Node:  # type: ignore[type-arg]
    """The tenant that a row of COLUMNS describes."""
    number, uuid, branch, locator, name = row
    return Node(number, UUID(bytes=bytes(uuid)) if uuid else None, branch, locator, name)


def found(database: Database, column: Field, values: Iterable[Any]) -> list[Node]:
    """The tenants whose `column` has one of `values`."""
    nodes: list[Node] = []
    for some in batches(values):
        padded = Among(column.column_name, tuple(some)).parameters

        def build(count: int = len(padded)) -> Any:
            return Tenant.select(*COLUMNS).where(column.in_(marks(0, count))).tuples()

        shape = ("nodes", column.column_name, len(padded))
        nodes += map(node, fetch(database, shape, build, padded))
    return nodes


def by_uuid(database: Database, uuid: UUID) -> Node | None:
    """The tenant with this UUID, or None."""
    return by_uuids(database, [uuid]).get(uuid)


def by_uuids(database: Database, uuids: Iterable[UUID]) -> dict[UUID | None, Node]:
    """The tenants with these UUIDs, by UUID; unknown ones are left out."""
    keys = {uuid.bytes for uuid in uuids}
    return {one.uuid: one for one in found(database, Tenant.uuid, keys)}


def by_ids(database: Database, ids: Iterable[int]) -> dict[int, Node]:
    """The tenants with these numbers, by number; unknown ones are left out."""
    return {one.id: one for one in found(database, Tenant.id, set(ids))}


def subtree(database: Database, top: Node) -> list[Node]:
    """`top` and all tenants below it, in order of locator."""
    query = Tenant.select(*COLUMNS).order_by(Tenant.locator).tuples()
    if not top.root:
        query = query.where(Tenant.locator.startswith(top.locator))
    return [node(row) for row in database.select(query)]


def root(database: Database) -> Node:
    """The root, which the migrations made."""
    return by_ids(database, [ROOT])[ROOT]


def named(name: str) -> str:
    """`name` when it can name a tenant. Raises BadRequest."""
    if not 0 < len(name) <= TEXT or not name.isprintable() or name != name.strip():
        message = f"must be 1 to {TEXT} printable characters without blanks at its ends"
        raise BadRequest([Fault("name", name[:100], f"the name {message}")])
    return name


def inserted(database: Database, new: Node, parent_id: int) -> None:
    """Write a new tenant, in the transaction that is open."""
    row = {
        "id": new.id, "uuid": new.uuid.bytes if new.uuid else None, "parent_id": parent_id,
        "branch_id": new.branch_id, "locator": new.locator, "name": new.name,
    }  # fmt: skip
    sentences.insert(database, "tenants", row)


def below(parent: Node, number: int, uuid: UUID | None, name: str | None) -> Node:
    """The tenant `number` as a child of `parent`."""
    branch = number if parent.root else parent.branch_id
    return Node(number, uuid, branch, f"{parent.locator}{number}/", name)


def last_number(database: Database) -> int:
    """The largest number that a tenant has or had."""
    present = int(database.select(Tenant.select(fn.MAX(Tenant.id)).tuples())[0][0])
    return max(present, invariants.known(database).get(GONE, 0))


def create(database: Database, name: str, parent: Node, uuid: UUID | None = None) -> Node:
    """A new tenant under `parent`, with a UUID of its own unless one is given.

    Raises BadRequest, and peewee.IntegrityError when the UUID is taken.
    """
    named(name)
    with database.write_transaction():
        new = below(parent, last_number(database) + 1, uuid or uuid4(), name)
        inserted(database, new, parent.id)
    return new


def rename(database: Database, node: Node, name: str) -> Node:
    """The tenant bears this name. Raises BadRequest."""
    with database.write_transaction():
        database.change(Tenant.update(name=named(name)).where(Tenant.id == node.id))
        invariants.tenants_changed(database)
    return replace(node, name=name)


def disable(database: Database, node: Node, since: int | None) -> None:
    """Clients and users of the subtree get no new token, `since` then; None: they do again."""
    with database.write_transaction():
        database.change(Tenant.update(disabled_at=since).where(Tenant.id == node.id))


DISABLED = Tenant.select(Tenant.id, Tenant.disabled_at).where(Tenant.disabled_at.is_null(False))


def disabled(database: Database) -> dict[int, int]:
    """The disabled tenants: number to since when."""
    return dict(database.select(DISABLED.tuples()))


def barred(database: Database, number: int) -> bool:
    """Whether the tenant with this number, or one above it, is disabled."""
    locator = by_ids(database, [number])[number].locator
    path = [int(step) for step in locator.strip("/").split("/")]
    return bool(database.select(DISABLED.where(Tenant.id.in_(path)).tuples()))
