"""The databases that are measured: loaded once, kept, and put back to what was loaded.

python -m benches.scale.stock URL SIZE ACTIVITIES    load one
"""

import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

import mariadb

from app import config
from app.database import Database, connect
from benches import bare, data
from benches.scale import kept, mysqls
from benches.servers import ROOT, paths

CHUNK = 10_000
"""Rows that are deleted at once."""
WRITTEN = "SELECT task_id FROM task_details WHERE tags IS NULL OR argument IS NOT NULL"
"""The tasks that were not loaded, but written by what was measured: they have other details."""
HASTE = {
    "sqlite": ("PRAGMA synchronous = off", "PRAGMA foreign_keys = 0", "PRAGMA cache_size = -262144",
               "PRAGMA wal_autocheckpoint = 20000"),
    "mysql": ("SET SESSION foreign_key_checks = 0", "SET SESSION unique_checks = 0",
              "SET GLOBAL innodb_flush_log_at_trx_commit = 0"),
}  # fmt: skip
"""What makes loading fast: the rows are right as they are made, and half a database is not used."""


@dataclass
class Stock:
    """The databases in `folder`; those of MariaDB on `server`, if there is one."""

    folder: Path
    server: mysqls.Server | None
    activities: int
    """The largest number of tasks that have activities too."""

    def url(self, engine: str, size: int) -> str:
        """The address of the database with `size` tasks."""
        if engine == "sqlite":
            return f"sqlite:///{self.folder}/sqlite/tasks{size}.db"
        assert self.server is not None
        return f"{self.server.url}/scale_{size}"

    def stamp(self, engine: str, size: int) -> tuple[Path, str]:
        """The file that says that a database is whole, and what it says then."""
        told = f"{kept.digest(kept.SHAPES)} activities={size <= self.activities}\n"
        return self.folder / "made" / f"{engine}-{size}", told

    def whole(self, engine: str, size: int) -> bool:
        """Whether the database was loaded to its end, as it would be loaded now."""
        file, told = self.stamp(engine, size)
        return file.exists() and file.read_text() == told

    def clear(self, engine: str, size: int) -> None:
        """There is an empty database, whatever was there."""
        self.stamp(engine, size)[0].unlink(missing_ok=True)
        if engine == "sqlite":
            folder = self.folder / "sqlite"
            folder.mkdir(parents=True, exist_ok=True)
            for file in folder.glob(f"tasks{size}.db*"):
                file.unlink()
            return
        assert self.server is not None
        with closing(mariadb.raw(self.server.url)) as connection:
            cursor = connection.cursor()
            cursor.execute(f"DROP DATABASE IF EXISTS scale_{size}")
            cursor.execute(f"CREATE DATABASE scale_{size}")

    def make(self, engine: str, size: int) -> None:
        """The database is loaded, if it was not. Raises CalledProcessError."""
        if self.whole(engine, size):
            return
        began = perf_counter()
        self.clear(engine, size)
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "benches.scale.stock"]
        command += [self.url(engine, size), str(size), str(int(size <= self.activities))]
        subprocess.run(command, cwd=ROOT, env=paths(), check=True)
        kept.write(*self.stamp(engine, size))
        told = f"scale: {engine} {size:,} tasks loaded in {perf_counter() - began:.0f} s"
        print(told, file=sys.stderr, flush=True)

    def fill(self, needed: dict[str, list[int]]) -> None:
        """The sizes of each engine are loaded, both at once. Raises RuntimeError."""
        failed: list[Any] = []

        def one(engine: str) -> None:
            try:
                for size in needed[engine]:
                    self.make(engine, size)
            except subprocess.CalledProcessError as error:
                failed.append(error)

        threads = [Thread(target=one, args=(engine,)) for engine in needed]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise RuntimeError(f"loading failed: {failed[0]}")


def opened(url: str, patient: bool = False) -> Database:
    """The database at `url`, as the service opens it; `patient`: for statements that take long."""
    return connect(config.load({"TASKS_DATABASE_URL": url}), patient=patient)


def from_files(folder: Path) -> data.Fill:
    """What lets the server itself read rows from a file: three times as fast as statements."""
    file = folder / "rows"
    folder.chmod(0o755)

    def told(value: Any) -> str:
        if value is None:
            return "\\N"
        return value.hex() if isinstance(value, bytes) else str(value)

    def fill(database: Database, table: str, columns: str, rows: list[Any]) -> None:
        names, raw = columns.split(", "), ("uuid", "digest")
        with file.open("w") as output:
            output.writelines("\t".join(map(told, row)) + "\n" for row in rows)
        places = ", ".join(f"@{name}" if name in raw else name for name in names)
        made = ", ".join(f"{name} = UNHEX(@{name})" for name in names if name in raw)
        database.run(
            f"LOAD DATA INFILE '{file}' INTO TABLE {table} CHARACTER SET utf8mb4 ({places})"
            + (f" SET {made}" if made else "")
        )

    return fill


def load(url: str, size: int, activities: bool) -> None:
    """The database at `url` has `size` tasks, of three activities each if asked."""
    database = opened(url, patient=True)
    for statement in HASTE[database.dialect]:
        database.run(statement)
    with tempfile.TemporaryDirectory(prefix="tasks-scale-") as folder:
        fill = data.fill if database.dialect == "sqlite" else from_files(Path(folder))
        data.load(database, size, steps=activities, fill=fill)
    if database.dialect == "mysql":
        database.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    else:
        database.run("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def put_back(url: str) -> None:
    """Nothing is left of what was written by what was measured, even by a run that was cut."""
    database = opened(url, patient=True)
    for table in bare.ROWS:
        database.run(f"DROP TABLE IF EXISTS {bare.PREFIX}{table}")
    ids = database.rows(WRITTEN)
    mark = "?" if database.dialect == "sqlite" else "%s"
    for start in range(0, len(ids), CHUNK):
        with database.write_transaction():
            database.run_many(f"DELETE FROM tasks WHERE id = {mark}", ids[start : start + CHUNK])
    database.run("DELETE FROM lanes")
    database.close()


if __name__ == "__main__":
    load(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1")
