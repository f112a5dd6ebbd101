"""The database engines of the tests: SQLite files in memory, and a MariaDB server of their own.

All xdist workers share the server, each with databases of its own; every test begins with an empty
one.
"""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import mariadb
import pytest

from app import config, database
from app.repository.maintenance import schema

USED = pytest.StashKey[dict[str, str]]()
"""What really ran: engine or browser -> its version."""


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
        return mariadb.version(self.server)

    def blank(self) -> str:
        """The address of a database without any table."""
        return self.recreate(f"{self.name}_blank")

    def recreate(self, name: str) -> str:
        """Drop and make the database `name` -> its address."""
        with (
            closing(mariadb.raw(self.server)) as connection,
            closing(connection.cursor()) as cursor,
        ):
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
            closing(mariadb.raw(self.server, self.name)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute("SHOW TABLES")
            # Figures last: what is removed from the others is a change of them.
            for (table,) in sorted(cursor.fetchall(), key=lambda row: "tall" in row[0]):
                cursor.execute(f"SELECT * FROM {table}")
                self.first_rows[table] = list(cursor.fetchall())

    def empty(self) -> None:
        """Put every table back to what the migrations left in it; a few milliseconds."""
        with (
            closing(mariadb.raw(self.server, self.name)) as connection,
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
