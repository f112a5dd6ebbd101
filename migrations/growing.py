"""Adding to tables that are in use, by statements that are safe to repeat.

A migration whose name begins with `add_` behind its number promises that code which does not know it
goes on as before: it makes tables, columns that may stay empty, and indexes, and changes no row. One
that builds an index says `atomic = False`, so that on SQLite each index is a transaction of its own
and writers get their turn between two.
"""

from time import sleep

from peewee import SqliteDatabase

BREATH_SECONDS = 0.3
"""All who wait for a SQLite file look at it every tenth of a second."""


def breathe(db, table):
    """Let others write, if there is anything in `table` that they would have waited for."""
    if db.execute_sql(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
        sleep(BREATH_SECONDS)


def has_column(db, table, column):
    """Whether `table` has `column`."""
    return any(known.name == column for known in db.get_columns(table))


def has_index(db, table, name):
    """Whether `table` has the index `name`."""
    return any(known.name == name for known in db.get_indexes(table))


def add_column(db, table, column, sqlite, mysql):
    """`table` has `column`, of the type that is given for each dialect; no row is rewritten."""
    if has_column(db, table, column):
        return
    if isinstance(db, SqliteDatabase):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {sqlite}")
    else:
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {mysql}, ALGORITHM=INSTANT")


def add_index(db, table, name, columns, where=""):
    """`table` has the index `name`; `where`: the rows that it has on SQLite, empty = all."""
    if has_index(db, table, name):
        return
    if isinstance(db, SqliteDatabase):
        partial = f" WHERE {where}" if where else ""
        db.execute_sql(f"CREATE INDEX {name} ON {table} ({columns}){partial}")
        breathe(db, table)
    else:
        added = f"ADD INDEX {name} ({columns})"
        db.execute_sql(f"ALTER TABLE {table} {added}, ALGORITHM=INPLACE, LOCK=NONE")


def replace_index(db, table, name, columns, where=""):
    """The index `name` has exactly `columns`; nobody sees `table` without it meanwhile."""
    known = {index.name: index.columns for index in db.get_indexes(table)}
    if known.get(name) == columns:
        return
    told = ", ".join(columns)
    if isinstance(db, SqliteDatabase):
        with db.atomic("IMMEDIATE"):
            db.execute_sql(f"DROP INDEX IF EXISTS {name}")
            partial = f" WHERE {where}" if where else ""
            db.execute_sql(f"CREATE INDEX {name} ON {table} ({told}){partial}")
        breathe(db, table)
    else:
        dropped = f"DROP INDEX {name}, " if name in known else ""
        change = f"{dropped}ADD INDEX {name} ({told})"
        db.execute_sql(f"ALTER TABLE {table} {change}, ALGORITHM=INPLACE, LOCK=NONE")


def drop_index(db, table, name):
    """`table` has no index `name`."""
    if has_index(db, table, name):
        on = "" if isinstance(db, SqliteDatabase) else f" ON {table}"
        db.execute_sql(f"DROP INDEX {name}{on}")
