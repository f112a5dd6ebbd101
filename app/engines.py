"""The two kinds of database, and how a connection to each is opened."""

import itertools
import os
import select
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

import peewee
from playhouse.pool import PooledMySQLDatabase

from app import clock
from app.addresses import Address, account
from app.config import Settings
from app.errors import Unavailable
from app.failures import Fate, number_of
from app.hosts import Hosts

try:
    import MySQLdb as driver
except ImportError:  # pragma: no cover - the pure-Python driver stands in where C cannot be built
    import pymysql as driver

mysql_driver: Any = driver
"""The driver that this process has for MySQL."""

LONGER_SECONDS = 2
"""How much longer than for a lock is waited for a server's answer: then it hangs."""
CONNECT_SECONDS = 2
"""How long one of several servers may take to greet."""
READ_ONLY, UNKNOWN_VARIABLE = 1290, 1193
TRIAL = ("START TRANSACTION READ WRITE", "ROLLBACK")
"""Refused by a server that takes no writes; without a quorum it would still greet."""
SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

THREAD_KIB, ALONE_KIB = 4_096, 16_384
"""Pages of SQLite's that a connection keeps: that of a server's thread, and one of a kind. Were all
as large, a worker could grow by 250 MiB, and lists of a million tasks cost the same; whoever writes
finds the pages of all indexes again."""
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

    def extend(self, seconds: int) -> None:
        """It counts from now on: what was waited for was a server that hung."""
        if self.until is not None:
            self.until = clock.monotonic() + seconds


class Sqlite(peewee.SqliteDatabase):
    """A SQLite file whose folder is made when needed and that only its owner can read."""

    _state: Any

    def __init__(self, path: str, shared: bool, **options: Any) -> None:
        """`shared`: all threads that write do so over one connection, one after the other."""
        # A connection forgets the pages it knows as soon as another one has written: with one for
        # each thread, every writer would read some sixty pages anew.
        super().__init__(path, check_same_thread=not shared, **options)
        self.limit = Limit()
        self.shared = shared
        self.pen = threading.RLock()
        self.writer: Any = None

    @property
    def missing(self) -> str:
        """The file, where it is not there."""
        return "" if Path(self.database).exists() else str(self.database)

    def writing(self, seconds: int) -> AbstractContextManager[None]:
        """Within it this thread alone writes in this process: see `Pen`."""
        return Pen(self, seconds) if self.shared else nullcontext()

    def take(self, connection: Any) -> None:
        """This thread goes on with `connection`; None: with none, until the next statement."""
        if connection is None:
            self._state.reset()
        else:
            self._state.set_connection(connection)

    def put_down(self) -> None:
        """Close the connection of those who write, unless somebody does; the next opens another."""
        if self.pen.acquire(blocking=False):
            try:
                if self.writer is not None:
                    self.writer.close()
            finally:
                self.writer = None
                self.pen.release()

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


class Pen:
    """Who has it alone writes in this process, over the connection of those who write."""

    __slots__ = ("engine", "own", "seconds")

    def __init__(self, engine: Sqlite, seconds: int) -> None:
        """`seconds`: how long is waited for it."""
        self.engine, self.seconds = engine, seconds

    def __enter__(self) -> None:
        """Take it. Raises Unavailable."""
        if not self.engine.pen.acquire(timeout=self.seconds):
            raise Unavailable(reason="the database is busy")
        self.own = self.engine._state.conn
        self.engine.take(self.engine.writer)

    def __exit__(self, *_: object) -> None:
        """Give it back; the thread goes on with its own connection."""
        used, new = self.engine._state.conn, self.engine.writer is None
        try:
            if used is not None and new:
                used.execute(f"PRAGMA cache_size = -{ALONE_KIB}")
        finally:
            self.engine.writer = used
            self.engine.take(self.own)
            self.engine.pen.release()


