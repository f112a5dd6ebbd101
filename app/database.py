"""Connections and transactions, for SQLite and for MySQL-compatible servers.

Acts receive a `Database` and hand it SQL text with values, or a Peewee query; failures that a retry
may heal leave here as `Unavailable`, never with the driver's words in it.
"""

import logging
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from time import sleep
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import peewee
from playhouse.pool import MaxConnectionsExceeded

from app import clock
from app.config import Settings
from app.engines import mysql, mysql_driver, sqlite
from app.errors import QueryTooSlow, Unavailable

Row = tuple[Any, ...]
Result = TypeVar("Result")
log = logging.getLogger(__name__)

AS_PEEWEE: Any = vars(peewee)["__exception_wrapper__"]
"""Drivers' exceptions leave as Peewee's, as they do from its own execute."""

ROLLED_BACK = (1213, 1205, 1020)
"""MySQL's errors after which the whole transaction may simply be run again: deadlock, lock wait
(after which `transaction` rolls back what the server has not), record changed."""
LOST = (0, 2006, 2013, 2055, 4031)
"""MySQL's errors (0: the driver's own) after which there is no connection any more."""
GIVEN_UP = (1969, 3024)
"""MariaDB's and MySQL's errors for a statement that took too long."""
SOON = 1.0
"""Seconds within which a lost connection shows; a statement that takes longer was cut off."""
ATTEMPTS = 8


def refuse(error: Exception) -> Unavailable:
    """What a caller is told of a failing database; the driver's own words go to the log."""
    words = str(error).lower()
    log.warning("database: %s", error)
    waited = isinstance(error, MaxConnectionsExceeded) or number_of(error) in ROLLED_BACK
    if waited or "locked" in words or "busy" in words:
        return Unavailable(reason="the database is busy")
    if "full" in words:
        return Unavailable(reason="the storage is full", seconds=30)
    return Unavailable(reason="the database does not answer", seconds=5)


