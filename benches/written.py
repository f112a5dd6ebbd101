"""The floor of writing: the rows of a task's life, and nothing that is not needed to write them.

The bare driver writes what the service writes, into the same tables with the same indexes, in the
same transactions, as durably; a test holds the rows of both equal. It is told all that the service
has to find out: numbers of names, which task is next, how it was before. Nobody makes it slower.
"""

import sqlite3
from urllib.parse import unquote, urlsplit

ROWS = {
    "tasks": "id, uuid, type_id, queue_id, priority, state, tenant_id, branch_id, user_id,"
    " policy_id, resource_id, issuer_id, affinity_id, workflow_id, cancellable, lane_id,"
    " enqueued_at, updated_at, ready",
    "task_details": "task_id, tags, context, argument, queued_at",
    "task_tags": "tag_id, task_id",
}
"""Columns of a new task, of its details and of its tags."""
CLAIM = (
    "UPDATE tasks SET state = 2, executor_id = ?, assigned_at = ?, updated_at = ?, ready = 0,"
    " due_at = ?, fence = 1, lease_until = ?, assign_count = 1, revision = 2 WHERE id = ?",
    "INSERT INTO attempts (task_id, number, executor_id, assigned_at) VALUES (?, 1, ?, ?)",
)
START = (
    "UPDATE tasks SET state = 3, started_at = ?, updated_at = ?, due_at = ?, lease_until = ?,"
    " revision = 3 WHERE id = ?",
    "UPDATE task_tags SET started_at = ? WHERE task_id = ?",
    "UPDATE attempts SET started_at = ? WHERE task_id = ? AND number = 1",
)
COMPLETE = (
    "UPDATE tasks SET state = 5, result = 1, completed_at = ?, updated_at = ?, due_at = NULL,"
    " lease_until = NULL, revision = 4 WHERE id = ?",
    "UPDATE task_details SET payload = ? WHERE task_id = ?",
    "UPDATE task_tags SET completed_at = ? WHERE task_id = ?",
    "UPDATE attempts SET ended_at = ?, outcome = 'ok', ended_by = ?"
    " WHERE task_id = ? AND number = 1",
)


class Floor:
    def __init__(self, url, prefix=""):
        parts = urlsplit(url)
        if parts.scheme == "sqlite":
            self.connection = sqlite3.connect(unquote(parts.path[1:]), isolation_level=None)
            for pragma in ("journal_mode = wal", "synchronous = full", "cache_size = -16384",
                           "foreign_keys = 1", "busy_timeout = 5000"):  # fmt: skip
                self.connection.execute(f"PRAGMA {pragma}")
        else:
            from app.engines import mysql_driver  # mysqlclient, or PyMySQL without it

            self.connection = mysql_driver.connect(
                host=parts.hostname, port=parts.port, user=parts.username, password=parts.password,
                database=parts.path[1:], autocommit=True, charset="utf8mb4")  # fmt: skip
            isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
            self.connection.cursor().execute(isolation)
        self.mark = "?" if parts.scheme == "sqlite" else "%s"
        self.begin = "BEGIN IMMEDIATE" if parts.scheme == "sqlite" else "START TRANSACTION"
        self.cursor = self.connection.cursor()
        self.inserts = []
        for table, names in ROWS.items():
            marks = ", ".join([self.mark] * len(names.split(",")))
            self.inserts.append(f"INSERT INTO {prefix}{table} ({names}) VALUES ({marks})")
        self.steps = {s: [t.replace("?", self.mark) for t in s] for s in (CLAIM, START, COMPLETE)}

    def enqueue(self, rows):
        """Tasks, their details and their tags, in one transaction."""
        self.cursor.execute(self.begin)
        for text, some in zip(self.inserts, rows, strict=True):
            self.cursor.executemany(text, some)
        self.cursor.execute("COMMIT")

    def step(self, step, *values):
        """CLAIM, START or COMPLETE, the values of each statement, in one transaction."""
        self.cursor.execute(self.begin)
        for text, some in zip(self.steps[step], values, strict=True):
            self.cursor.execute(text, some)
        self.cursor.execute("COMMIT")
