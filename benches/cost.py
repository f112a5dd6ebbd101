"""What acts cost: processor time of the process that acts and of the database's server."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import mariadb

SECOND = 1e9


def used(process: int) -> float:
    """Seconds of processor time that the threads of `process` have used, to the nanosecond."""
    total = 0
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):  # it has just ended
            total += int((thread / "schedstat").read_text().split()[0])
    return total / SECOND


def database_process(url: str) -> int | None:
    """The process of the database's server; None on SQLite, which has none."""
    if url.startswith("sqlite"):
        return None
    with closing(mariadb.raw(url.rpartition("/")[0])) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT @@pid_file")
        return int(Path(cursor.fetchone()[0]).read_text())


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall and of processor time, the database's server's included."""

    wall: float
    cpu: float

    def __truediv__(self, count: int) -> "Cost":
        """The same of each of `count`."""
        return Cost(self.wall / count, self.cpu / count)


class Meter:
    """Measures acts against the database at `url`."""

    def __init__(self, url: str, worker: Callable[[], float] = process_time) -> None:
        """`worker`: processor time so far of the process that acts; by default this one."""
        self.worker, self.server = worker, database_process(url)

    def read(self) -> tuple[float, float]:
        """The wall clock, and all processor time so far."""
        server = used(self.server) if self.server else 0.0
        return perf_counter(), self.worker() + server

    def measure(self, act: Callable[[], Any]) -> Cost:
        """What `act` costs."""
        began = self.read()
        act()
        ended = self.read()
        return Cost(ended[0] - began[0], ended[1] - began[1])
