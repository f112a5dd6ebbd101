"""The migrations: which are applied, and applying or reverting them."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from time import sleep

from playhouse.migrations import Runner

from app import clock
from app.catalog.indexes import Index
from app.database import Database
from app.engines import TRIAL
from app.errors import Unavailable
from app.failures import BEHIND
from app.repository import indexing
from app.repository.maintenance import locking
from app.repository.maintenance.importing.reindexing import loading

FOLDER = Path(__file__).resolve().parents[3] / "migrations"
ADDS = "add_"
"""How the name of a migration begins, behind its number, that only adds: code which does not know
it goes on as before. The name is what the database keeps of it."""
NEWER = "has the migration {name}, which this version of the program does not know"
AHEAD = "has the newer migration {name}, which only adds: this version of the program goes on"
LACKING = "lacks the index {names}"
LOCK = "tasks.upgrade"
"""Name of the lock that an upgrade holds on a MySQL server."""
PAUSE_SECONDS = 1
PATIENCE_SECONDS = 600
"""How long an upgrade waits for another one."""
SHOWN = 5
"""Names of indexes that one sentence tells."""


@dataclass(frozen=True)
class Migration:
    """One migration: its name, when it was applied (None = pending), whether its file is here."""

    name: str
    applied: datetime | None
    known: bool

    @property
    def adds(self) -> bool:
        """Whether code that does not know it goes on with it."""
        return self.name.partition("_")[2].startswith(ADDS)


def runner(database: Database) -> Runner:
    """The runner that Peewee ships, on our folder."""
    return Runner(database.engine, str(FOLDER))


def status(database: Database) -> list[Migration]:
    """All migrations in order; looking makes no database. Raises Unavailable."""
    if database.missing:
        return [Migration(row.name, None, True) for row in runner(database).migrations()]
    with database.translated():
        return [
            Migration(row.name, row.applied, row.path is not None)
            for row in runner(database).status()
        ]


def misfit(database: Database) -> str:
    """What this code finds wrong with the database, as the end of a sentence; "" when nothing."""
    return unfit(status(database))


def unfit(rows: Sequence[Migration]) -> str:
    """What is wrong with these migrations; see `misfit`."""
    foreign = [row.name for row in rows if not row.known and not row.adds]
    if foreign:
        return NEWER.format(name=foreign[-1])
    return "" if all(row.applied for row in rows) else BEHIND


def ahead(rows: Sequence[Migration]) -> str:
    """That a newer version has added something, as the end of a sentence; "" when none has.

    While servers are replaced one by one, the old ones go on.
    """
    newer = [row.name for row in rows if not row.known and row.adds]
    return AHEAD.format(name=newer[-1]) if newer else ""


def current(database: Database) -> bool:
    """Whether the database is as this code needs it."""
    return not misfit(database)


def lacks(indexes: Sequence[Index]) -> str:
    """That these indexes are missing, as the end of a sentence; "" when there are none."""
    names = [index.name for index in indexes]
    more = [f"{len(names) - SHOWN} more"] * (len(names) > SHOWN)
    return LACKING.format(names=", ".join([*names[:SHOWN], *more])) if names else ""


def ready(database: Database) -> str:
    """The database takes writes and has what this code needs -> what is remarkable about it all
    the same, as the end of a sentence, or "". Raises Unavailable, and says what is wrong."""
    try_writing(database)
    rows = status(database)
    lost = lacks(indexing.lacking(database))
    if words := unfit(rows):
        pending = [row.name for row in rows if not row.applied]
        words += f": {pending[0]} is pending" if pending else ""
        words += f", and it {lost}" if lost else ""
        raise Unavailable(f"the database {words}", 5)
    if lost and not loading(database):
        raise Unavailable(f"the database {lost}: `flask db upgrade` builds it", 30)
    return " and ".join(filter(None, (ahead(rows), lost and f"{lost} while a load is under way")))


def try_writing(database: Database) -> None:
    """The database would take a write now. Raises Unavailable where a server would not."""
    if database.dialect == "mysql":
        for statement in TRIAL:
            database.run(statement)


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Nobody else changes the schema meanwhile: who comes second waits, and then looks what is left
    to do. A process that dies holds nothing. Raises Unavailable where the wait is too long."""
    deadline = clock.monotonic() + PATIENCE_SECONDS
    with ExitStack() as stack:
        if database.dialect == "sqlite":
            # Not the file: whoever closes it once more lets go of what SQLite has locked in it.
            path = Path(database.engine.database).parent
            with database.translated():
                path.mkdir(parents=True, exist_ok=True)
                folder = os.open(path, os.O_RDONLY)
            stack.callback(os.close, folder)
            locked = partial(folder_locked, folder)
        else:
            stack.callback(unlock, database)
            locked = partial(locking.take, database, LOCK, PAUSE_SECONDS)
        while not locked():
            if clock.monotonic() > deadline:
                raise Unavailable(reason="another upgrade is running", seconds=60)
        yield


def folder_locked(folder: int) -> bool:
    """Whether this process has the lock of an open folder, waited for a moment."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sleep(PAUSE_SECONDS)
        return False
    except OSError:
        # A file system without such locks.
        return True
    return True


def unlock(database: Database) -> None:
    """A server's lock is given back; a connection that was lost has done so."""
    with suppress(Unavailable):
        locking.give(database, LOCK)


def upgrade(database: Database, target: str | None = None) -> list[str]:
    """Apply what is pending, up to `target`, beside others -> names of the migrations applied."""

    def act() -> None:
        with database.translated():
            runner(database).up(target)

    with alone(database):
        before = {row.name for row in status(database) if row.applied}
        indexing.beside_others(database, act)
        return [
            row.name for row in status(database)
            if row.known and row.applied and row.name not in before
        ]  # fmt: skip


def downgrade(database: Database, target: str | None = None) -> list[str]:
    """Revert the newest migration, or all down through `target` -> names of those reverted."""
    with alone(database), database.translated():
        return list(runner(database).down(target))


def empty(database: Database) -> bool:
    """Whether a migrated database holds no task yet."""
    return database.row("SELECT id FROM tasks LIMIT 1") is None
