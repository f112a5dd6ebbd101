"""The few rows whose times lie further apart than those of all others.

One task that waited for months would make the bounds of its collection as wide for good. Beyond
`FLOOR` a row is listed instead, and need not keep to the bounds: whoever relies on them looks at
the rows listed as well. A row stays listed whatever becomes of it; one that is gone makes room.
"""

from collections.abc import Sequence

from app.catalog.rows import Catalog
from app.catalog.times import SECOND
from app.database import Database
from app.models import Invariant
from app.repository import invariants
from app.repository.invariants import Bounds

FLOOR = SECOND << 14
"""Four and a half hours: up to here bounds are as wide as any row needs."""
MOST = 400
"""Rows of a collection that are listed at most; after that bounds widen again."""

Times = Sequence[int | None]


def prefix(catalog: Catalog) -> str:
    """How the names of the rows listed begin."""
    return f"{catalog.plural} apart "


def name(catalog: Catalog, row: int) -> str:
    """The name under which a row is listed."""
    return f"{prefix(catalog)}{row}"


def ids(catalog: Catalog, bounds: Bounds) -> tuple[int, ...]:
    """The rows listed, by id."""
    begin = prefix(catalog)
    return tuple(sorted(row for known, row in bounds.items() if known.startswith(begin)))


def note(database: Database, catalog: Catalog, row: int, times: Times) -> None:
    """Keep the bounds true for a row, with its `times` in order, about to be written in the
    transaction that is open: it keeps to them, or is listed."""
    bounds = invariants.known(database)
    if name(catalog, row) in bounds:
        return
    needed = invariants.needed(catalog, (times,))
    far = any(value > max(FLOOR, bounds.get(bound, 0)) for bound, value in needed.items())
    if far and room(database, catalog, bounds):
        invariants.changed(database)
        add(database, catalog, row)
    else:
        invariants.widen(database, needed)


def add(database: Database, catalog: Catalog, row: int) -> None:
    """`row` is listed, once the open transaction is committed."""
    listed = Invariant.insert(name=name(catalog, row), value=row)
    database.change(listed.on_conflict_ignore())


def room(database: Database, catalog: Catalog, bounds: Bounds) -> bool:
    """Whether one more row can be listed; those that are gone no longer are."""
    listed = ids(catalog, bounds)
    if len(listed) < MOST:
        return True
    key = catalog.model.id
    there = {row[0] for row in database.select(
        catalog.model.select(key).where(key.in_(listed)).tuples())}  # fmt: skip
    gone = [name(catalog, row) for row in listed if row not in there]
    if not gone:
        return False
    invariants.changed(database)
    database.change(Invariant.delete().where(Invariant.name.in_(gone)))
    return True
