"""Writing an import's rows: in one transaction, so that they are there whole or not at all."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from peewee import EXCLUDED, IntegrityError, Model, fn

from app.database import Database
from app.errors import Unavailable
from app.models import Activity, Attempt
from app.repository import invariants, sentences
from app.repository.dictionaries import batches
from app.repository.figures import refilling, tallying
from app.repository.maintenance.importing.checking import Checker
from app.repository.maintenance.importing.layout import LAYOUTS, TABLES
from app.repository.maintenance.importing.reindexing import locked, set_aside, unlock
from app.repository.maintenance.importing.spool import Batch

MANY = 2_000
"""Rows of a collection from which on its indexes are better built anew."""
ALONE = 100_000
"""Rows from which on a SQLite file is better written by us alone, without its write-ahead log."""
CACHE_KIB = 40 * 1024
"""What SQLite remembers of the file while rows are written: where a row's UUID belongs is anywhere
in an index."""
SORTING_KIB = 16 * 1024
"""The same while indexes are built: each is sorted in as much again."""
COMPLETED = "AND completed_at IS NOT NULL"
"""Tasks that a purge may take; it locks them before their activities."""
SHARED = "LOCK IN SHARE MODE"


class Watch(Protocol):
    """Who is told how far a load is."""

    def begin(self, label: str, length: int) -> None:
        """Something of `length` units begins."""

    def at(self, done: int) -> None:
        """So many units are done."""


def plain(database: Database, model: type[Model]) -> str:
    """The statement that inserts a row of all columns."""
    fields = model._meta.sorted_fields
    return database.compiled(model.insert_many([[None] * len(fields)], fields=fields))[0]


def upsert(database: Database, model: type[Model]) -> str:
    """The statement that inserts a row of all columns, or overwrites the one that is there.

    A fence never falls: a later claim would make an old lease good again.
    """
    fields = model._meta.sorted_fields
    query = model.insert_many([[None] * len(fields)], fields=fields)
    key = model._meta.primary_key
    rest = [field for field in fields if field is not key and field.name != "fence"]
    kept = {}
    if fence := model._meta.fields.get("fence"):
        greatest = (fn.MAX, EXCLUDED.fence), (fn.GREATEST, fn.VALUES(fence))
        function, coming = greatest[database.dialect == "mysql"]
        kept = {fence: function(fence, coming)}
    target = {"conflict_target": [key]} if database.dialect == "sqlite" else {}
    return database.compiled(query.on_conflict(preserve=rest, update=kept, **target))[0]


class Writer:
    """Writes batches into the tables, in the transaction that is open."""

    def __init__(self, database: Database) -> None:
        """Compile the statements once."""
        self.database = database
        self.plain = {model._meta.table_name: plain(database, model) for model in TABLES}
        self.upserts = {
            model._meta.table_name: upsert(database, model)
            for layout in LAYOUTS.values()
            for model in (layout.catalog.model, layout.catalog.details)
        }

    def write(self, batch: Batch) -> None:
        """Write one batch; what it replaces is overwritten, its tags and attempts removed."""
        for plural, ids in batch.replaced.items():
            self.clear(plural, ids)
        statements = {**self.plain, **self.upserts} if batch.replaced else self.plain
        for model in TABLES:
            table = model._meta.table_name
            if rows := batch.rows.get(table):
                self.database.run_many(statements[table], rows)
        for plural, ids in batch.needed.items():
            if plural == "tasks":
                # At the others somebody works: they are not locked.
                stay(self.database, plural, there(self.database, plural, ids, COMPLETED))
            stay(self.database, plural, set(ids), lock=False)
        for tenant, branch, task in batch.moved:
            columns = {Activity.tenant_id: tenant, Activity.branch_id: branch}
            self.database.change(Activity.update(columns).where(Activity.task_id == task))

    def clear(self, plural: str, ids: list[int]) -> None:
        """Remove the rows of which a replaced object may have others than before."""
        layout = LAYOUTS[plural]
        keys = [getattr(layout.catalog.tags, layout.key)]
        if plural == "tasks":
            keys.append(Attempt.task_id)
        for key in keys:
            for some in batches(ids):
                self.database.change(key.model.delete().where(key.in_(some)))


def crowded(database: Database, model: Any, coming: int) -> bool:
    """Whether a table holds too much for its indexes to be built anew for `coming` more rows.

    On MySQL any row is too much: requests that come meanwhile name the indexes.
    """
    most = 1 if database.dialect == "mysql" else coming
    some = model.select(model.id).limit(most).alias("some")
    query = model.select(fn.COUNT(some.c.id)).from_(some)
    return int(database.select(query.tuples())[0][0]) >= most


def outpaced(database: Database, counts: dict[str, int]) -> list[str]:
    """The tables whose indexes are better built anew behind a load of so many rows each."""
    tables = []
    for layout in LAYOUTS.values():
        catalog = layout.catalog
        coming = counts.get(catalog.plural, 0)
        if coming >= MANY and not crowded(database, catalog.model, coming):
            tables += [catalog.plural, catalog.tags._meta.table_name]
    return tables


@contextmanager
def unhindered(database: Database, rows: int) -> Iterator[None]:
    """What a load may do without: its rows refer to each other rightly, as was checked."""
    statements: tuple[str, ...] = ("SET foreign_key_checks = 0, unique_checks = 0",)
    if database.dialect == "sqlite":
        statements = ("PRAGMA foreign_keys = 0", f"PRAGMA cache_size = -{CACHE_KIB}",
                      "PRAGMA temp_store = file")  # fmt: skip
    for statement in statements:
        database.run(statement)
    if database.dialect == "sqlite" and rows >= ALONE:
        alone(database)
    try:
        yield
    finally:
        # A new connection begins with the usual settings.
        database.discard()


def alone(database: Database) -> None:
    """Write into the file itself where nobody else has it open: a log would hold it all twice."""
    try:
        database.row("PRAGMA journal_mode = delete")
    except Unavailable:
        # Somebody is connected: the log serves as well, only slower.
        return


def load(database: Database, checker: Checker, watch: Watch) -> None:
    """Write what `checker` has spooled, whole or not at all, and leave every index in place.

    Raises Unavailable, and peewee.IntegrityError when somebody else wrote the same meanwhile.
    """
    counts = checker.spool.counts
    if not locked(database):
        raise Unavailable(reason="another import is running", seconds=60)
    try:
        with unhindered(database, sum(counts.values())):
            if database.dialect == "sqlite":
                with database.write_transaction():
                    statements = set_aside(database, outpaced(database, counts))
                    write(database, checker, watch)
                    rebuild(database, statements, watch)
            else:
                statements = set_aside(database, outpaced(database, counts))
                try:
                    with database.write_transaction():
                        write(database, checker, watch)
                finally:
                    rebuild(database, statements, watch)
        with suppress(Unavailable):
            # It is there, and counted, also where somebody else has to fold.
            tallying.fold_all(database)
    finally:
        unlock(database)


def write(database: Database, checker: Checker, watch: Watch) -> None:
    """Write tenants, rows and bounds, in the transaction that is open."""
    writer, done = Writer(database), 0
    watch.begin("Writing", sum(checker.spool.counts.values()))
    checker.tenancy.write()
    stay(database, "tenants", checker.tenancy.used)
    for batch in checker.spool:
        writer.write(batch)
        done += sum(map(len, batch.rows.values()))
        watch.at(done)
    invariants.widen(database, checker.bounds)
    for plural, (low, high) in checker.spans.items():
        invariants.check_order(database, LAYOUTS[plural].catalog, checker.now, low, high)
    if checker.spans.get("tasks"):
        invariants.changed(database, invariants.LOADS)


def stay(database: Database, table: str, numbers: Collection[int], lock: bool = True) -> None:
    """These rows are there and, with `lock`, nobody removes one before the open transaction ends:
    foreign keys are not looked at. Raises peewee.IntegrityError when one has gone since it was
    checked."""
    words = SHARED if lock and database.dialect == "mysql" else ""
    if len(there(database, table, numbers, words)) < len(numbers):
        raise IntegrityError(f"something was removed from {table}")


def there(database: Database, table: str, numbers: Iterable[int], words: str) -> set[int]:
    """Those of `numbers` that a table has; `words`: what else is asked of its rows."""
    found: set[int] = set()
    for some in batches(numbers):
        marks = ", ".join("?" * len(some))
        text = " ".join(("SELECT id FROM", table, "WHERE id IN (", marks, ")", words))
        found.update(row[0] for row in sentences.rows(database, text, some))
    return found


def rebuild(database: Database, statements: list[str], watch: Watch) -> None:
    """Run the statements that build indexes, and count what is there for the figures."""
    if database.dialect == "sqlite":
        database.run(f"PRAGMA cache_size = -{SORTING_KIB}")
    watch.begin("Building indexes", len(statements))
    for done, statement in enumerate(statements, 1):
        database.run(statement)
        watch.at(done)
    refilling.recover(database)
