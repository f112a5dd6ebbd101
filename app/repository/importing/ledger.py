"""What an import has met so far, kept in a temporary file so that memory does not grow with it."""

import sqlite3
from collections.abc import Iterable

TABLES = """
CREATE TABLE tasks (id INTEGER PRIMARY KEY, tenant INTEGER);
CREATE TABLE activities (id INTEGER PRIMARY KEY, task INTEGER);
CREATE TABLE tasks_uuids (uuid BLOB PRIMARY KEY, id INTEGER) WITHOUT ROWID;
CREATE TABLE activities_uuids (uuid BLOB PRIMARY KEY, id INTEGER) WITHOUT ROWID;
BEGIN;
"""
CACHE_KIB = 48 * 1024


class Ledger:
    """Which ids and UUIDs came before, and to whom they belong."""

    def __init__(self) -> None:
        """Nothing came before."""
        # An empty name is a file that SQLite makes, keeps to itself and removes.
        self.file = sqlite3.connect("", isolation_level=None)
        self.file.execute("PRAGMA journal_mode = OFF")
        self.file.execute("PRAGMA synchronous = OFF")
        self.file.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self.file.executescript(TABLES)
        self.run = self.file.execute

    def tenant_of(self, task: int) -> int | None:
        """The number of a task's tenant; None: no such task came before."""
        row = self.run("SELECT tenant FROM tasks WHERE id = ?", (task,)).fetchone()
        return row[0] if row else None

    def task_of(self, activity: int) -> int | None:
        """The id of an activity's task; None: no such activity came before."""
        row = self.run("SELECT task FROM activities WHERE id = ?", (activity,)).fetchone()
        return row[0] if row else None

    def owner(self, plural: str, uuid: bytes) -> int | None:
        """The id that came with this UUID; None: none did."""
        statement = OWNERS[plural]
        row = self.run(statement, (uuid,)).fetchone()
        return row[0] if row else None

    def enter(self, plural: str, rows: Iterable[tuple[int, bytes, int]]) -> None:
        """Id, UUID and tenant (of a task) or task (of an activity) have come."""
        entry, uuids = ENTRIES[plural]
        for number, uuid, owner in rows:
            self.run(entry, (number, owner))
            self.run(uuids, (uuid, number))

    def close(self) -> None:
        """Forget everything."""
        self.file.close()


OWNERS = {
    "tasks": "SELECT id FROM tasks_uuids WHERE uuid = ?",
    "activities": "SELECT id FROM activities_uuids WHERE uuid = ?",
}
ENTRIES = {
    "tasks": (
        "INSERT OR REPLACE INTO tasks VALUES (?, ?)",
        "INSERT OR REPLACE INTO tasks_uuids VALUES (?, ?)",
    ),
    "activities": (
        "INSERT OR REPLACE INTO activities VALUES (?, ?)",
        "INSERT OR REPLACE INTO activities_uuids VALUES (?, ?)",
    ),
}
