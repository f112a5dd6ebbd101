"""The database engines of the tests: SQLite files in memory, and a MariaDB server of their own.

The server listens on loopback, keeps its data on tmpfs and lives exactly as long as the test run:
a small shell process waits for the run's lock to be let go, even by a SIGKILL, and then ends the
server and removes its folder. All xdist workers share it, each with databases of its own.
"""

import fcntl
import getpass
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app import config, database
from app.repository import schema

USED = pytest.StashKey[dict[str, str]]()
"""What really ran: engine or browser -> its version."""
GIVEN = "TASKS_TEST_MYSQL_URL"
MISSING = f"no MariaDB: install mariadb-server, or set {GIVEN} to an account that makes databases"
WATCH = """(
mariadbd --defaults-file="$1/my.cnf" --init-file="$1/init.sql" >>"$1/error.log" 2>&1 &
flock "$1/alive" true
kill -KILL $!
wait
rm -rf -- "$1"
) </dev/null >/dev/null 2>&1 &
"""
OPTIONS = """[mariadbd]
user={user}
datadir={room}/data
tmpdir={room}
socket={room}/socket
pid-file={room}/pid
bind-address=127.0.0.1
port={port}
skip-name-resolve
skip-log-bin
character-set-server=utf8mb4
innodb-buffer-pool-size=128M
innodb-flush-log-at-trx-commit=0
innodb-log-file-size=48M
innodb-lock-wait-timeout=5
max-connections=300
performance-schema=OFF
"""


def make_room() -> tuple[Path, Any]:
    """A folder on tmpfs for all that the run keeps, and the open lock that keeps it alive."""
    shm = Path("/dev/shm")
    room = Path(
        tempfile.mkdtemp(prefix="tasks-tests-", dir=shm if os.access(shm, os.W_OK) else None)
    )
    alive = (room / "alive").open("w")
    fcntl.flock(alive, fcntl.LOCK_EX)
    return room, alive


def leave_room(room: Path, alive: Any) -> None:
    """Let go of the lock; a server that was started ends, and the folder goes with it."""
    started = (room / "url").exists()
    alive.close()
    if not started:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time holds the lock at `path`."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def server(room: Path) -> str | None:
    """The address of the server, without a database's name; the first caller starts it.

    None where there is neither a mariadbd nor an address in the environment.
    """
    if given := os.environ.get(GIVEN):
        return given.rpartition("/")[0]
    if not shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return None
    with locked(room / "starting"):
        if not (room / "url").exists():
            (room / "url").write_text(start(room))
    return (room / "url").read_text()


def start(room: Path) -> str:
    """Install and start a server in `room` -> its address. Raises RuntimeError with its log."""
    port, password, user = free_port(), secrets.token_hex(16), getpass.getuser()
    (room / "my.cnf").write_text(OPTIONS.format(room=room, port=port, user=user))
    (room / "init.sql").write_text(
        f"CREATE USER tasks@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON *.* TO tasks@'127.0.0.1';\n"
    )
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={room}/data", f"--user={user}"]
    install += ["--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=socket"]
    subprocess.run(install, check=True, capture_output=True, env=environment)
    watch = ["sh", "-c", WATCH, "sh", str(room)]
    subprocess.run(watch, check=True, start_new_session=True, env=environment)
    url = f"mysql://tasks:{password}@127.0.0.1:{port}"
    wait(url, room)
    return url


def free_port() -> int:
    """A port on loopback that nobody uses just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(url: str, room: Path) -> None:
    """Return once the server answers. Raises RuntimeError with the end of its log after 60 s."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            raw(url).close()
        except database.mysql_driver.Error:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError((room / "error.log").read_text()[-2000:])


def raw(url: str, name: str | None = None) -> Any:
    """A connection of the driver that the service uses, outside the service."""
    parts = urlsplit(url)
    more = {"database": name} if name else {}
    return database.mysql_driver.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password,
        autocommit=True,
        **more,
    )


def version(url: str) -> str:
    """What the server says it is, and the driver that asked."""
    with closing(raw(url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT VERSION()")
        return f"{cursor.fetchone()[0]}, driver {database.mysql_driver.__name__}"


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest migration."""
    connected = database.connect(config.load({"TASKS_DATABASE_URL": url}))
    schema.upgrade(connected)
    connected.close()


class SqliteEngine:
    """SQLite files: a migrated one is made once and copied for every test."""

    def __init__(self, room: Path, worker: str) -> None:
        self.folder = room / worker
        self.template = self.folder / "template.db"
        self.made = 0

    def facts(self) -> str:
        """What really ran."""
        return sqlite3.sqlite_version

    def blank(self) -> str:
        """The address of a database without any table."""
        self.made += 1
        self.folder.mkdir(exist_ok=True)
        return f"sqlite:///{self.folder}/{self.made}.db"

    def fresh(self) -> str:
        """The address of a database at the newest migration, with nothing in it."""
        url = self.blank()
        if not self.template.exists():
            migrate(f"sqlite:///{self.template}")
        shutil.copyfile(self.template, url.removeprefix("sqlite:///"))
        return url

    def forget(self, url: str) -> None:
        """Remove the files of a database that `blank` or `fresh` gave."""
        for file in self.folder.glob(f"{Path(url).name}*"):
            file.unlink()


class MysqlEngine:
    """Two databases of a worker: one without tables, one that is emptied for every test."""

    def __init__(self, server: str, worker: str) -> None:
        self.server = server
        self.name = f"tasks_{worker}"
        self.first_rows: dict[str, list[tuple[Any, ...]]] = {}

    def facts(self) -> str:
        """What really ran."""
        return version(self.server)

    def blank(self) -> str:
        """The address of a database without any table."""
        return self.recreate(f"{self.name}_blank")

    def recreate(self, name: str) -> str:
        """Drop and make the database `name` -> its address."""
        with closing(raw(self.server)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
        return f"{self.server}/{name}"

    def fresh(self) -> str:
        """The address of a database at the newest migration, with nothing in it."""
        if not self.first_rows:
            migrate(self.recreate(self.name))
            self.remember()
        else:
            self.empty()
        return f"{self.server}/{self.name}"

    def remember(self) -> None:
        """Keep what the migrations themselves wrote into each table."""
        with (
            closing(raw(self.server, self.name)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute("SHOW TABLES")
            for (table,) in cursor.fetchall():
                cursor.execute(f"SELECT * FROM {table}")
                self.first_rows[table] = list(cursor.fetchall())

    def empty(self) -> None:
        """Put every table back to what the migrations left in it; a few milliseconds."""
        with (
            closing(raw(self.server, self.name)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            for table, rows in self.first_rows.items():
                cursor.execute(f"DELETE FROM {table}")
                for row in rows:
                    marks = ", ".join(["%s"] * len(row))
                    cursor.execute(f"INSERT INTO {table} VALUES ({marks})", row)

    def forget(self, url: str) -> None:
        """The next test empties it."""
