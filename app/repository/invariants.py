"""Bounds that hold for all rows of a collection, and what they imply.

Lists walk one index; a condition on another time bounds that walk when it is known how far the two
times of one row can lie apart. The bounds only ever widen, in the transaction that writes a row
which needs it, and are rounded up to powers of two so that they rarely change: a plan that relies
on them is never wrong.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from peewee import fn

from app.catalog.rows import Catalog
from app.catalog.times import FIRST, LAST, SECOND
from app.database import Database
from app.models import Invariant
from app.repository.predicates import Span, marks
from app.repository.statements import fetch

MICROSECOND = 1_000
UNBOUND = 2**62
"""A distance that implies nothing: some row lacks the time that the others are measured from."""
UNORDERED = "ids do not grow with time"
PAGE = 10_000
"""Rows that are looked at together."""
TENANTS = "changes of tenants"
"""How often a tenant was renamed or removed: what was read of tenants is good until it grows."""
LOADS = "loads of tasks"
"""How often tasks were imported: claims that wait look for work when it has grown."""

VERSION = "version"
"""How often any of them was changed: what a process remembers is good while this stays."""
REMEMBERED = "invariants"
"""Where a database's memory keeps them."""

Bounds = dict[str, int]
"""Name of an invariant to its value; one that is not there is 0."""


def birth(catalog: Catalog) -> str:
    """The column of the time from which a row's other times are measured."""
    return "enqueued_at" if catalog.name == "task" else "created_at"


def times(catalog: Catalog) -> tuple[str, ...]:
    """The columns of a row's times, its birth first."""
    if catalog.name == "task":
        return ("enqueued_at", "assigned_at", "started_at", "updated_at", "completed_at")
    return ("created_at", "started_at", "updated_at", "completed_at")


