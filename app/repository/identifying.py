"""Which row a path names: the quick way for calls that write, which show nothing of it yet."""

from typing import Any

from app.catalog.kinds import LARGEST_ID, UUID
from app.catalog.rows import Catalog
from app.database import Database
from app.repository import facts
from app.repository.sentences import rows
from app.repository.tenants import Node
from app.transitions import Facts


def key_of(key: str) -> tuple[str, int | bytes] | None:
    """The column and the value that `key`, digits or a UUID, speaks of; None: no row has it."""
    if key.isascii() and key.isdigit() and len(key) <= 19 and int(key) <= LARGEST_ID:
        return "id", int(key)
    if UUID.fullmatch(key):
        return "uuid", bytes.fromhex(key.replace("-", ""))
    return None


def sought(database: Database, key: str, node: Node, *head: str) -> list[tuple[Any, ...]]:
    """The row `t` that `key` names within the subtree of `node`. `head`: SELECT and FROM."""
    named = key_of(key)
    if named is None:
        return []
    words = [*head, "JOIN tenants n ON n.id = t.tenant_id WHERE", f"t.{named[0]} = ?",
             "AND n.locator >= ? AND n.locator < ?"]  # fmt: skip
    # "0" follows "/": everything that begins with the locator lies between.
    return rows(database, " ".join(words), (named[1], node.locator, node.locator[:-1] + "0"))


def identify(
    database: Database, catalog: Catalog, key: str, node: Node, allow_deleted: bool = False
) -> int | None:
    """The number of the row that `key` names within the subtree of `node`."""
    found = sought(database, key, node, "SELECT t.id, t.deleted_at FROM", catalog.plural, "t")
    return int(found[0][0]) if found and (allow_deleted or found[0][1] is None) else None


def task_of(database: Database, key: str, node: Node) -> Facts | None:
    """The facts of the task that `key` names within the subtree of `node`, unless it is deleted."""
    found = sought(database, key, node, facts.SELECT)
    seen = Facts._make(found[0]) if found else None
    return seen if seen and seen.deleted_at is None else None
