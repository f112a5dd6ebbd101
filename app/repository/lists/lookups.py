"""What the numbers in rows stand for: text of dictionaries, objects of policies, tenants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.catalog import shapes
from app.connections import Row
from app.database import Database
from app.models import Tenant
from app.repository import dictionaries
from app.repository.predicates import Among, marks
from app.repository.statements import fetch
from app.repository.tenants import Node

Object = dict[str, Any]
Lookup = dict[str, dict[Any, Any]]
"""What a page's numbers stand for, by need: text, or an object's members."""

TENANTS = "tenants shown"
"""Where a database's memory keeps the version of the tenants, and those known at it."""
NOTHING = frozenset((None, 0))
"""What stands for nothing where a number is kept: no entry has it."""
NONE: dict[Any, Any] = {}
DICTIONARIES = {
    "types": dictionaries.TYPES,
    "queues": dictionaries.QUEUES,
    "users": dictionaries.USERS,
    "agents": dictionaries.AGENTS,
    "policies": dictionaries.POLICIES,
    "resources": dictionaries.RESOURCES,
}


@dataclass(frozen=True, eq=False)
class Need:
    """Numbers at some places of a row that are shown in one shape."""

    shape: shapes.Shape
    places: list[int] = field(default_factory=list)


def members(entry: Sequence[Any], shape: shapes.Entry) -> Any:
    """A dictionary's entry as an attribute: its text, or an object of what is there of it."""
    if not shape.members:
        return entry[0]
    pairs = zip(shape.members, entry, strict=True)
    return {name: text for name, text in pairs if shape.blanks or text not in (None, "")}


@lru_cache(maxsize=8_192)
def tenant_member(number: int, uuid: bytes | None, locator: str, name: str | None) -> Object:
    """A tenant as answers show it; what is not known of it is left out."""
    shown = {
        "id": str(number),
        "uuid": str(UUID(bytes=uuid)) if uuid else None,
        "locator": locator,
        "name": name,
    }
    return {key: value for key, value in shown.items() if value is not None}


def shown(node: Node) -> Object:
    """The same of a tenant that was found."""
    return tenant_member(node.id, node.uuid.bytes if node.uuid else None, node.locator, node.name)


def tenants(database: Database, wanted: set[int], version: int | None) -> dict[int, Object]:
    """The tenants with these numbers as answers show them.

    They may be renamed: what was read is remembered for one `version` of the tenants, and not at
    all when that is None.
    """
    shown = remembered(database, version)
    for some in dictionaries.batches(wanted.difference(shown)):
        padded = Among("id", tuple(some)).parameters

        def build(count: int = len(padded)) -> Any:
            query = Tenant.select(Tenant.id, Tenant.uuid, Tenant.locator, Tenant.name)
            return query.where(Tenant.id.in_(marks(0, count))).tuples()

        for row in fetch(database, ("tenants", len(padded)), build, padded):
            shown[row[0]] = tenant_member(*row)
    return shown


def remembered(database: Database, version: int | None) -> dict[int, Object]:
    """The tenants known at `version`, to be added to; none when another version is newer."""
    kept: tuple[int, dict[int, Object]] = database.memory.get(TENANTS, (-1, {}))
    newest, shown = kept
    if version is None or version < newest:
        return {}
    if version > newest or len(shown) > dictionaries.REMEMBERED:
        shown = {}
        database.memory[TENANTS] = version, shown
    return shown


def of_page(
    database: Database,
    needs: dict[str, Need],
    rows: Sequence[Row],
    version: int | None,
    owners: Mapping[int, Object],
) -> Lookup:
    """What the numbers in `rows` stand for, by the name of the need.

    `owners`: the tenants that are known already.
    """
    found: Lookup = {}
    for name, need in needs.items():
        wanted = {row[place] for place in need.places for row in rows} - NOTHING
        if isinstance(need.shape, shapes.Entry):
            found[name] = looked_up(database, name, need.shape, wanted)
        elif wanted <= owners.keys():
            found[name] = dict(owners)
        else:
            found[name] = tenants(database, wanted, version)
    return found


def looked_up(
    database: Database, name: str, shape: shapes.Entry, wanted: set[Any]
) -> dict[Any, Any]:
    """The attributes that the numbers in `wanted` stand for."""
    if not wanted:
        return NONE
    shown: dict[Any, Any] = database.memory.setdefault(("shown", name), {})
    if len(shown) > dictionaries.REMEMBERED:
        shown = database.memory[("shown", name)] = {}
    missing = wanted.difference(shown)
    if missing:
        entries = dictionaries.entries_of(database, DICTIONARIES[shape.dictionary], missing)
        shown.update(
            (number, members(entries[number], shape)) for number in missing if number in entries
        )
    return shown
