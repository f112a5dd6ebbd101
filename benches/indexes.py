"""How large each index of tasks, activities and their tags is, and which requests go along it.

    python -m benches.indexes URL [URL]      # the table of docs/indexes.md

Of the first database, which needs activities (`benches.data.load`), comes what goes along an index.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from app import config
from app.catalog.indexes import INDEXES
from app.database import Database, connect
from benches import uses

TABLES = ("tasks", "task_tags", "activities", "activity_tags")
MIB = 1 << 20
OF_SQLITE = "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name"
OF_MYSQL = (
    "SELECT index_name, stat_value * @@innodb_page_size FROM mysql.innodb_index_stats"
    " WHERE stat_name = 'size' AND database_name = DATABASE()"
)


def sizes(database: Database) -> dict[str, float]:
    """Name of an index to its MiB."""
    found = database.rows(OF_SQLITE if database.dialect == "sqlite" else OF_MYSQL)
    return {name: float(size) / MIB for name, size in found}


def rows(urls: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is found out of each index, by the words above it."""
    databases = [connect(config.load({"TASKS_DATABASE_URL": url}), patient=True) for url in urls]
    told = uses.gone_along(databases[0], uses.telling(), 3)
    every = uses.gone_along(databases[0], uses.pairs(), 1)
    size = [sizes(database) for database in databases]
    for index in INDEXES:
        if index.table in TABLES:
            row: dict[str, Any] = {"index": index.name, "serves": index.serves}
            row |= {"telling": told[index.name], "pairs": every[index.name]}
            for database, mib in zip(databases, size, strict=True):
                name = "SQLite" if database.dialect == "sqlite" else "MariaDB"
                row[f"{name} MiB"] = mib.get(index.name)
            yield row
    for database in databases:
        database.close()


def cell(name: str, value: Any) -> str:
    """A value in the table."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.1f}"
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