def rounded(distance: int) -> int:
    """The least power of two of seconds that is not below `distance`; 0 for none."""
    if distance <= 0:
        return 0
    return SECOND << (-(-distance // SECOND) - 1).bit_length()


def after(catalog: Catalog, column: str) -> str:
    """The name of the bound: how long after its birth a row can have this time."""
    return f"{catalog.plural}.{column} after"


def before(catalog: Catalog, column: str) -> str:
    """The name of the bound: how long before its birth a row can have this time."""
    return f"{catalog.plural}.{column} before"


def unordered(catalog: Catalog) -> str:
    """The name of the mark that ids do not grow with the time of birth."""
    return f"{catalog.plural}: {UNORDERED}"


def measured(catalog: Catalog) -> str:
    """The name of the mark that the bounds are being measured: nothing relies on them."""
    return f"{catalog.plural}: being measured"


def needed(catalog: Catalog, rows: Iterable[Sequence[int | None]]) -> Bounds:
    """The bounds that `rows`, each with its `times` in order, need."""
    births, *columns = list(zip(*rows, strict=True)) or [()]
    bounds = {}
    for column, moments in zip(times(catalog)[1:], columns, strict=False):
        late, early = apart(births, moments)
        bounds[after(catalog, column)] = min(rounded(late), UNBOUND)
        bounds[before(catalog, column)] = min(rounded(early), UNBOUND)
    return {name: value for name, value in bounds.items() if value}


@cache
def names(catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """The names of the bounds of each time behind the first: how long after, and before."""
    return tuple((after(catalog, one), before(catalog, one)) for one in times(catalog)[1:])


def hold(catalog: Catalog, bounds: Bounds, rows: Iterable[Sequence[int | None]]) -> bool:
    """Whether `bounds` are large enough for `rows`, as they nearly always are: told quicker than
    what they need."""
    named = names(catalog)
    for born, *moments in rows:
        for moment, (late, early) in zip(moments, named, strict=True):
            if moment is not None and (
                born is None
                or moment - born > bounds.get(late, 0)
                or born - moment > bounds.get(early, 0)
            ):
                return False
    return True


def apart(births: Sequence[int | None], moments: Sequence[int | None]) -> tuple[int, int]:
    """How far behind and how far before their births `moments` lie at most."""
    pairs = [(born, at) for born, at in zip(births, moments, strict=True) if at is not None]
    distances = [at - born for born, at in pairs if born is not None]
    if len(distances) < len(pairs):
        return UNBOUND, UNBOUND
    return max(distances, default=0), -min(distances, default=0)


def known(database: Database) -> Bounds:
    """All bounds as they stand in this transaction."""
    build = Invariant.select(Invariant.name, Invariant.value).tuples
    return dict(fetch(database, "invariants", build, ()))


def remembered(database: Database) -> Bounds:
    """All bounds as this process saw them last: good while their version is the same."""
    kept: Bounds | None = database.memory.get(REMEMBERED)
    return known_anew(database) if kept is None else kept


def known_anew(database: Database) -> Bounds:
    """All bounds as they stand, which are remembered."""
    kept: Bounds = known(database)
    database.memory[REMEMBERED] = kept
    return kept


def version() -> Any:
    """The bounds' version, as a column for rows that are read by what is remembered of them."""
    return Invariant.select(Invariant.value).where(Invariant.name == VERSION)


def changed(database: Database, name: str = VERSION) -> None:
    """One change more is counted under `name`, in the transaction that is open."""
    counted = Invariant.update(value=Invariant.value + 1).where(Invariant.name == name)
    if not database.change(counted):
        database.change(Invariant.insert(name=name, value=0).on_conflict_ignore())
        database.change(counted)


def widen(database: Database, bounds: Bounds) -> None:
    """Make the kept bounds no smaller than `bounds`, in the transaction that is open."""
    if not bounds:
        return
    kept = known(database)
    wider = {name: value for name, value in bounds.items() if kept.get(name, 0) < value}
    if wider:
        changed(database)
    for name, value in wider.items():
        if name not in kept:
            # IGNORE: another writer may have it already, in a transaction that was still open.
            database.change(Invariant.insert(name=name, value=value).on_conflict_ignore())
        row = Invariant.update(value=value).where(Invariant.name == name)
        database.change(row.where(Invariant.value < value))


def tenants_changed(database: Database) -> None:
    """What other processes remember of tenants is void, once the open transaction is committed."""
    changed(database)
    changed(database, TENANTS)


def note(database: Database, catalog: Catalog, rows: Iterable[Sequence[int | None]]) -> None:
    """Keep the bounds true for `rows` (each its `times` in order) about to be written."""
    widen(database, needed(catalog, rows))


def gap(catalog: Catalog) -> tuple[str, str]:
    """The names of the ids between which rows made here fall, where ids from elsewhere are beyond
    ours: as soon as there is one, ids do not grow with time."""
    return f"{catalog.plural}: our ids above", f"{catalog.plural}: our ids below"


def overtaken(database: Database, catalog: Catalog, low: int, high: int) -> bool:
    """Whether among the ids from `low` to `high` and their neighbours a larger was born earlier."""
    model: Any = catalog.model
    born = model._meta.columns[birth(catalog)]
    rows = model.select(model.id, born).where(born.is_null(False)).order_by(model.id)
    before = rows.order_by(model.id.desc()).where(model.id < low).limit(1)
    seen = database.select(before.tuples())
    latest, last = (seen[0][1] if seen else None), low - 1
    while last < high:
        # The last page reaches one row beyond `high`. No window function: MariaDB's takes hours.
        page = database.select(rows.where(model.id > last).limit(PAGE).tuples())
        for last, moment in page:
            if latest is not None and moment < latest:
                return True
            latest = moment
            if last > high:
                return False
        if len(page) < PAGE:
            return False
    return False


def check_order(database: Database, catalog: Catalog, now: int, low: int, high: int) -> None:
    """Remember how the ids of a collection follow the time of birth, after rows with ids from
    `low` to `high` came from elsewhere. `now`: epoch nanoseconds."""
    model = catalog.model
    born = model._meta.columns[birth(catalog)]
    if not known(database).get(unordered(catalog)):
        early = model.select(model.id).where(born > now).limit(1)
        if overtaken(database, catalog, low, high) or database.select(early.tuples()):
            widen(database, {unordered(catalog): 1})
    edge = now // MICROSECOND
    low = database.select(model.select(fn.MAX(model.id)).where(model.id < edge).tuples())[0][0]
    high = database.select(model.select(fn.MIN(model.id)).where(model.id >= edge).tuples())[0][0]
    changed(database)
    database.change(Invariant.delete().where(Invariant.name.in_(gap(catalog))))
    if high is not None:
        for name, value in zip(gap(catalog), (low or 0, high), strict=True):
            database.change(Invariant.insert(name=name, value=value))


def settled(catalog: Catalog, bounds: Bounds) -> bool:
    """Whether `bounds` alone tell if a later birth means a larger id."""
    return bool(bounds.get(unordered(catalog))) or gap(catalog)[1] not in bounds


def ordered(database: Database, catalog: Catalog, bounds: Bounds) -> bool:
    """Whether a later birth means a larger id, for all rows of this moment."""
    if settled(catalog, bounds):
        return not bounds.get(unordered(catalog))
    above, below = gap(catalog)
    key = catalog.model.id

    def build() -> Any:
        low, high = marks(0, 2)
        return catalog.model.select(key).where((key > low) & (key < high)).limit(1).tuples()

    shape = ("gap", catalog.name)
    return not fetch(database, shape, build, (bounds[above], bounds[below]))


def implied(catalog: Catalog, bounds: Bounds, span: Span, target: str) -> Span | None:
    """What `span`, a bound on one time, says of another time of the same row; None: nothing."""
    low, high = span.low, span.high
    born = birth(catalog)
    if span.column != born:
        late = bounds.get(after(catalog, span.column), 0)
        early = bounds.get(before(catalog, span.column), 0)
        low = None if low is None or late >= UNBOUND else low - late
        high = None if high is None or early >= UNBOUND else high + early
    if target != born:
        late = bounds.get(after(catalog, target), 0)
        early = bounds.get(before(catalog, target), 0)
        low = None if low is None or early >= UNBOUND else low - early
        high = None if high is None or late >= UNBOUND else high + late
    # No row has such a time, and no engine a number for it.
    low = None if low is None or low < FIRST else low
    high = None if high is None or high > LAST else high
    return None if low is None and high is None else Span(target, low, high)