class Server(peewee.MySQLDatabase):
    """A MySQL-compatible server, reached through the driver that this process has.

    Of several the one that `hosts` names: see there.
    """

    hosts: Hosts
    missing = ""
    """A server knows by itself which databases it has."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.mariadb = False
        super().__init__(*args, **options)
        self.limit = Limit()

    def _connect(self) -> Any:
        refusals: list[Exception] = []
        # As often as there are servers; other threads may turn to another one meanwhile.
        for _ in self.hosts.servers:
            server = self.hosts.current
            try:
                return self.opened(server, self.hosts.several)
            except mysql_driver.Error as error:
                refusals.append(error)
                self.hosts.leave(server)
        if any(number_of(error) == READ_ONLY for error in refusals):
            return self.opened(self.hosts.current)  # reads can be answered at least
        raise max(refusals, key=lambda error: number_of(error) in Fate.UNFIT.value)

    def opened(self, server: Address, writing: bool = False) -> Any:
        """A connection to `server`; to one that takes writes if `writing`. Raises driver errors."""
        connection = open_connection(
            self.database, host=server.host, port=server.port, **self.connect_params
        )
        connection.server = server
        self.mariadb = "mariadb" in connection.get_server_info().lower()
        try:
            if writing:
                run(connection, *TRIAL)
        except mysql_driver.Error:
            connection.close()
            raise
        return connection

    def writing(self, seconds: int) -> AbstractContextManager[None]:
        """As many write at a time as the server bears."""
        return nullcontext()

    def fit(self, server: Address) -> bool:
        """Whether `server` can be reached and takes writes."""
        try:
            self.opened(server, writing=True).close()
        except mysql_driver.Error:
            return False
        return True

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

    def roll(self) -> list[tuple[Address, str, str]]:
        """Each server, the id of the cluster it is in, and why it does not answer; "" for none."""
        called = []
        for server in self.hosts.servers:
            try:
                with closing(self.opened(server)) as connection:
                    called.append((server, cluster_of(connection), ""))
            except mysql_driver.Error as error:
                called.append((server, "", " ".join(str(error.args[-1]).split())))
        return called


class MySQL(PooledMySQLDatabase, Server):
    """A pool of connections to one server at a time, taken and given back without asking it.

    Peewee's asks twice: whether the connection lives, and for a rollback. `Database` replaces a
    connection that turns out to be lost, and leaves no transaction open. A server that hangs would
    halt all, as the pool is locked meanwhile.
    """

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Open this thread's connection, now and then looking whether a better server is back."""
        self.hosts.look_back(self.fit)
        return bool(super().connect(reuse_if_open))

    def _is_closed(self, conn: Any) -> bool:
        if conn.server == self.hosts.current and not spoken_to(conn):
            return False
        self._close_raw(conn)
        return True

    def _can_reuse(self, conn: Any) -> bool:
        return bool(conn.server == self.hosts.current)


def spoken_to(connection: Any) -> bool:
    """Whether an idle connection has something to read: its server has said goodbye."""
    try:
        socket = connection if hasattr(connection, "fileno") else connection._sock
        poll = select.poll()
        poll.register(socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))
    except (AttributeError, OSError, ValueError, mysql_driver.Error):
        return True  # closed on this side


def cluster_of(connection: Any) -> str:
    """The id of the cluster that a server is in; "" for none."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_state_uuid'")
        found = cursor.fetchone()
        return str(found[1]) if found else ""


def run(connection: Any, *statements: str) -> None:
    """Run statements that answer nothing. Raises the driver's errors."""
    with closing(connection.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)


def open_connection(name: str, lock_seconds: int | None = None, **parameters: Any) -> Any:
    """One raw connection: strict, binary collation without padding, READ COMMITTED.

    So writers take fewer locks; who reads by several statements asks for one moment himself.
    `lock_seconds`: how long a statement waits for a row's lock; None: as long as the server is set
    to.
    """
    connection = mysql_driver.connect(database=name, autocommit=True, **parameters)
    try:
        prepare(connection, lock_seconds)
    except mysql_driver.Error:
        connection.close()
        raise
    return connection


def prepare(connection: Any, lock_seconds: int | None) -> None:
    """The session is ours."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT VERSION()")
        for statement in session(str(cursor.fetchone()[0])):
            cursor.execute(statement)
        if lock_seconds is not None:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = %s", (lock_seconds,))
        try:
            # In a cluster, what was committed through another server is seen. Once a transaction.
            cursor.execute("SET SESSION wsrep_sync_wait = 1")
        except mysql_driver.Error as error:
            if number_of(error) != UNKNOWN_VARIABLE:
                raise


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


def sqlite(path: str, settings: Settings, patient: bool) -> Sqlite:
    """A SQLite file with write-ahead log; readers never wait for the writer."""
    return Sqlite(
        path,
        not patient,
        timeout=settings.database_timeout,
        pragmas={
            "busy_timeout": settings.database_timeout * 1000,
            "journal_mode": "wal",
            "synchronous": settings.sqlite_synchronous,
            "foreign_keys": 1,
            "temp_store": "memory",
            "cache_size": -(ALONE_KIB if patient else THREAD_KIB),
        },
        # Peewee's own, in which migrations run: one that reads first could only fail once somebody
        # else has written.
        lock_type="IMMEDIATE",
        cached_statements=512,
    )


def mysql(url: str, settings: Settings, patient: bool) -> MySQL:
    """A pool of connections to the servers that `url` names, one of them at a time."""
    seconds, place = settings.database_timeout, account(url)
    pause = max(seconds, settings.query_seconds) + LONGER_SECONDS
    hurried = {"read_timeout": pause, "write_timeout": pause, "lock_seconds": seconds}
    limits: dict[str, Any] = {} if patient else hurried
    several = len(place.servers) > 1
    engine = MySQL(
        place.name,
        user=place.user,
        password=place.password,
        max_connections=settings.database_pool,
        stale_timeout=300,
        timeout=seconds,
        connect_timeout=min(seconds, CONNECT_SECONDS) if several else seconds,
        **limits,
    )
    engine.hosts = Hosts(place.servers)
    return engine
