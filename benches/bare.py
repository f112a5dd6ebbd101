"""Tables with the same rows as the service's and their primary keys alone: what indexes cost."""

from app.database import Database
from benches.written import ROWS

PREFIX = "bare_"
"""What their names begin with."""


def make(database: Database, most: int | None = None) -> None:
    """There are such tables, filled: with all rows, or with so many at most of each."""
    some = "" if most is None else f" LIMIT {most}"
    for table in ROWS:
        if not database.engine.table_exists(PREFIX + table):
            (of_mysql if database.dialect == "mysql" else of_sqlite)(database, table)
            with database.write_transaction():
                database.run(f"INSERT INTO {PREFIX}{table} SELECT * FROM {table}{some}")


def of_mysql(database: Database, table: str) -> None:
    """A copy of `table` without what is not its primary key."""
    database.run(f"CREATE TABLE {PREFIX}{table} LIKE {table}")
    names = {row[2] for row in database.rows(f"SHOW INDEX FROM {table}")} - {"PRIMARY"}
    if names:
        dropped = ", ".join(f"DROP INDEX {name}" for name in sorted(names))
        database.run(f"ALTER TABLE {PREFIX}{table} {dropped}")


def of_sqlite(database: Database, table: str) -> None:
    """The same; here a UNIQUE is part of the table."""
    columns = database.rows(
        f"SELECT name, type, dflt_value, pk FROM pragma_table_info('{table}') ORDER BY cid"
    )
    told = [f"{name} {kind} DEFAULT {default or 'NULL'}" for name, kind, default, _ in columns]
    keys = [row[0] for row in sorted(columns, key=lambda row: row[3]) if row[3]]
    clustered = " WITHOUT ROWID" if len(keys) > 1 else ""
    told.append(f"PRIMARY KEY ({', '.join(keys)})")
    database.run(f"CREATE TABLE {PREFIX}{table} ({', '.join(told)}){clustered}")
