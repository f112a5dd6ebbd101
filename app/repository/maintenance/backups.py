"""A copy of the whole database, taken while it is in use, and put back as a whole.

SQLite copies itself; for MySQL-compatible servers their own programs do it, which hold no locks.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.database import Database

DUMPERS = ("mariadb-dump", "mysqldump")
CLIENTS = ("mariadb", "mysql")
DUMPED = b"-- Dump completed"
"""The last line of a dump that is whole."""
OPTIONS = (
    "--single-transaction", "--quick", "--hex-blob", "--no-tablespaces", "--skip-lock-tables",
    "--skip-add-locks", "--skip-disable-keys", "--default-character-set=utf8mb4",
    "--skip-triggers",
)  # fmt: skip
"""Triggers would come back as those of the account that made them, which may not be there."""
TABLE = "activities"
"""The first of our tables in a dump, which has them by name."""
HEAD, TAIL = 10_000, 200
"""Bytes at the beginning and at the end of a dump that are looked at."""


class BackupRefused(Exception):
    """The copy cannot be made or put back; the text is one line that says why."""


@contextmanager
def blaming(path: Path) -> Iterator[None]:
    """What cannot be made beside `path` inside is told of `path` itself, as it was given."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def save(database: Database, path: Path) -> int:
    """The database as it is now is in the file at `path`, for its owner alone -> bytes.

    The file appears only when it is whole. Raises BackupRefused, OSError, Unavailable.
    """
    if path.exists():
        raise BackupRefused(f"{path} is there already")
    with blaming(path):
        beside = tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent)
    with beside as folder:
        partial = Path(folder) / "partial"
        if database.dialect == "sqlite":
            database.run("VACUUM INTO ?", (str(partial),))
        else:
            dump(database, partial)
        partial.chmod(0o600)
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        # link() fails where a file is there meanwhile; rename() would replace it.
        os.link(partial, path)
    return path.stat().st_size


def dump(database: Database, path: Path) -> None:
    """What the server's own program says of the database, in `path`."""
    with login(database) as options:
        run(
            [program(DUMPERS), options, *OPTIONS, f"--result-file={path}", database.engine.database]
        )
    if DUMPED not in ending(path):
        raise BackupRefused("the dump broke off")


def put_back(database: Database, path: Path, replace: bool) -> None:
    """The database is what the backup at `path` says.

    `replace`: also when it holds something. Raises BackupRefused, OSError, Unavailable; then SQLite
    is unchanged, and a server's database may be half of it: put it back again.
    """
    of_sqlite = database.dialect == "sqlite"
    if not (whole_file(path) if of_sqlite else whole_dump(path)):
        kind = "SQLite" if of_sqlite else "MySQL"
        raise BackupRefused(f"{path} is no whole backup of a {kind} database")
    if not replace and filled(database):
        raise BackupRefused("the database is not empty; --replace puts the backup in its place")
    if of_sqlite:
        copy(database, path)
    else:
        load(database, path)


def whole_file(path: Path) -> bool:
    """Whether the file at `path` is an undamaged SQLite database of ours."""
    try:
        with closing(reading(path)) as source:
            ours = source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone()
            return bool(ours) and source.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False


def reading(path: Path) -> sqlite3.Connection:
    """The SQLite file at `path`, which is not changed and must be there. Raises OSError."""
    path.open("rb").close()
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def whole_dump(path: Path) -> bool:
    """Whether the file at `path` is a dump of our tables that did not break off."""
    with path.open("rb") as opened:
        begins = opened.read(HEAD)
    return f"CREATE TABLE `{TABLE}`".encode() in begins and DUMPED in ending(path)


def filled(database: Database) -> bool:
    """Whether the database has any table."""
    if database.dialect == "sqlite":
        return bool(database.rows("SELECT 1 FROM sqlite_master LIMIT 1"))
    return bool(database.rows("SHOW TABLES"))


def copy(database: Database, path: Path) -> None:
    """A SQLite file becomes what another one is, in one transaction."""
    with closing(reading(path)) as source:
        database.rows("SELECT 1")  # makes the file, for its owner alone
        source.backup(database.engine.connection())


def load(database: Database, path: Path) -> None:
    """The tables of a dump take the place of those that are there."""
    names = [row[0] for row in database.rows("SHOW TABLES")]
    if names:
        database.run("SET FOREIGN_KEY_CHECKS = 0")
        for name in names:
            database.run(f"DROP TABLE `{name}`")
    database.close()
    with login(database) as options, path.open("rb") as opened:
        run([program(CLIENTS), options, database.engine.database], opened)


def program(names: tuple[str, ...]) -> str:
    """The first of these programs that is here."""
    for name in names:
        if found := shutil.which(name):
            return found
    raise BackupRefused(f"the program {names[0]} is needed, and not here (Debian: mariadb-client)")


@contextmanager
def login(database: Database) -> Iterator[str]:
    """The option that tells a program where the server is, without naming the password aloud."""
    server, given = database.engine.hosts.current, database.engine.connect_params
    lines = {"host": server.host, "port": str(server.port), "protocol": "tcp",
             "user": given["user"], "password": given["password"]}  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as file:
        text = "\n".join(f'{name}="{quoted(value)}"' for name, value in lines.items())
        file.write(f"[client]\n{text}\n")
        file.flush()
        yield f"--defaults-extra-file={file.name}"


def quoted(value: str) -> str:
    """A value as it stands between quotes in an option file."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def run(command: list[str], given: object = subprocess.DEVNULL) -> None:
    """Run a program to its end. Raises BackupRefused with what it complained of."""
    done = subprocess.run(command, stdin=given, stderr=subprocess.PIPE, check=False)  # type: ignore[call-overload]
    if done.returncode:
        words = " ".join(done.stderr.decode(errors="replace").split())
        raise BackupRefused(words or f"{command[0]} failed")


def ending(path: Path) -> bytes:
    """The last bytes of a file."""
    with path.open("rb") as opened:
        opened.seek(max(0, path.stat().st_size - TAIL))
        return opened.read()
