"""The tree of tenants: finding, making and naming its nodes."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.database import Database
from app.models import Tenant

ROOT = 1


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


def by_uuid(database: Database, uuid: UUID) -> Node | None:
    """The tenant with this UUID, or None."""
    rows = database.select(Tenant.select(*COLUMNS).where(Tenant.uuid == uuid.bytes).tuples())
    return node(rows[0]) if rows else None


def by_ids(database: Database, ids: Iterable[int]) -> dict[int, Node]:
    """The tenants with these numbers, by number; unknown ones are left out."""
    rows = database.select(Tenant.select(*COLUMNS).where(Tenant.id.in_(list(ids))).tuples())
    return {row[0]: node(row) for row in rows}


def subtree(database: Database, top: Node) -> list[Node]:
    """`top` and all tenants below it, in order of locator."""
    query = Tenant.select(*COLUMNS).order_by(Tenant.locator).tuples()
    if not top.root:
        query = query.where(Tenant.locator.startswith(top.locator))
    return [node(row) for row in database.select(query)]
