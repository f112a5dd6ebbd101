"""Which row a path names: the quick way for calls that write.

A task that takes a step is read once, with all that the answer shows: what the step changes of it
is known without looking again.
"""

from collections.abc import Callable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from app.catalog.kinds import LARGEST_ID, UUID
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.connections import Row
from app.database import Database
from app.repository.lists import lookups, projection
from app.repository.lists.lookups import Object
from app.repository.sentences import rows
from app.repository.tenants import Node
from app.repository.work import facts
from app.transitions import Facts
from app.vocabulary import Lod

BESIDE = {
    name: "td"[table] + "." + name
    for table, name, _ in projection.plan_of(TASKS, Lod.FULL).sources
    if name not in Facts._fields
}
"""The columns, as statements name them, that answers show and no step looks at."""
OWNER = "n.id, n.uuid, n.locator, n.name"
WHOLE = f"SELECT {facts.COLUMNS}, {', '.join(BESIDE.values())}, {OWNER} {facts.SOURCE}"


class Sight(NamedTuple):
    """A task as it was found: its facts, and what else answers show of it."""

    facts: Facts
    beside: Row
    """The columns of BESIDE."""
    owner: Object
    """Its tenant, as answers show it."""


def key_of(key: str) -> tuple[str, int | bytes] | None:
    """The column and the value that `key`, digits or a UUID, speaks of; None: no row has it."""
    if key.isascii() and key.isdigit() and len(key) <= 19 and int(key) <= LARGEST_ID:
        return "id", int(key)
    if UUID.fullmatch(key):
        return "uuid", bytes.fromhex(key.replace("-", ""))
    return None


@cache
def seeking(head: str, column: str) -> str:
    """The statement that `head`, SELECT and FROM, begins, for a row found by `column` in a tree."""
    where = f"WHERE t.{column} = ? AND n.locator >= ? AND n.locator < ?"
    return f"{head} JOIN tenants n ON n.id = t.tenant_id {where}"


def sought(database: Database, key: str, node: Node, head: str) -> list[Row]:
    """The row `t` that `key` names within the subtree of `node`. `head`: SELECT and FROM."""
    named = key_of(key)
    if named is None:
        return []
    # "0" follows "/": everything that begins with the locator lies between.
    values = named[1], node.locator, node.locator[:-1] + "0"
    return rows(database, seeking(head, named[0]), values)


def identify(
    database: Database, catalog: Catalog, key: str, node: Node, allow_deleted: bool = False
) -> int | None:
    """The number of the row that `key` names within the subtree of `node`."""
    head = " ".join(("SELECT t.id, t.deleted_at FROM", catalog.plural, "t"))
    found = sought(database, key, node, head)
    return int(found[0][0]) if found and (allow_deleted or found[0][1] is None) else None


def task_of(database: Database, key: str, node: Node) -> Facts | None:
    """The facts of the task that `key` names within the subtree of `node`, unless it is deleted."""
    found = sought(database, key, node, facts.SELECT)
    seen = Facts._make(found[0]) if found else None
    return seen if seen and seen.deleted_at is None else None


def sight_of(database: Database, key: str, node: Node) -> Sight | None:
    """The same with all that an answer shows, for who is about to change it and to be shown it."""
    found = sought(database, key, node, WHOLE)
    if not found:
        return None
    row, own = found[0], len(Facts._fields)
    seen = Facts._make(row[:own])
    end = own + len(BESIDE)
    owner = lookups.tenant_member(*row[end:])
    return Sight(seen, row[own:end], owner) if seen.deleted_at is None else None


@cache
def picking(lod: Lod) -> Callable[[Row], Row]:
    """What takes the columns that `lod` shows from facts and the columns of BESIDE."""
    names = (*Facts._fields, *BESIDE)
    plan = projection.plan_of(TASKS, lod)
    return itemgetter(*[names.index(name) for _, name, _ in plan.sources])


def changed(
    database: Database, lod: Lod, seen: Sight, new: Facts, wrote: Mapping[str, Any]
) -> Object:
    """The task that was `seen`, now with `new` facts, at a level below `debug`; nothing is read.

    `wrote`: columns of BESIDE that have changed as well.
    """
    beside = seen.beside
    if wrote:
        beside = tuple(map(wrote.get, BESIDE, beside))
    columns = picking(lod)((*new, *beside))
    owners = {new.tenant_id: seen.owner}
    return projection.shaped(database, projection.plan_of(TASKS, lod), [columns], owners=owners)[0]
