"""What this schema promises beyond its constraints, and whether it is so: for `flask doctor`.

Each check asks the database how many rows break a promise. All of them together see one moment,
take no locks, and need little memory however many rows there are.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tallies import TALLIES, Tally
from app.catalog.tasks import TASKS
from app.database import Database
from app.repository import apart, indexing, invariants, sentences
from app.repository.figures import hooking, refilling
from app.repository.predicates import owner

PAGE = 1_000
"""Rows whose tags are looked at together."""
CATALOGS = (TASKS, ACTIVITIES)
OTHER = "it has other columns: drop it, and `flask db upgrade` builds it"
MEASURED = (
    "lists rely on none while they are measured; where no `flask doctor --mend` is running, one"
    " was interrupted, and another one ends it"
)


@dataclass(frozen=True)
class Finding:
    """What a check found: its name, and what is wrong; "" when nothing."""

    name: str
    wrong: str


@dataclass(frozen=True)
class Check:
    """A promise in words, and how to find out what breaks it."""

    name: str
    act: Callable[[Database], str]


@contextmanager
def at_one_moment(database: Database) -> Iterator[None]:
    """All checks inside see the same; what the engine sorts for them goes to disk."""
    if database.dialect == "sqlite":
        database.run("PRAGMA temp_store = file")
    with database.read_transaction():
        yield


def examined(database: Database) -> Iterator[Finding]:
    """The findings of all checks, one after the other; see `at_one_moment`."""
    for check in checks():
        yield Finding(check.name, check.act(database))


def checks() -> Iterator[Check]:
    """All of them, the quick ones first."""
    yield Check("indexes are there", absent_indexes)
    for tally in TALLIES:
        yield Check(f"figures of {tally.table} are kept", unkept(tally))
    yield Check("tenants are where their locators say", broken("tenants", LOCATORS))
    for catalog in CATALOGS:
        table = catalog.plural
        yield Check(f"{table} name what is there", broken(table, references(catalog)))
        yield Check(f"remembered bounds hold for {table}", unbounded(catalog))
        yield Check(f"tags of {table} are those of their details", untagged(catalog))
    yield Check("tags of tasks have their times", broken("task_tags", TAG_TIMES))
    yield Check("enqueued tasks can be claimed or will be", broken("tasks", UNREADY))
    for tally in TALLIES:
        yield Check(f"figures of {tally.table} say what counting says", miscounted(tally))


def some(number: int, example: Any) -> str:
    """So many rows are wrong, such as this."""
    return f"{number:,} rows, such as {example}" if number else ""


LOCATORS = """
    SELECT COUNT(*), MIN(r.id) FROM tenants r LEFT JOIN tenants p ON p.id = r.parent_id
    WHERE r.locator <> {locator}
        OR r.branch_id <> CASE WHEN r.id = 1 OR r.parent_id = 1 THEN r.id ELSE p.branch_id END
"""
TAG_TIMES = """
    SELECT COUNT(*), MIN(g.task_id) FROM task_tags g JOIN tasks r ON r.id = g.task_id
    WHERE NOT (g.started_at {is} r.started_at AND g.completed_at {is} r.completed_at)
"""
UNREADY = """
    SELECT COUNT(*), MIN(r.id) FROM tasks r {by_state}
    LEFT JOIN lanes l ON l.id = r.lane_id AND l.queue_id = r.queue_id AND l.type_id = r.type_id
        AND l.tenant_id = r.tenant_id AND l.affinity_id = r.affinity_id
    WHERE r.state = 1 AND r.state < 5 AND r.deleted_at IS NULL
        AND ((r.ready = 1 AND l.id IS NULL) OR (r.ready = 0 AND r.due_at IS NULL))
"""
WORDS = {
    "sqlite": {
        "is": "IS", "halved": "/ 2", "by_state": "INDEXED BY tasks_state",
        "locator": "COALESCE(p.locator, '/') || r.id || '/'",
    },
    "mysql": {
        "is": "<=>", "halved": "DIV 2", "by_state": "FORCE INDEX (tasks_state)",
        "locator": "CONCAT(COALESCE(p.locator, '/'), r.id, '/')",
    },
}  # fmt: skip
DICTIONARIES = {
    "type_id": "types", "queue_id": "queues", "user_id": "started_by_users",
    "policy_id": "policies", "resource_id": "resources", "executor_id": "agents",
    "issuer_id": "agents",
}  # fmt: skip
"""The columns that hold an entry's number, and the dictionary that it is of."""


def broken(table: str, text: str) -> Callable[[Database], str]:
    """Asks how many rows of `table` break the promise, and for one of them."""

    def act(database: Database) -> str:
        number, example = database.rows(text.format(**WORDS[database.dialect]))[0]
        return some(int(number), f"{table} {example}")

    return act


