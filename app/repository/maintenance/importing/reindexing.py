"""Secondary indexes, and figures, that step aside for a large load and are made anew behind it.

On SQLite that is part of the load's own transaction. MySQL commits every such statement by itself:
there an index that an interrupted load left out is one that is missing, and `recover` builds it.
"""

from collections.abc import Sequence

from app.catalog.indexes import INDEXES
from app.catalog.tallies import TALLIES
from app.database import Database
from app.errors import Unavailable
from app.repository import indexing
from app.repository.figures import refilling
from app.repository.maintenance import locking, remeasuring

LOCK = "tasks.import"
"""Name of the lock that a load holds on a MySQL server while indexes may be missing."""
PATIENCE = 5
"""Seconds that `recover` waits for the lock."""

OF_SQLITE = """
SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL
"""
OF_MYSQL = """
SELECT DISTINCT index_name FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = %s
"""
NEEDED = """
SELECT column_name FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND table_name = %s AND referenced_table_name IS NOT NULL
"""


def set_aside(database: Database, tables: Sequence[str]) -> list[str]:
    """Drop the secondary indexes of `tables` -> the statements that build them anew.

    Figures of these tables are gone as well: rows are counted until there are new ones.
    """
    refilling.step_aside(database, tables)
    if database.dialect == "mysql":
        for table in tables:
            drop(database, table)
        return list(indexing.statements(database, indexing.lacking(database)))
    statements = []
    for table in tables:
        for name, sql in database.rows(OF_SQLITE, (table,)):
            database.run(f'DROP INDEX "{name}"')
            statements.append(str(sql))
    return statements


def drop(database: Database, table: str) -> None:
    """Drop what a foreign key does not need of a MySQL table's indexes."""
    needed = {row[0] for row in database.rows(NEEDED, (table,))}
    there = {row[0] for row in database.rows(OF_MYSQL, (table,))}
    doomed = [
        f"DROP INDEX {index.name}"
        for index in INDEXES
        if index.table == table and index.name in there and index.columns[0] not in needed
    ]
    if doomed:
        database.run(f"ALTER TABLE {table} {', '.join(doomed)}")


def locked(database: Database, seconds: int = 0) -> bool:
    """Whether this connection holds the load's lock, waited for so long; SQLite's file is one."""
    return database.dialect == "sqlite" or locking.take(database, LOCK, seconds)


def unlock(database: Database) -> None:
    """Give the load's lock back."""
    if database.dialect == "mysql":
        locking.give(database, LOCK)


def loading(database: Database) -> bool:
    """Whether a load is under way that has set indexes of this MySQL database aside."""
    return database.dialect == "mysql" and locking.taken(database, LOCK)


def recover(database: Database) -> list[str]:
    """Build the indexes that an interrupted load or upgrade left out -> their names.

    The rows themselves were undone by the database. Nothing is done while a load is running.
    """
    # A server takes a while to notice that the process which held the lock is gone.
    if not (indexing.lacking(database) or refilling.uncounted(database)):
        return []
    if not locked(database, PATIENCE):
        return []
    try:
        lost = indexing.lacking(database)
        indexing.build(database, lost)
        refilling.recover(database)
        return [index.name for index in lost]
    finally:
        unlock(database)


def refill(database: Database) -> None:
    """Figures that were forgotten are counted anew, unless a load or another one is at it. Raises
    Unavailable."""
    if not locked(database):
        return
    try:
        # What SQLite sorts for them goes to disk: this is a server's process.
        database.run(indexing.SESSION[database.dialect])
        for tally in refilling.forgotten(database):
            refilling.mend(database, tally)
    finally:
        unlock(database)


def mend(database: Database) -> None:
    """All figures are counted anew, and the bounds of tasks measured anew.

    Raises Unavailable, also while a load is running: it has set triggers aside, and figures would
    miss its rows.
    """
    if not locked(database, PATIENCE):
        raise Unavailable(reason="an import is running", seconds=60)
    try:
        for tally in TALLIES:
            refilling.mend(database, tally)
        remeasuring.remeasure(database)
    finally:
        unlock(database)
