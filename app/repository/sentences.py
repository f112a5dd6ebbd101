"""SQL texts of single rows, made once for each table and set of columns.

The write path runs the same few statements all day; building them anew with Peewee would cost more
than running them. Names come from our own code, values go in as parameters.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from app.database import Database

Columns = Mapping[str, Any]


@lru_cache(maxsize=64)
def insertion(mark: str, table: str, columns: tuple[str, ...]) -> str:
    """INSERT of one row."""
    marks = ", ".join([mark] * len(columns))
    return " ".join(("INSERT INTO", table, "(", ", ".join(columns), ") VALUES (", marks, ")"))


@lru_cache(maxsize=1024)
def alteration(
    mark: str, table: str, columns: tuple[str, ...], keys: tuple[tuple[str, bool], ...],
    direct: bool,
) -> str:  # fmt: skip
    """UPDATE of `columns` where all `keys` have given values, or none where they are told to have
    none; `direct`: by the primary key."""
    # MariaDB may else walk the index of another key, and lock what it meets there.
    index = "FORCE INDEX (PRIMARY) " if direct and mark == "%s" else ""
    assigned = ", ".join(" ".join((column, "=", mark)) for column in columns)
    where = " AND ".join(f"{key} IS NULL" if none else f"{key} = {mark}" for key, none in keys)
    return f"UPDATE {table} {index}SET {assigned} WHERE {where}"


def insert(database: Database, table: str, row: Columns) -> None:
    """Write one row. Raises peewee.IntegrityError."""
    database.run(insertion(database.mark, table, tuple(row)), tuple(row.values()))


def insert_all(database: Database, table: str, rows: Sequence[Columns]) -> None:
    """Write rows that all have the same columns. Raises peewee.IntegrityError."""
    if rows:
        text = insertion(database.mark, table, tuple(rows[0]))
        database.run_many(text, [tuple(row.values()) for row in rows])


def update(
    database: Database, table: str, columns: Columns, keys: Columns, direct: bool = False
) -> int:
    """Change the rows in which all `keys` have these values, or none -> how many were changed.

    `direct`: the primary key is among them.
    """
    named = tuple((key, value is None) for key, value in keys.items())
    text = alteration(database.mark, table, tuple(columns), named, direct)
    told = (value for value in keys.values() if value is not None)
    return database.run(text, (*columns.values(), *told))


@lru_cache(maxsize=512)
def spoken(mark: str, text: str) -> str:
    """`text`, in which `?` stands for a parameter, in the words of the dialect."""
    return text if mark == "?" else text.replace("?", mark)


def rows(database: Database, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """What a SELECT answers; `?` stands for a parameter on every engine."""
    return database.rows(spoken(database.mark, text), values)


def run(database: Database, text: str, values: Sequence[Any] = ()) -> int:
    """Run a statement that changes something; `?` stands for a parameter on every engine."""
    return database.run(spoken(database.mark, text), values)


def hinted(database: Database, text: str, index: str) -> str:
    """`text` with its `{index}` told to go along this one.

    Of forty that could do MariaDB weighs every one, which takes longer than to walk a few rows.
    """
    words = ("INDEXED BY ", "") if database.dialect == "sqlite" else ("FORCE INDEX (", ")")
    return text.format(index=index.join(words))


def together(database: Database, texts: Sequence[str]) -> str:
    """One statement of several SELECTs, each with its own order and limit."""
    words = ("SELECT * FROM (", ")") if database.dialect == "sqlite" else ("(", ")")
    return " UNION ALL ".join(text.join(words) for text in texts)