def number_of(error: Exception) -> int:
    """MySQL's error number, 0 where there is none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


class Standing(local):
    """Whether the thread that looks is inside a transaction."""

    inside = False


class Database:
    """One database of either dialect; its connections belong to the threads that use it."""

    def __init__(self, engine: Any, dialect: str, timeout: int, query_seconds: int) -> None:
        """`dialect`: "sqlite" or "mysql"; `timeout`: seconds to wait for locks; `query_seconds`:
        what is read within `bounded` may take."""
        self.engine = engine
        self.dialect = dialect
        self.timeout = timeout
        self.query_seconds = query_seconds
        self.mark = "?" if dialect == "sqlite" else "%s"
        """What stands for a parameter in the SQL of this dialect."""
        self.memory: dict[Any, Any] = {}
        """What acts remember of this database between requests; each bounds its own part."""
        self.thread = Standing()

    def compiled(self, query: Any) -> tuple[str, list[Any]]:
        """The SQL text of a Peewee query in this dialect, and its values in their places."""
        sql, values = self.engine.get_sql_context().sql(query).query()
        return sql, values

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a SELECT answers. Raises Unavailable."""
        if self.thread.inside:
            return self.fetched(sql, values)
        return self.first(self.fetched, sql, values)

    def fetched(self, sql: str, values: Sequence[Any]) -> list[Row]:
        """What a SELECT answers on the connection that this thread has."""
        limit = self.engine.limit
        if limit.passed():
            raise QueryTooSlow(self.query_seconds)
        with self.translated(), AS_PEEWEE:
            if limit.until is not None:
                sql = self.engine.hurried(sql, self.query_seconds)
            return list(self.engine.execute_sql(sql, values).fetchall())

    def first(self, act: Callable[..., Result], *given: Any) -> Result:
        """What `act`, which changes nothing, answers; on a new connection if its own was lost.

        The server may have closed what lay idle, or have been started anew: that shows at once.
        Raises Unavailable.
        """
        began = clock.monotonic()
        try:
            return act(*given)
        except Unavailable as refusal:
            if not lost(refusal) or clock.monotonic() > began + SOON:
                raise
            self.engine.close_idle()
            return act(*given)

    def stream(self, sql: str, values: Sequence[Any] = (), size: int = 1000) -> Iterator[list[Row]]:
        """What a SELECT answers, in lists of at most `size` rows. Raises Unavailable."""
        with self.translated(), AS_PEEWEE:
            cursor = self.engine.execute_sql(sql, values)
            while block := cursor.fetchmany(size):
                yield list(block)

    def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row that a SELECT answers, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that changes something -> number of rows changed. Raises Unavailable,
        and peewee.IntegrityError when a constraint refuses it."""
        with self.translated():
            return int(self.engine.execute_sql(sql, values).rowcount)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`, in the transaction that is open."""
        with self.translated(), AS_PEEWEE:
            self.engine.cursor().executemany(sql, rows)

    def select(self, query: Any) -> list[Row]:
        """What a Peewee query answers, as plain tuples."""
        return self.rows(*self.compiled(query))

    def change(self, query: Any) -> int:
        """Run a Peewee INSERT, UPDATE or DELETE -> number of rows changed."""
        return self.run(*self.compiled(query))

    def inserted(self, query: Any) -> int:
        """Run a Peewee INSERT -> the id that the database gave the row."""
        with self.translated():
            return int(self.engine.execute_sql(*self.compiled(query)).lastrowid)

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """What is read inside ends in time, or is given up: QueryTooSlow."""
        self.engine.limit.until = clock.monotonic() + self.query_seconds
        try:
            yield
        finally:
            self.engine.limit.until = None

    @contextmanager
    def examining(self) -> Iterator[Callable[[], int]]:
        """What this thread reads inside is counted by the engine, in its own unit: asked for
        behind it."""
        with self.translated():
            count = self.engine.counting()
        found: list[int] = []
        yield lambda: found[0]
        with self.translated():
            found.append(count())

    @contextmanager
    def read_transaction(self) -> Iterator[None]:
        """All SELECTs inside see one and the same moment."""
        begin = (
            ("BEGIN",)
            if self.dialect == "sqlite"
            else ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY")
        )
        with self.transaction(begin):
            yield

    @contextmanager
    def write_transaction(self) -> Iterator[None]:
        """What happens inside is written whole when it ends well, and not at all when it raises."""
        # IMMEDIATE: two deferred readers that both turn writer can only fail.
        begin = "BEGIN IMMEDIATE" if self.dialect == "sqlite" else "START TRANSACTION"
        with self.transaction((begin,)):
            yield

    @contextmanager
    def transaction(self, begin: Sequence[str]) -> Iterator[None]:
        """Open with the statements of `begin`; COMMIT at the end, ROLLBACK on any exception."""
        self.first(self.begin, begin)
        self.thread.inside = True
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            self.roll_back()
            raise
        finally:
            self.thread.inside = False

    def begin(self, statements: Sequence[str]) -> None:
        """Open a transaction."""
        for statement in statements:
            self.run(statement)

    def roll_back(self) -> None:
        """Undo the open transaction; a connection that cannot even do that is thrown away."""
        if self.engine.is_closed():
            return  # lost, and the transaction with it: undoing would only open another
        try:
            self.engine.execute_sql("ROLLBACK")
        except (peewee.DatabaseError, peewee.InterfaceError):
            self.discard()

    def retried(self, act: Callable[[], Result]) -> Result:
        """Run `act`, a whole write transaction, again while it is rolled back by a deadlock.

        `act` must be safe to repeat. Raises Unavailable when it does not succeed in `timeout`
        seconds.
        """
        deadline = clock.monotonic() + self.timeout
        for attempt in range(ATTEMPTS):
            try:
                return act()
            except Unavailable as refusal:
                if not passing(refusal) or clock.monotonic() > deadline:
                    raise
                sleep(random.uniform(0, min(0.5, 0.005 * 2**attempt)))
        return act()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Driver failures leave as Unavailable; a broken connection is thrown away."""
        try:
            yield
        except peewee.IntegrityError:
            raise
        except (
            peewee.DatabaseError,
            peewee.InterfaceError,
            MaxConnectionsExceeded,
            OSError,
        ) as error:
            if number_of(error) in GIVEN_UP or str(error) == "interrupted":
                raise QueryTooSlow(self.query_seconds) from error
            if self.dialect == "mysql" and number_of(error) not in ROLLED_BACK:
                self.discard()
            raise refuse(error) from error

    def discard(self) -> None:
        """Throw this thread's connection away; the next statement opens another."""
        try:
            if self.dialect == "mysql" and not self.engine.is_closed():
                self.engine.manual_close()
            else:
                self.engine.close()
        except (peewee.PeeweeException, mysql_driver.Error, sqlite3.Error):
            log.debug("a broken connection could not be closed", exc_info=True)

    def release(self) -> None:
        """Give this thread's connection back to the pool; SQLite's stays with its thread."""
        if self.dialect == "mysql" and not self.engine.is_closed():
            self.engine.close()

    def rest(self) -> None:
        """Hold no connection on either engine until the next statement: the thread will wait."""
        if not self.engine.is_closed():
            self.engine.close()

    def close(self) -> None:
        """Close this thread's connection and the idle ones of the pool."""
        if not self.engine.is_closed():
            self.engine.close()
        if self.dialect == "mysql":
            self.engine.close_idle()


def lost(refusal: Unavailable) -> bool:
    """Whether what was refused met a connection that is no more."""
    cause = refusal.__cause__
    if not isinstance(cause, peewee.OperationalError | peewee.InterfaceError):
        return False
    return number_of(cause) in LOST


def passing(refusal: Unavailable) -> bool:
    """Whether what was refused was rolled back for sure and may be run again at once."""
    cause = refusal.__cause__
    return isinstance(cause, peewee.DatabaseError) and number_of(cause) in ROLLED_BACK


def connect(settings: Settings, patient: bool = False) -> Database:
    """The database of the settings; nothing is opened before the first statement.

    `patient`: for commands that run long statements, which no read timeout may cut.
    """
    parts = urlsplit(settings.database_url)
    limits = settings.database_timeout, settings.query_seconds
    if parts.scheme == "sqlite":
        return Database(sqlite(unquote(parts.path[1:]), settings), "sqlite", *limits)
    return Database(mysql(parts, settings, patient), "mysql", *limits)
