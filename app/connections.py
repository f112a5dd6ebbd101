"""Statements over connections, for SQLite and for MySQL-compatible servers.

Each thread has a connection of its own. Failures that a retry may heal leave here as `Unavailable`,
never with the driver's words in it.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import peewee
from playhouse.pool import MaxConnectionsExceeded

from app import clock
from app.engines import mysql_driver
from app.errors import QueryTooSlow, Unavailable
from app.failures import Fate, fate_of, number_of, refuse

Row = tuple[Any, ...]
Result = TypeVar("Result")
log = logging.getLogger(__name__)

AS_PEEWEE: Any = vars(peewee)["__exception_wrapper__"]
"""Drivers' exceptions leave as Peewee's, as they do from its own execute."""

GIVEN_UP = (1969, 3024)
"""MariaDB's and MySQL's errors for a statement that took too long."""
SOON = 1.0
"""Seconds within which a lost connection shows; a statement that takes longer was cut off."""
FAILURES = (peewee.DatabaseError, peewee.InterfaceError, MaxConnectionsExceeded, OSError)
"""What drivers and pools raise."""


class Translation:
    """Driver failures leave as Unavailable; a broken connection is thrown away.

    Around every statement: a small object is made in a fifth of a generator's time.
    """

    __slots__ = ("began", "connections")

    def __init__(self, connections: "Connections") -> None:
        """`connections`: whose failures they are."""
        self.connections = connections
        self.began = clock.monotonic()

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: Any, error: BaseException | None, trace: Any) -> None:
        """Translate `error`, but for what a constraint refuses."""
        if isinstance(error, FAILURES) and not isinstance(error, peewee.IntegrityError):
            raise self.connections.failed(error, self.began) from error


class Connections:
    """The connections of one database of either dialect, and what is said over them."""

    def __init__(self, engine: Any, dialect: str, timeout: int, query_seconds: int) -> None:
        """`dialect`: "sqlite" or "mysql"; `timeout`: seconds to wait for locks; `query_seconds`:
        what is read within `bounded` may take."""
        self.engine = engine
        self.dialect = dialect
        self.timeout = timeout
        self.query_seconds = query_seconds
        self.patience = max(timeout, query_seconds)
        """Seconds after which a server that says nothing hangs."""
        self.mark = "?" if dialect == "sqlite" else "%s"
        """What stands for a parameter in the SQL of this dialect."""

    @property
    def missing(self) -> str:
        """The file that is not there, which a first statement would make empty; "" else."""
        missing: str = self.engine.missing
        return missing

    def compiled(self, query: Any) -> tuple[str, list[Any]]:
        """The SQL text of a Peewee query in this dialect, and its values in their places."""
        sql, values = self.engine.get_sql_context().sql(query).query()
        return sql, values

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
        began, moves = clock.monotonic(), self.moves
        try:
            return act(*given)
        except Unavailable as refusal:
            lost = refusal.fate is Fate.LOST and clock.monotonic() < began + SOON
            if not lost and self.moves == moves:
                raise
            self.engine.limit.extend(self.query_seconds)
            self.engine.close_idle()
            return act(*given)

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that changes something -> number of rows changed. Raises Unavailable,
        and peewee.IntegrityError when a constraint refuses it."""
        with self.translated():
            return int(self.engine.execute_sql(sql, values).rowcount)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`, in the transaction that is open."""
        with self.translated(), AS_PEEWEE:
            self.engine.cursor().executemany(sql, rows)

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

    @property
    def moves(self) -> int:
        """How often another server was turned to; never, where there is only one."""
        return self.engine.hosts.moves if self.dialect == "mysql" else 0

    def translated(self) -> Translation:
        """Driver failures leave as Unavailable; a broken connection is thrown away."""
        return Translation(self)

    def failed(self, error: Exception, began: float) -> Unavailable:
        """What a failure of the driver leaves as, in a statement that `began` then."""
        if number_of(error) in GIVEN_UP or str(error) == "interrupted":
            return QueryTooSlow(self.query_seconds)
        fate = fate_of(error, self.dialect)
        if self.dialect == "mysql" and fate is not Fate.UNDONE:
            self.part(fate is Fate.UNFIT or clock.monotonic() > began + self.patience)
        return refuse(error, fate)

    def part(self, leave: bool) -> None:
        """Throw this thread's connection away; `leave`: its server as well, for another."""
        if leave and not self.engine.is_closed():
            self.engine.hosts.leave(self.engine.connection().server)
        self.discard()

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

    def close(self) -> None:
        """Close this thread's connection and the idle ones of the pool."""
        if not self.engine.is_closed():
            self.engine.close()
        if self.dialect == "mysql":
            self.engine.close_idle()
        else:
            self.engine.put_down()
