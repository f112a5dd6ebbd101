"""`make bench`: every figure against its bound, on SQLite and on MariaDB, from one run.

    make bench                            everything, small enough for a coffee
    make bench BENCH='page query'         only these parts: page, query, enqueue, life, claim,
                                          live, import, memory, lists, grow, indexes
    make bench ENGINES=sqlite             only this engine
    make bench BENCH=import N=1000000     the import at full size
    make bench BENCH=memory REQUESTS=100000
    make bench BENCH=lists SMALL=100000 LARGE=1000000
    make bench BENCH=claim WAITING=1000000 COMPLETED=10000000

Ratios judge; absolute figures depend on the machine and on what else it does.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import engines
import mariadb

from app import config
from app.database import connect
from benches import (
    backlog,
    claim,
    data,
    enqueue,
    growing,
    importing,
    indexes,
    life,
    live,
    memory,
    pages,
    reading,
)

SIZES = {"TASKS": 100_000, "N": 20_000, "REQUESTS": 5_000, "SMALL": 20_000, "LARGE": 400_000,
         "WAITING": 100_000, "COMPLETED": 100_000}  # fmt: skip
"""What the environment, and so make's command line, may change."""
OTHER = 1_000
"""Tasks of a database that is only there to be written to."""
POOL = 1 << 30
"""Bytes of the MariaDB server's buffer pool: indexes belong in memory."""


def size(name: str) -> int:
    """A size, as chosen."""
    return int(os.environ.get(name) or SIZES[name])


def filled(fresh: Callable[[str], str], count: int) -> str:
    """The address of a database with `count` tasks, made the first time that it is asked for."""
    url = fresh(f"tasks{count}")
    database = connect(config.load({"TASKS_DATABASE_URL": url}), patient=True)
    if not database.engine.table_exists("tasks"):
        data.load(database, count, steps=False)
    database.close()
    return url


def page(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """The page over HTTP."""
    yield from pages.lines(filled(fresh, size("TASKS")), room)


def query(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Parsing, and tokens."""
    yield from reading.lines(filled(fresh, size("TASKS")), room)


def enqueued(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Enqueueing by the repository."""
    yield from enqueue.lines(filled(fresh, size("TASKS")))


def lived(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Tasks over HTTP."""
    yield from life.lines(filled(fresh, size("TASKS")), room)


def claimed(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Claims out of long queues."""

    def queue(mix: str, waiting: int, completed: int) -> str:
        url = fresh(f"{mix.replace(' ', '')}{waiting}after{completed}")
        database = connect(config.load({"TASKS_DATABASE_URL": url}), patient=True)
        if not database.engine.table_exists("tasks"):
            backlog.load(database, mix, waiting, completed)
        database.close()
        return url

    yield from claim.lines(queue, size("WAITING"), size("COMPLETED"))


def lively(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Reading beside writers and waiting claims."""
    yield from live.lines(filled(fresh, size("TASKS")), filled(fresh, OTHER), room)


def imported(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """The import."""
    url = fresh("imported")
    engines.migrate(url)
    yield from importing.lines(url, room, size("N"))


def held(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Memory."""
    yield from memory.lines(filled(fresh, size("TASKS")), room, size("REQUESTS"))


def lists(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """How lists grow with the table."""
    urls = [filled(fresh, size("SMALL")), filled(fresh, size("LARGE"))]
    command = [sys.executable, "-m", "benches.lists", *urls]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    yield from (f"  {row}" for row in done.stdout.splitlines())
    if done.returncode:
        yield "  OVER: benches.lists failed"


def grown(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Adding to a table in use."""
    yield from growing.lines(filled(fresh, size("TASKS")))


def indexed(fresh: Callable[[str], str], room: Path) -> Iterator[str]:
    """Each index: its size, and what goes along it."""
    url = fresh("indexed")
    database = connect(config.load({"TASKS_DATABASE_URL": url}), patient=True)
    data.load(database, size("TASKS"))
    database.close()
    yield from indexes.table([url])


PARTS = {"page": page, "query": query, "enqueue": enqueued, "life": lived, "claim": claimed,
         "live": lively, "import": imported, "memory": held, "lists": lists,
         "grow": grown, "indexes": indexed}  # fmt: skip


def on_sqlite(folder: Path) -> Callable[[str], str]:
    """Names to addresses of SQLite files."""
    return lambda name: f"sqlite:///{folder}/{name}.db"


def on_mariadb(server: str) -> Callable[[str], str]:
    """Names to addresses of databases of a server, made when they are not there."""
    with closing(mariadb.raw(server)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"SET GLOBAL innodb_buffer_pool_size = {POOL}")

    def fresh(name: str) -> str:
        with closing(mariadb.raw(server)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS bench_{name}")
        return f"{server}/bench_{name}"

    return fresh


def measured(parts: list[str], words: str, fresh: Callable[[str], str], room: Path) -> bool:
    """Print the lines of `parts` -> whether every bound was kept."""
    print(words, flush=True)
    kept = True
    for part in parts:
        for told in PARTS[part](fresh, room):
            kept = kept and " OVER" not in told
            print(told, flush=True)
    return kept


def main(asked: list[str]) -> int:
    """Measure what is asked, or everything -> 0 when every bound was kept."""
    if unknown := set(asked) - set(PARTS):
        sys.exit(f"unknown: {' '.join(sorted(unknown))}; the parts are {' '.join(PARTS)}")
    parts, wanted = asked or list(PARTS), os.environ.get("ENGINES", "sqlite mysql").split()
    kept = True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tasks-bench-")))
        if "sqlite" in wanted:
            kept = measured(
                parts, f"SQLite {engines.sqlite3.sqlite_version}", on_sqlite(folder), folder
            )
        if "mysql" in wanted:
            room, alive = engines.make_room()
            stack.callback(engines.leave_room, room, alive)
            server = mariadb.server(room)
            if server is None:
                print(f"MariaDB: NOT MEASURED: {mariadb.MISSING}", file=sys.stderr)
                return 1
            kept = measured(parts, mariadb.version(server), on_mariadb(server), folder) and kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
