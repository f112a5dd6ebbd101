"""Which row a path names: the quick way for calls that write, which show nothing of it yet."""

from app.catalog.kinds import LARGEST_ID, UUID
from app.catalog.rows import Catalog
from app.database import Database
from app.repository.sentences import rows
from app.repository.tenants import Node


def identify(
    database: Database, catalog: Catalog, key: str, node: Node, allow_deleted: bool = False
) -> int | None:
    """The number of the row that `key`, digits or a UUID, names within the subtree of `node`."""
    value: int | bytes
    if key.isascii() and key.isdigit() and len(key) <= 19 and int(key) <= LARGEST_ID:
        column, value = "e.id", int(key)
    elif UUID.fullmatch(key):
        column, value = "e.uuid", bytes.fromhex(key.replace("-", ""))
    else:
        return None
    words = ["SELECT e.id FROM", catalog.plural, "e JOIN tenants n ON n.id = e.tenant_id WHERE",
             column, "= ? AND n.locator >= ? AND n.locator < ?"]  # fmt: skip
    if not allow_deleted:
        words.append("AND e.deleted_at IS NULL")
    # "0" follows "/": everything that begins with the locator lies between.
    within = (node.locator, node.locator[:-1] + "0")
    found = rows(database, " ".join(words), (value, *within))
    return int(found[0][0]) if found else None
