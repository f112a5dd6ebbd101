"""A database: reads, and transactions that happen whole or not at all, run again if need be.

Acts receive a `Database` and hand it SQL text with values, or a Peewee query.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from time import sleep
from typing import Any
from urllib.parse import unquote, urlsplit

import peewee

from app import clock
from app.config import Settings
from app.connections import Connections, Result, Row
from app.engines import LONGER_SECONDS, mysql, sqlite
from app.errors import Unavailable
from app.failures import AGAIN, Fate
from app.precedence import Precedence

LANDING_SECONDS = 0.2
"""How long a COMMIT that got no answer may still take."""
ATTEMPTS = 8


class Standing(local):
    """Whether the thread that looks is inside a transaction."""

    inside = False


class Database(Connections):
    """One database of either dialect; who writes and who reads in it, and in which order."""

    def __init__(self, engine: Any, dialect: str, timeout: int, query_seconds: int) -> None:
        """See `Connections`."""
        super().__init__(engine, dialect, timeout, query_seconds)
        self.memory: dict[Any, Any] = {}
        """What acts remember of this database between requests; each bounds its own part."""
        self.thread = Standing()
        self.precedence = Precedence()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a SELECT answers. Raises Unavailable."""
        if self.thread.inside:
            return self.fetched(sql, values)
        self.precedence.pause()
        return self.first(self.fetched, sql, values)

    def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row that a SELECT answers, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def select(self, query: Any) -> list[Row]:
        """What a Peewee query answers, as plain tuples."""
        return self.rows(*self.compiled(query))

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
        # IMMEDIATE: two deferred readers of SQLite that both turn writer can only fail.
        begin = "START TRANSACTION" if self.dialect == "mysql" else "BEGIN IMMEDIATE"
        with self.engine.writing(self.timeout), self.transaction((begin,)):
            yield
            began = self.precedence.committing()
        self.precedence.committed(began)

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

    def rest(self) -> None:
        """Hold no connection on either engine until the next statement, and no place among those
        who write: the thread will wait."""
        self.precedence.land()
        if not self.engine.is_closed():
            self.engine.close()


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
