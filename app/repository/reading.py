"""One task or activity, found by its number or its UUID within a tenant's subtree."""

from typing import Any

from app.catalog.kinds import LARGEST_ID, UUID
from app.catalog.rows import Catalog
from app.database import Database
from app.models import Tenant
from app.repository import projection
from app.repository.tenants import Node
from app.vocabulary import Lod


def keyed(catalog: Catalog, key: str) -> Any | None:
    """The condition that `key`, digits or a UUID, names one row; None when it can name none."""
    if key.isascii() and key.isdigit() and len(key) <= 19 and int(key) <= LARGEST_ID:
        return catalog.model.id == int(key)
    if UUID.fullmatch(key):
        return catalog.model.uuid == bytes.fromhex(key.replace("-", ""))
    return None


def visible(catalog: Catalog, node: Node) -> Any | None:
    """The condition that a row's tenant is in the subtree of `node`; None: every row's is."""
    if node.root:
        return None
    below = Tenant.select(Tenant.id).where(Tenant.locator.startswith(node.locator))
    return catalog.model.tenant_id.in_(below)


def number_of(
    database: Database, catalog: Catalog, key: str, node: Node, allow_deleted: bool = False
) -> int | None:
    """The number of the row that `key` names, or None where the subtree of `node` has none."""
    condition = keyed(catalog, key)
    if condition is None:
        return None
    query = catalog.model.select(catalog.model.id).where(condition)
    if not allow_deleted:
        query = query.where(catalog.model.deleted_at.is_null())
    if (within := visible(catalog, node)) is not None:
        query = query.where(within)
    rows = database.select(query.tuples())
    return rows[0][0] if rows else None


def find(
    database: Database, catalog: Catalog, key: str, lod: Lod, node: Node, allow_deleted: bool
) -> dict[str, Any] | None:
    """The object that `key` names at `lod`, or None where the subtree of `node` has none."""
    with database.read_transaction():
        number = number_of(database, catalog, key, node, allow_deleted)
        if number is None:
            return None
        return projection.objects(database, catalog, lod, [number])[number]
