"""The migrations: which are applied, and applying or reverting them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from playhouse.migrations import Runner

from app.database import Database
from app.engines import TRIAL

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
BEHIND = "is not at the newest migration"
NEWER = "has the migration {name}, which this version of the program does not know"


@dataclass(frozen=True)
class Migration:
    """One migration: its name, when it was applied (None = pending), whether its file is here."""

    name: str
    applied: datetime | None
    known: bool


def runner(database: Database) -> Runner:
    """The runner that Peewee ships, on our folder."""
    return Runner(database.engine, str(FOLDER))


def status(database: Database) -> list[Migration]:
    """All migrations in order. Raises Unavailable."""
    with database.translated():
        return [
            Migration(row.name, row.applied, row.path is not None)
            for row in runner(database).status()
        ]


def misfit(database: Database) -> str:
    """What this code finds wrong with the database, as the end of a sentence; "" when nothing."""
    rows = status(database)
    foreign = [row.name for row in rows if not row.known]
    if foreign:
        return NEWER.format(name=foreign[-1])
    return "" if all(row.applied for row in rows) else BEHIND


def current(database: Database) -> bool:
    """Whether the database is exactly at the newest migration that this code knows."""
    return not misfit(database)


def sufficient(database: Database) -> bool:
    """Whether all migrations are applied that this code knows.

    A newer one may be as well: while servers are replaced one by one, the old ones go on.
    """
    return all(row.applied for row in status(database) if row.known)


def try_writing(database: Database) -> None:
    """The database would take a write now. Raises Unavailable where a server would not."""
    if database.dialect == "mysql":
        for statement in TRIAL:
            database.run(statement)


def upgrade(database: Database, target: str | None = None) -> list[str]:
    """Apply what is pending, up to `target` -> names of the migrations applied."""
    with database.translated():
        return list(runner(database).up(target))


def downgrade(database: Database, target: str | None = None) -> list[str]:
    """Revert the newest migration, or all down through `target` -> names of those reverted."""
    with database.translated():
        return list(runner(database).down(target))


def empty(database: Database) -> bool:
    """Whether a migrated database holds no task yet."""
    return database.row("SELECT id FROM tasks LIMIT 1") is None
