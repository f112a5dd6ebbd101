"""What each index of tasks, activities and their tags costs, and which requests go along it.

    python -m benches.indexes URL [URL]      # a table for docs/indexes.md

Of the first database, which needs activities (`benches.data.load`), comes what goes along an index.
The cost is the processor time of driver and server for tasks (activities) that are inserted and led
to their end by bare statements, in one transaction, with the index and without it. What was
inserted is removed again.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

from app import clock, config
from app.catalog.indexes import INDEXES, Index
from app.database import Database, connect
from app.repository import indexing
from benches import uses
from benches.cost import Meter
from benches.data import ACTIVITY_COLUMNS, FOREIGN
from benches.work import Work
from benches.written import ROWS

COUNT = 200
"""Tasks, or activities, of one measurement."""
ROUNDS = 5
TABLES = ("tasks", "task_tags", "activities", "activity_tags")
MIB = 1 << 20
OF_SQLITE = "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name"
OF_MYSQL = (
    "SELECT index_name, stat_value * @@innodb_page_size FROM mysql.innodb_index_stats"
    " WHERE stat_name = 'size' AND database_name = DATABASE()"
)
STEPS = {
    "tasks": (
        "UPDATE tasks SET state = 2, executor_id = 1, assigned_at = {0}, updated_at = {0},"
        " ready = 0, due_at = {0}, fence = 1, lease_until = {0} WHERE id = {0}",
        "UPDATE tasks SET state = 3, started_at = {0}, updated_at = {0}, due_at = {0}"
        " WHERE id = {0}",
        "UPDATE task_tags SET started_at = {0} WHERE task_id = {0}",
        "UPDATE tasks SET state = 5, result = 1, completed_at = {0}, updated_at = {0},"
        " due_at = NULL, lease_until = NULL WHERE id = {0}",
        "UPDATE task_tags SET completed_at = {0} WHERE task_id = {0}",
    ),
    "activities": (
        "UPDATE activities SET state = 5, result = 1, completed_at = {0}, updated_at = {0}"
        " WHERE id = {0}",
    ),
}
"""The steps after the insertion; `{0}` stands for a value, the last one for the number."""


@dataclass(frozen=True)
class Spent:
    """Microseconds of processor time for one task (activity): its insertion, its whole life."""

    insert: float
    life: float


class Lives:
    """Lives of tasks and of activities in one database."""

    def __init__(self, url: str) -> None:
        self.work = Work(url)
        self.database = self.work.database
        self.meter = Meter(url)
        self.chance = random.Random(1)

    def told(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run `text` for each of `rows`."""
        self.database.run_many(text.format(self.database.mark), rows)

    def insertion(self, table: str, columns: str) -> str:
        """An INSERT."""
        marks = ", ".join(["{0}"] * len(columns.split(",")))
        return f"INSERT INTO {table} ({columns}) VALUES ({marks})"

    def tasks(self) -> tuple[list[tuple[str, list[Any]]], list[int]]:
        """Insertions of new tasks with their tags, and their numbers."""
        [rows] = self.work.rows(COUNT, COUNT)
        texts = [self.insertion(table, names) for table, names in ROWS.items()]
        return list(zip(texts, rows, strict=True)), [row[0] for row in rows[0]]

    def activities(self) -> tuple[list[tuple[str, list[Any]]], list[int]]:
        """Insertions of activities of a task that is there, and their numbers."""
        found = self.database.rows("SELECT id, tenant_id, branch_id FROM tasks LIMIT 500")
        first, now, rows = 2**52, clock.now(), []
        for number in range(first, first + COUNT):
            task, tenant, branch = self.chance.choice(found)
            rows.append((
                number, uuid4().bytes, task, None, self.chance.randint(1, 30), 3, None, tenant,
                branch, self.chance.randint(1, 10_000), self.chance.randint(1, 3_000),
                self.chance.randint(1, 2_000), self.chance.randint(1, 20_000), 0, now, now, now,
                None,
            ))  # fmt: skip
        numbers = list(range(first, first + COUNT))
        return [(self.insertion("activities", ACTIVITY_COLUMNS), rows)], numbers

    def spent(self, kind: str) -> Spent:
        """What one of `kind` costs now."""
        insertions, numbers = self.tasks() if kind == "tasks" else self.activities()
        with self.database.write_transaction():
            inserted = self.meter.measure(partial(self.all, insertions)).cpu
            later = [
                (text, [[clock.now()] * (text.count("{0}") - 1) + [number] for number in numbers])
                for text in STEPS[kind]
            ]
            lived = self.meter.measure(partial(self.all, later)).cpu
        self.remove(kind, numbers)
        return Spent(inserted / COUNT * 1e6, (inserted + lived) / COUNT * 1e6)

    def all(self, some: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Run statements, each for its rows."""
        for text, rows in some:
            self.told(text, rows)

    def remove(self, kind: str, numbers: Sequence[int]) -> None:
        """What was inserted is gone."""
        some = [[number] for number in numbers]
        with self.database.write_transaction():
            if kind == "tasks":
                for table in ("task_tags", "task_details"):
                    self.told(f"DELETE FROM {table} WHERE task_id = {{0}}", some)
            self.told(f"DELETE FROM {kind} WHERE id = {{0}}", some)

    def middle(self, kind: str) -> Spent:
        """The same, the median of some rounds."""
        found = [self.spent(kind) for _ in range(ROUNDS)]
        return Spent(median(one.insert for one in found), median(one.life for one in found))


def droppable(database: Database, index: Index) -> bool:
    """Whether the index is measured: MySQL needs some for its foreign keys."""
    needed = database.dialect == "mysql" and index.name in FOREIGN
    return index.table in TABLES and not needed


def sizes(database: Database) -> dict[str, float]:
    """Name of an index to its MiB."""
    found = database.rows(OF_SQLITE if database.dialect == "sqlite" else OF_MYSQL)
    return {name: float(size) / MIB for name, size in found}


def costs(url: str) -> Iterator[tuple[Index, float, float]]:
    """Of each index: by which share it makes an insertion and a whole life dearer."""
    lives = Lives(url)
    database = lives.database
    for kind in ("tasks", "activities"):
        lives.middle(kind)
        before = lives.middle(kind)
        for index in INDEXES:
            if index.table.startswith(kind[:-3]) and droppable(database, index):
                on = "" if database.dialect == "sqlite" else f" ON {index.table}"
                database.run(f"DROP INDEX {index.name}{on}")
                without = lives.middle(kind)
                indexing.build(database, [index])
                after = lives.middle(kind)
                insert = (before.insert + after.insert) / 2 / without.insert - 1
                yield index, insert, (before.life + after.life) / 2 / without.life - 1
                before = after
    database.close()


def rows(urls: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is found out of each index, by the words above it."""
    databases = [connect(config.load({"TASKS_DATABASE_URL": url}), patient=True) for url in urls]
    told = uses.gone_along(databases[0], uses.telling(), 3)
    every = uses.gone_along(databases[0], uses.pairs(), 1)
    size = [sizes(database) for database in databases]
    spent = [{index.name: (a, b) for index, a, b in costs(url)} for url in urls]
    for index in INDEXES:
        if index.table in TABLES:
            row: dict[str, Any] = {"index": index.name, "serves": index.serves}
            row |= {"telling": told[index.name], "pairs": every[index.name]}
            for database, mib, share in zip(databases, size, spent, strict=True):
                insert, life = share.get(index.name, (None, None))
                name = "SQLite" if database.dialect == "sqlite" else "MariaDB"
                row |= {f"{name} MiB": mib.get(index.name), f"insert {name}": insert}
                row |= {f"life {name}": life}
            yield row
    for database in databases:
        database.close()


def cell(name: str, value: Any) -> str:
    """A value in the table."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.1f}" if "MiB" in name else f"{value:+.0%}"
    return f"`{value}`" if name == "index" else str(value)


def table(urls: Sequence[str]) -> Iterator[str]:
    """The lines of a table for people."""
    for number, row in enumerate(rows(urls)):
        if not number:
            yield "| " + " | ".join(row) + " |"
            yield "|---" * len(row) + "|"
        yield "| " + " | ".join(cell(name, value) for name, value in row.items()) + " |"


if __name__ == "__main__":
    for told in table(sys.argv[1:]):
        print(told, flush=True)
