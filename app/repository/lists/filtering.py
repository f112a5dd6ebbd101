"""From what a request asks to predicates: names become numbers, words codes, times bounds."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from app.catalog.kinds import Like, OneOf, Uuid, When
from app.catalog.rows import DELETED, TAGGED, Catalog, Filter, Members
from app.catalog.times import FIRST, LAST
from app.database import Database
from app.models import Tag, Tenant
from app.repository.lists.elsewhere import Containing, Within, matching
from app.repository.lists.query import Values
from app.repository.predicates import (
    Among,
    Differs,
    Missing,
    Predicate,
    Predicates,
    Span,
    Tagged,
    marks,
)
from app.repository.statements import fetch
from app.repository.tenants import Node

MOST_ENTRIES = 1_000
"""Entries of a dictionary that are listed one by one; more are left to the database."""
MOST_TENANTS = 64
"""Tenants of a subtree that are listed one by one."""


def predicates(
    database: Database, catalog: Catalog, values: Values, node: Node
) -> Predicates | None:
    """What rows must satisfy; None when none can (a name that nobody ever used)."""
    rows = demands(database, catalog, values)
    return None if rows is None else seen(database, rows, values, node)


def demands(database: Database, catalog: Catalog, values: Values) -> Predicates | None:
    """What the filters alone demand, whoever asks; None when no row can satisfy it."""
    rows: list[Predicate] = []
    for name, entries in values.items():
        found = demanded(database, catalog.filter_of[name], entries)
        if found is None:
            return None
        rows += found
    return merged(rows)


def seen(database: Database, rows: Predicates, values: Values, node: Node) -> Predicates | None:
    """`rows` with what is demanded besides of all that a caller sees; None when nothing is left."""
    hidden = () if deleted_too(values) else (Missing("deleted_at", True),)
    return merged([*rows, *owned(database, node), *hidden])


def deleted_too(values: Values) -> bool:
    """Whether deleted rows are asked for as well."""
    return values.get("allow_deleted") == [True]


def demanded(database: Database, row: Filter, entries: list[Any]) -> list[Predicate] | None:
    """What one filter demands; None when nothing can satisfy it."""
    if row.target is DELETED:
        return []
    if row.target is TAGGED:
        tags = numbers(database, Members(Tag.id, Tag.name), entries, ())
        return [Tagged("id", tags)] if tags else None
    if isinstance(row.target, Members):
        return named(database, row, row.target, entries)
    column = row.target.column_name  # type: ignore[union-attr]
    if isinstance(row.kind, When):
        return timed(column, *entries[0])
    return [Among(column, tuple(sorted({coded(row, entry) for entry in entries})))]


def coded(row: Filter, entry: Any) -> Any:
    """An entry as the column holds it."""
    if isinstance(row.kind, OneOf):
        return row.kind.words(entry).code
    if isinstance(row.kind, Uuid):
        return bytes.fromhex(entry.replace("-", ""))
    return int(entry)


def timed(column: str, operator: str, *moments: int) -> list[Predicate]:
    """What a comparison with a time demands."""
    begin = moments[0] if moments else 0
    match operator:
        case "isnull":
            return [Missing(column, True)]
        case "notnull":
            return [Missing(column, False)]
        case "ne":
            return [Differs(column, begin)]
        case "lt":
            return [Span(column, None, begin - 1)]
        case "le":
            return [Span(column, None, begin)]
        case "gt":
            return [Span(column, begin + 1, None)]
        case "ge":
            return [Span(column, begin, None)]
        case "between":
            return [Span(column, begin, moments[1] - 1)]
        case _:
            return [Span(column, begin, begin)]


def named(
    database: Database, row: Filter, target: Members, entries: list[Any]
) -> list[Predicate] | None:
    """What a filter by the text of a dictionary's entries demands."""
    column = target.column.column_name
    pairs = entries if isinstance(row.kind, Like) else [("is", entry) for entry in entries]
    literals = tuple(sorted({text for operator, text in pairs if operator == "is"}))
    patterns = tuple(sorted({text for operator, text in pairs if operator == "like"}))
    found = numbers(database, target, literals, patterns)
    if len(found) > MOST_ENTRIES:
        return [Containing(column, target, patterns, literals)]
    return [Among(column, found)] if found else None


def numbers(
    database: Database, row: Members, literals: Sequence[str], patterns: Sequence[str]
) -> tuple[int, ...]:
    """Numbers of the entries that match, in order; at most one more than are listed one by one,
    or all where only names are asked for: each has one entry at most."""
    texts = (*patterns, *literals)
    count = len(patterns)
    most = MOST_ENTRIES + 1 if count or row.column is not row.member.model.id else len(texts)
    entries: Any = row.member.model

    def build() -> Any:
        condition = matching(row, marks(0, len(texts)), count)
        return entries.select(entries.id).where(condition).limit(most).tuples()

    shape = ("numbers", entries.__name__, row.member.name, count, len(texts), most)
    return tuple(sorted(found[0] for found in fetch(database, shape, build, texts)))


def owned(database: Database, node: Node) -> list[Predicate]:
    """What visibility demands: the row's tenant is `node` or below it."""
    if node.root:
        return []
    if node.id == node.branch_id:
        return [Among("branch_id", (node.id,))]
    tenants = below(database, node.id)
    if len(tenants) <= MOST_TENANTS:
        return [Among("tenant_id", tuple(sorted(tenants)))]
    return [Among("branch_id", (node.branch_id,)), Within("tenant_id", node.locator)]


def below(database: Database, top: int) -> list[int]:
    """Numbers of `top` and its descendants; the search ends when they are too many to list."""
    found, level = [top], [top]
    while level and len(found) <= MOST_TENANTS:
        parents = tuple(level[: MOST_TENANTS + 1])
        size = Among("parent_id", parents).parameters
        shape = ("below", len(size))
        rows = fetch(database, shape, partial(children, len(size)), size)
        level = [row[0] for row in rows]
        found += level
    return found


def children(count: int) -> Any:
    """The query for the children of `count` tenants."""
    query = Tenant.select(Tenant.id).where(Tenant.parent_id.in_(marks(0, count)))
    return query.limit(2 * MOST_TENANTS).tuples()


def merged(rows: list[Predicate]) -> Predicates | None:
    """The same demands with those on one column taken together; None when they contradict."""
    listed: dict[str, set[Any]] = {}
    spans: dict[str, Span] = {}
    rest: list[Predicate] = []
    for row in rows:
        if isinstance(row, Among):
            values = set(row.values)
            listed[row.column] = listed.get(row.column, values) & values
        elif isinstance(row, Span):
            spans[row.column] = both(spans.get(row.column, Span(row.column)), row)
        else:
            rest.append(row)
    if not all(listed.values()) or any(empty(span) for span in spans.values()):
        return None
    among = [Among(column, tuple(sorted(values))) for column, values in listed.items()]
    # What costs a look into another table is tested last: engines keep to the order.
    rest.sort(key=lambda row: isinstance(row, Tagged | Within | Containing))
    return (*among, *spans.values(), *rest)


def both(one: Span, other: Span) -> Span:
    """The span that satisfies two."""
    lows = [span.low for span in (one, other) if span.low is not None]
    highs = [span.high for span in (one, other) if span.high is not None]
    return Span(one.column, max(lows, default=None), min(highs, default=None))


def empty(span: Span) -> bool:
    """Whether nothing lies in the span."""
    low = FIRST - 1 if span.low is None else span.low
    high = LAST + 1 if span.high is None else span.high
    return low > high
