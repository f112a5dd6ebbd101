"""The two kinds of database, and how a connection to each is opened."""

import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import peewee
from playhouse.pool import PooledMySQLDatabase

from app import clock
from app.config import Settings

try:
    import MySQLdb as driver
except ImportError:  # pragma: no cover - the pure-Python driver stands in where C cannot be built
    import pymysql as driver

mysql_driver: Any = driver
"""The driver that this process has for MySQL."""

SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


STEPS = 20_000
"""Steps of SQLite's virtual machine between two looks at the clock: about a millisecond."""
FINE = 100
"""The same where they are counted."""


class Limit(threading.local):
    """Until when what this thread reads is waited for."""

    until: float | None = None

    def passed(self) -> bool:
        """Whether it should end now."""
        return self.until is not None and clock.monotonic() > self.until


class Sqlite(peewee.SqliteDatabase):
    """A SQLite file whose folder is made when needed and that only its owner can read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limit = Limit()

    def _connect(self) -> Any:
        path = Path(self.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connect: Any = super()
        connection = connect._connect()
        connection.set_progress_handler(self.limit.passed, STEPS)
        return connection

    def hurried(self, sql: str, seconds: int) -> str:
        """The SELECT `sql`, which the connection itself stops at the limit."""
        return sql

    def counting(self) -> Callable[[], int]:
        """Begin to count what this thread's connection does -> ends it and tells its steps."""
        engine: Any = super()
        connection, looks = engine.connection(), itertools.count()
        connection.set_progress_handler(lambda: next(looks) < 0, FINE)

        def ended() -> int:
            connection.set_progress_handler(self.limit.passed, STEPS)
            return next(looks) * FINE

        return ended


class Server(peewee.MySQLDatabase):
    """A MySQL-compatible server, reached through the driver that this process has."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.mariadb = False
        super().__init__(*args, **options)
        self.limit = Limit()

    def _connect(self) -> Any:
        connection = open_connection(self.database, **self.connect_params)
        self.mariadb = "mariadb" in connection.get_server_info().lower()
        return connection

    def hurried(self, sql: str, seconds: int) -> str:
        """The SELECT `sql`, which the server stops after so many seconds."""
        self.connect(reuse_if_open=True)  # only a server says what it is
        if self.mariadb:
            return f"SET STATEMENT max_statement_time={seconds} FOR {sql}"
        return sql.replace("SELECT", f"SELECT /*+ MAX_EXECUTION_TIME({seconds}000) */", 1)

    def counting(self) -> Callable[[], int]:
        """Begin to count what this thread's connection reads -> tells the number of rows."""

        engine: Any = super()

        def rows() -> int:
            status = engine.execute_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").fetchall()
            return sum(int(value) for _, value in status)

        before = rows()
        return lambda: rows() - before


class MySQL(PooledMySQLDatabase, Server):
    """A pool of connections to a server, taken and given back without asking it.

    Peewee's asks twice: whether the connection lives, and for a rollback. `Database` replaces a
    connection that turns out to be lost, and leaves no transaction open.
    """

    def _is_closed(self, conn: Any) -> bool:
        return False

    def _can_reuse(self, conn: Any) -> bool:
        return True


def open_connection(name: str, lock_seconds: int | None = None, **parameters: Any) -> Any:
    """One raw connection: strict, binary collation without padding, READ COMMITTED.

    So writers take fewer locks; who reads by several statements asks for one moment himself.
    `lock_seconds`: how long a statement waits for a row's lock; None: as long as the server is set
    to.
    """
    connection = mysql_driver.connect(database=name, autocommit=True, **parameters)
    cursor = connection.cursor()
    cursor.execute("SELECT VERSION()")
    for statement in session(str(cursor.fetchone()[0])):
        cursor.execute(statement)
    if lock_seconds is not None:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = %s", (lock_seconds,))
    cursor.close()
    return connection


def session(version: str) -> list[str]:
    """What makes a session with a server of this version ours."""
    ours = [
        f"SET SESSION sql_mode = '{SQL_MODE}'",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ]
    if "mariadb" in version.lower():
        return ["SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin", *ours]
    # Plans ask how many rows a table has; MySQL would answer with what it was a day ago.
    fresh = "SET SESSION information_schema_stats_expiry = 0"
    return ["SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin", *ours, fresh]


def sqlite(path: str, settings: Settings) -> Sqlite:
    """A SQLite file with write-ahead log; readers never wait for the writer."""
    return Sqlite(
        path,
        timeout=settings.database_timeout,
        pragmas={
            "busy_timeout": settings.database_timeout * 1000,
            "journal_mode": "wal",
            "synchronous": settings.sqlite_synchronous,
            "foreign_keys": 1,
            "temp_store": "memory",
            "cache_size": -16_384,
        },
        cached_statements=512,
    )


def mysql(parts: Any, settings: Settings, patient: bool) -> MySQL:
    """A pool of connections to the server that `parts` (a split URL) names."""
    seconds = settings.database_timeout
    hurried = {"read_timeout": 30, "write_timeout": 30, "lock_seconds": seconds}
    limits: dict[str, Any] = {} if patient else hurried
    return MySQL(
        unquote(parts.path[1:]),
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        max_connections=settings.database_pool,
        stale_timeout=300,
        timeout=seconds,
        connect_timeout=seconds,
        **limits,
    )
