"""One task or activity, found by its number or its UUID within a tenant's subtree."""

from typing import Any

from app.catalog.kinds import LARGEST_ID, UUID
from app.catalog.rows import Catalog
from app.database import Database
from app.repository.lists import projection
from app.repository.lists.elsewhere import Beneath
from app.repository.lists.walking import run
from app.repository.lists.walks import Head, Walk
from app.repository.predicates import Among, Missing, Predicate
from app.repository.tenants import Node
from app.vocabulary import Lod


def named(key: str) -> Among | None:
    """The demand that `key`, digits or a UUID, names the row; None when it can name none."""
    if key.isascii() and key.isdigit() and len(key) <= 19 and int(key) <= LARGEST_ID:
        return Among("id", (int(key),))
    if UUID.fullmatch(key):
        return Among("uuid", (bytes.fromhex(key.replace("-", "")),))
    return None


def find(
    database: Database, catalog: Catalog, key: str, lod: Lod, node: Node, allow_deleted: bool
) -> dict[str, Any] | None:
    """The object that `key` names at `lod`, or None where the subtree of `node` has none."""
    named_by = named(key)
    if named_by is None:
        return None
    demands: list[Predicate] = [named_by]
    if not allow_deleted:
        demands.append(Missing("deleted_at", True))
    if not node.root:
        demands.append(Beneath("tenant_id", node.locator))
    walk = Walk(tuple(demands), "id", False)
    if not projection.plan_of(catalog, lod).attempts:
        return first(database, catalog, lod, walk)
    return database.at_one_moment(lambda: first(database, catalog, lod, walk))


def first(database: Database, catalog: Catalog, lod: Lod, walk: Walk) -> dict[str, Any] | None:
    """The first object of `walk`: by one statement, but for the attempts."""
    plan = projection.plan_of(catalog, lod)
    head = Head(lod.value, plan.columns, catalog.details if plan.detailed else None)
    rows = run(database, catalog, walk, head, 1)
    return projection.shaped(database, plan, rows)[0] if rows else None