def references(catalog: Catalog) -> str:
    """The question which rows name an entry, a tenant, a branch or details that are not there."""
    there = catalog.model._meta.columns
    missing = [
        f"r.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {entries} d WHERE d.id = r.{column})"
        for column, entries in DICTIONARIES.items() if column in there
    ]  # fmt: skip
    if "affinity_id" in there:
        missing.append(
            "r.affinity_id <> 0 AND NOT EXISTS (SELECT 1 FROM agents d WHERE d.id = r.affinity_id)"
        )
    if "task_id" in there:
        missing.append("NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id "
                       "AND t.tenant_id = r.tenant_id)")  # fmt: skip
    details = catalog.details._meta.table_name
    missing += [
        "NOT EXISTS (SELECT 1 FROM tenants n WHERE n.id = r.tenant_id "
        "AND n.branch_id = r.branch_id)",
        f"NOT EXISTS (SELECT 1 FROM {details} d WHERE d.{catalog.name}_id = r.id)",
    ]
    wrong = " OR ".join(f"({words})" for words in missing)
    return f"SELECT COUNT(*), MIN(r.id) FROM {catalog.plural} r WHERE {wrong}"


INSTEAD = "rows are counted instead"
UNSEEN = "whether triggers keep them cannot be seen"


def absent_indexes(database: Database) -> str:
    """The indexes that are not there, or have other columns than they should."""
    lacking = [index.name for index in indexing.lacking(database)]
    other = [f"{index.name} ({OTHER})" for index in indexing.differing(database)]
    return ", ".join(lacking + other)


def unkept(tally: Tally) -> Callable[[Database], str]:
    """Asks whether there are figures, and the triggers that keep them."""

    def act(database: Database) -> str:
        lost, kept = hooking.lost(database, tally), hooking.kept(database, tally)
        if lost and hooking.blind(database):
            follows = UNSEEN if kept else INSTEAD
            return f"the account lacks the privilege TRIGGER: {follows}; see docs/operations.md"
        if lost:
            return f"there is no trigger {', '.join(lost)}; see docs/operations.md"
        return "" if kept else INSTEAD

    return act


def unbounded(catalog: Catalog) -> Callable[[Database], str]:
    """Asks whether a row's times lie further apart than is remembered."""

    def act(database: Database) -> str:
        born, *others = invariants.times(catalog)
        pairs = [(one, born) for one in others] + [(born, one) for one in others]
        heads = ", ".join(distance(*pair).format(**WORDS[database.dialect]) for pair in pairs)
        kept = invariants.known(database)
        if kept.get(invariants.measured(catalog)):
            return MEASURED
        listed = ", ".join(map(str, apart.ids(catalog, kept))) or "-1"
        found = database.rows(f"SELECT {heads} FROM {catalog.plural} WHERE id NOT IN ({listed})")[0]
        names = [bound(catalog, one) for bound in (invariants.after, invariants.before)
                 for one in others]  # fmt: skip
        wrong = [
            name for name, half in zip(names, found, strict=True)
            if min(2 * ((half or 0) - 1), invariants.UNBOUND) > kept.get(name, 0)
        ]  # fmt: skip
        return f"too narrow: {', '.join(wrong)}" if wrong else ""

    return act


def distance(later: str, earlier: str) -> str:
    """The most that one time lies behind another, halved, as the whole may need 65 bits; the
    largest bound where the row was born at no known time."""
    far = invariants.UNBOUND // 2 + 1
    some = f"WHEN {later} IS NULL AND {earlier} IS NULL THEN 0"
    born = "WHEN enqueued_at IS NULL THEN" if "enqueued_at" in (later, earlier) else (
        "WHEN created_at IS NULL THEN")  # fmt: skip
    return (
        f"MAX(CASE {some} {born} {far} WHEN {later} IS NULL OR {earlier} IS NULL THEN 0 "
        f"ELSE {later} {{halved}} - {earlier} {{halved}} END)"
    )


def untagged(catalog: Catalog) -> Callable[[Database], str]:
    """Asks whose tags that are looked for differ from those that are shown."""
    details, tags = catalog.details._meta.table_name, catalog.tags._meta.table_name
    key = owner(catalog.tags).column_name
    shown = f"SELECT {key}, tags FROM {details} WHERE {key} > ? ORDER BY {key} LIMIT {PAGE}"
    looked_for = (
        f"SELECT g.{key}, n.name FROM {tags} g LEFT JOIN tags n ON n.id = g.tag_id "
        f"WHERE g.{key} > ? AND g.{key} <= ?"
    )

    def act(database: Database) -> str:
        last, number, example = 0, 0, None
        while page := sentences.rows(database, shown, (last,)):
            found: dict[int, set[str | None]] = {}
            for row, name in sentences.rows(database, looked_for, (last, page[-1][0])):
                found.setdefault(row, set()).add(name)
            for row, text in page:
                if found.get(row, set()) != set(json.loads(text) if text else ()):
                    number, example = number + 1, row
            last = page[-1][0]
        return some(number, f"{catalog.plural} {example}")

    return act


def miscounted(tally: Tally) -> Callable[[Database], str]:
    """Asks how many figures differ from what counting says."""

    def act(database: Database) -> str:
        if not hooking.kept(database, tally):
            return ""
        found = database.rows(refilling.differing(tally))[0]
        wrong, nodes = (int(number) for number in found)
        return f"{wrong:,} figures of {nodes:,} tenants differ" if wrong else ""

    return act
