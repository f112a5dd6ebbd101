"""Indexes that a table should have and has not: which they are, and building them beside others.

Plans name their index, so that lists are refused while one is missing: an upgrade was interrupted,
a load is under way, or somebody dropped it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from time import sleep
from typing import TypeVar

from app import clock
from app.catalog.indexes import INDEXES, Index
from app.database import Database
from app.errors import Unavailable
from app.failures import BUSY

Result = TypeVar("Result")

THERE = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type IN ('table', 'index')",
    "mysql": "SELECT DISTINCT table_name, index_name FROM information_schema.statistics"
    " WHERE table_schema = DATABASE()",
}
"""Tables and the names in them; every table of MySQL has its PRIMARY."""
TOGETHER = 6
"""Indexes that one ALTER TABLE builds: it reads the table once for all of them."""
ONLINE = "ALGORITHM=INPLACE, LOCK=NONE"
"""Refused by the server where it would have to keep others from writing."""
WAIT_SECONDS = 1
"""How long a change of a table waits for those who use it: who comes later waits behind it."""
SESSION = {
    "sqlite": "PRAGMA temp_store = file",
    "mysql": f"SET SESSION lock_wait_timeout = {WAIT_SECONDS}",
}
"""SQLite sorts an index a quarter faster in a file, and in bounded memory."""
PATIENCE_SECONDS = 600
"""How long it is tried again."""
PAUSE_SECONDS = (1, 3)
BREATH_SECONDS = 0.3
"""Between two indexes of SQLite, each of which holds the file: all who wait look every 0.1 s."""


def lacking(database: Database) -> list[Index]:
    """The indexes that the tables which are there should have and have not. Raises Unavailable."""
    there = set(database.rows(THERE[database.dialect]))
    tables = {row[0] for row in there}
    return [
        index for index in INDEXES
        if index.table in tables and (index.table, index.name) not in there
    ]  # fmt: skip


def differing(database: Database) -> list[Index]:
    """The indexes that are there with other columns than they should have: an older version of the
    program has built them since. Lists are right, and slower. Raises Unavailable."""
    with database.translated():
        there = {
            (table, index.name): tuple(index.columns)
            for table in {index.table for index in INDEXES}
            for index in database.engine.get_indexes(table)
        }
    return [
        index for index in INDEXES
        if there.get((index.table, index.name), bare(index)) != bare(index)
    ]  # fmt: skip


def bare(index: Index) -> tuple[str, ...]:
    """The columns of an index without their direction."""
    return tuple(column.split()[0] for column in index.whole)


def statements(database: Database, indexes: Sequence[Index]) -> Iterator[str]:
    """What builds `indexes`: one statement for each on SQLite, few for each table on MySQL."""
    if database.dialect == "sqlite":
        yield from map(creation, indexes)
        return
    for table in dict.fromkeys(index.table for index in indexes):
        own = [index for index in indexes if index.table == table]
        for start in range(0, len(own), TOGETHER):
            added = ", ".join(map(clause, own[start : start + TOGETHER]))
            yield f"ALTER TABLE {table} {added}, {ONLINE}"


def creation(index: Index) -> str:
    """The statement that builds `index` on SQLite."""
    where = f" WHERE {index.where}" if index.where else ""
    columns = ", ".join(index.whole)
    return f"CREATE INDEX IF NOT EXISTS {index.name} ON {index.table} ({columns}){where}"


def clause(index: Index) -> str:
    """The part of an ALTER TABLE that builds `index`."""
    return f"ADD INDEX {index.name} ({', '.join(index.whole)})"


def build(database: Database, indexes: Sequence[Index]) -> None:
    """Build `indexes` while others read and, between two of them on SQLite, write."""
    for text in statements(database, indexes):
        beside_others(database, lambda: database.run(text))  # noqa: B023 - run at once
        if database.dialect == "sqlite":
            sleep(BREATH_SECONDS)


def beside_others(database: Database, act: Callable[[], Result]) -> Result:
    """What `act` answers, which changes tables that are in use and may be done twice.

    It waits for all transactions that have touched its table, and whatever comes later would wait
    behind it: so it gives up soon, lets them through and tries again. Raises Unavailable.
    """
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            database.run(SESSION[database.dialect])
            return act()
        except Unavailable as refusal:
            if refusal.facts.get("reason") != BUSY or clock.monotonic() > deadline:
                raise
        sleep(random.uniform(*PAUSE_SECONDS))
