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
from app.engines import LONGER_SECONDS, mysql, mysql_driver, sqlite
from app.errors import QueryTooSlow, Unavailable
from app.failures import AGAIN, Fate, fate_of, number_of, refuse
from app.precedence import Precedence

Row = tuple[Any, ...]
Result = TypeVar("Result")
log = logging.getLogger(__name__)

AS_PEEWEE: Any = vars(peewee)["__exception_wrapper__"]
"""Drivers' exceptions leave as Peewee's, as they do from its own execute."""

GIVEN_UP = (1969, 3024)
"""MariaDB's and MySQL's errors for a statement that took too long."""
SOON = 1.0
"""Seconds within which a lost connection shows; a statement that takes longer was cut off."""
LANDING_SECONDS = 0.2
"""How long a COMMIT that got no answer may still take."""
ATTEMPTS = 8
FAILURES = (peewee.DatabaseError, peewee.InterfaceError, MaxConnectionsExceeded, OSError)
"""What drivers and pools raise."""


class Translation:
    """Driver failures leave as Unavailable; a broken connection is thrown away.

    Around every statement: a small object is made in a fifth of a generator's time.
    """

    __slots__ = ("began", "database")

    def __init__(self, database: "Database") -> None:
        """`database`: whose failures they are."""
        self.database = database
        self.began = clock.monotonic()

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: Any, error: BaseException | None, trace: Any) -> None:
        """Translate `error`, but for what a constraint refuses."""
        if isinstance(error, FAILURES) and not isinstance(error, peewee.IntegrityError):
            raise self.database.failed(error, self.began) from error


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
        self.patience = max(timeout, query_seconds)
        """Seconds after which a server that says nothing hangs."""
        self.mark = "?" if dialect == "sqlite" else "%s"
        """What stands for a parameter in the SQL of this dialect."""
        self.memory: dict[Any, Any] = {}
        """What acts remember of this database between requests; each bounds its own part."""
        self.thread = Standing()
        self.precedence = Precedence()

    @property
    def missing(self) -> str:
        """The file that is not there, which a first statement would make empty; "" else."""
        missing: str = self.engine.missing
        return missing

    def compiled(self, query: Any) -> tuple[str, list[Any]]:
        """The SQL text of a Peewee query in this dialect, and its values in their places."""
        sql, values = self.engine.get_sql_context().sql(query).query()
        return sql, values

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a SELECT answers. Raises Unavailable."""
        if self.thread.inside:
            return self.fetched(sql, values)
        self.precedence.pause()
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

    def at_one_moment(self, act: Callable[[], Result]) -> Result:
        """What `act` answers, all of whose SELECTs see one moment. Run again like a write is."""

        def whole() -> Result:
            with self.read_transaction():
                return act()

        return self.retried(whole, repeatable=True)

    @contextmanager
    def near_writes(self) -> Iterator[None]:
        """What is read inside is read, on SQLite, over the connection of those who write.

        For what is read right before a write that follows from it: that connection still knows the
        pages that others have to read anew after each write. No transaction: another process may
        write in between.
        """
        if self.dialect == "mysql":
            yield
            return
        self.precedence.pause()
        with self.engine.writing(self.timeout), self.precedence.hastening():
            yield

    @contextmanager
    def write_transaction(self) -> Iterator[None]:
        """What happens inside is written whole when it ends well, and not at all when it raises."""
        self.precedence.pause()
        opened = (
            self.transaction(("START TRANSACTION",)) if self.dialect == "mysql" else self.alone()
        )
        with opened:
            yield
            began = self.precedence.committing()
        self.precedence.committed(began)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A transaction of SQLite's that writes, of which there is one at a time."""
        # IMMEDIATE: two deferred readers that both turn writer can only fail.
        with self.engine.writing(self.timeout), self.transaction(("BEGIN IMMEDIATE",)):
            yield

    @contextmanager
    def transaction(self, begin: Sequence[str]) -> Iterator[None]:
        """Open with the statements of `begin`; COMMIT at the end, ROLLBACK on any exception."""
        self.first(self.begin, begin)
        self.thread.inside = True
        try:
            yield
            self.commit()
        except BaseException:
            self.roll_back()
            raise
        finally:
            self.thread.inside = False

    def commit(self) -> None:
        """Commit. When that gets no answer, it may have happened: Unavailable, its fate UNKNOWN."""
        try:
            self.run("COMMIT")
        except Unavailable as refusal:
            if self.dialect == "mysql" and refusal.fate is not Fate.UNDONE:
                refusal.fate = Fate.UNKNOWN
            raise

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

    def retried(self, act: Callable[[], Result], repeatable: bool = False) -> Result:
        """Run `act`, a whole write transaction, again while nothing came of it.

        `repeatable`: `act` sees whether it was done already, so that it may also be run again when
        its COMMIT got no answer. Raises Unavailable when it does not succeed in `timeout` seconds;
        the time does not count in which a server hung whose connection was then lost.
        """
        deadline, moves = clock.monotonic() + self.timeout, self.moves
        again = (*AGAIN, Fate.UNKNOWN) if repeatable else AGAIN
        for attempt in range(ATTEMPTS):
            try:
                return act()
            except Unavailable as refusal:
                hung = refusal.fate in (Fate.LOST, Fate.UNKNOWN) or self.moves > moves
                longer = self.patience + LONGER_SECONDS if hung else 0
                if refusal.fate not in again or clock.monotonic() > deadline + longer:
                    raise
                # What has landed is seen only when it is done.
                least = LANDING_SECONDS if refusal.fate is Fate.UNKNOWN else 0
                sleep(least + random.uniform(0, min(0.5, 0.005 * 2**attempt)))
        return act()

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

    def rest(self) -> None:
        """Hold no connection on either engine until the next statement, and no place among those
        who write: the thread will wait."""
        self.precedence.land()
        if not self.engine.is_closed():
            self.engine.close()

    def close(self) -> None:
        """Close this thread's connection and the idle ones of the pool."""
        if not self.engine.is_closed():
            self.engine.close()
        if self.dialect == "mysql":
            self.engine.close_idle()
        else:
            self.engine.put_down()


def connect(settings: Settings, patient: bool = False) -> Database:
    """The database of the settings; nothing is opened before the first statement.

    `patient`: for commands that run long statements, which no read timeout may cut.
    """
    parts = urlsplit(settings.database_url)
    limits = settings.database_timeout, settings.query_seconds
    if parts.scheme == "sqlite":
        path = unquote(parts.path[1:])
        return Database(sqlite(path, settings, patient), "sqlite", *limits)
    engine = mysql(settings.database_url, settings, patient)
    database = Database(engine, "mysql", *limits)
    # What was remembered was read on another server, which may have known more.
    engine.hosts.on_move = database.memory.clear
    return database
