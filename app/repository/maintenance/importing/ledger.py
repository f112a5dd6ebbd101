"""What an import has met so far, kept in a temporary file so that memory does not grow with it."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from app.repository.dictionaries import batches

CACHE_KIB = 16 * 1024
LOOK = 2_000
"""Values that one statement looks for."""
PLURALS = ("tasks", "activities")
MADE = "CREATE TABLE {0} (id INTEGER PRIMARY KEY, place INTEGER)"
MADE_UUIDS = "CREATE TABLE {0}_uuids (uuid BLOB PRIMARY KEY, id INTEGER) WITHOUT ROWID"
MARKS = ", ".join("?" * LOOK)
PLACES = "SELECT id, place FROM {0} WHERE id IN ({1})"
OWNERS = "SELECT uuid, id FROM {0}_uuids WHERE uuid IN ({1})"
ENTRY = "INSERT OR REPLACE INTO {0} VALUES (?, ?)"
UUID_ENTRY = "INSERT OR REPLACE INTO {0}_uuids VALUES (?, ?)"


@contextmanager
def plain_failures() -> Iterator[None]:
    """A temporary file that cannot be written is an OSError, whoever writes it."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"a temporary file of the import cannot be used: {error}") from None


class Ledger:
    """Ids and UUIDs that came before, and whose: a task's tenant, an activity's task."""

    def __init__(self) -> None:
        """Nothing came before."""
        # An empty name is a file that SQLite makes, keeps to itself and removes.
        self.file = sqlite3.connect("", isolation_level=None)
        self.file.execute("PRAGMA journal_mode = OFF")
        self.file.execute("PRAGMA synchronous = OFF")
        self.file.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        for plural in PLURALS:
            self.file.execute(MADE.format(plural))
            self.file.execute(MADE_UUIDS.format(plural))
        self.file.execute("BEGIN")
        self.greatest = dict.fromkeys(PLURALS, 0)

    def places(self, plural: str, ids: Iterable[int]) -> list[tuple[int, int]]:
        """Those of `ids` that came before, each with its number."""
        # Most files are in order of id: what lies behind all that came need not be looked for.
        greatest = self.greatest[plural]
        return self.look(PLACES.format(plural, MARKS), (key for key in ids if key <= greatest))

    def owners(self, plural: str, uuids: Iterable[bytes]) -> list[tuple[bytes, int]]:
        """Those of `uuids` that came before, each with the id that it came with."""
        return self.look(OWNERS.format(plural, MARKS), uuids)

    def look(self, statement: str, values: Iterable[Any]) -> list[tuple[Any, Any]]:
        """What `statement` finds of `values`."""
        found: list[tuple[Any, Any]] = []
        for some in batches(values, LOOK):
            # One text for any number of values, so that it is prepared only once.
            some += [None] * (LOOK - len(some))
            with plain_failures():
                found += self.file.execute(statement, some)
        return found

    def enter(self, plural: str, rows: Sequence[tuple[int, bytes, int]]) -> None:
        """Id, UUID and number of each of `rows` have come."""
        places = [(key, place) for key, _, place in rows]
        self.greatest[plural] = max(self.greatest[plural], *(key for key, _ in places))
        # In order of the UUID each page of their table is visited once.
        uuids = sorted((uuid, key) for key, uuid, _ in rows)
        with plain_failures():
            self.file.executemany(ENTRY.format(plural), places)
            self.file.executemany(UUID_ENTRY.format(plural), uuids)

    def close(self) -> None:
        """Forget everything."""
        self.file.close()
