"""What callers notice while an index and a column are added to a table that is in use.

    python -m benches.growing URL

Two threads read pages and enqueue tasks through the repository meanwhile, as a server does; how
long the slowest of each took is told beside what the change took.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

from app import clock, config
from app.api.parsing import entries
from app.api.schemas import list_schema
from app.catalog.tasks import TASKS
from app.database import Database, connect
from app.errors import Unavailable
from app.repository import indexing, tenants
from app.repository.lists import listing
from app.repository.lists.query import Query
from app.repository.work import enqueueing
from app.vocabulary import Lod
from benches.anchors import line
from benches.lists import KEY
from benches.work import Work

NAME = "tasks_bench"
CHANGES = {
    "sqlite": (
        ("index", f"CREATE INDEX {NAME} ON tasks (queue_id, completed_at)"),
        ("column", "ALTER TABLE tasks ADD COLUMN bench INTEGER"),
    ),
    "mysql": (
        (
            "index",
            f"ALTER TABLE tasks ADD INDEX {NAME} (queue_id, completed_at), {indexing.ONLINE}",
        ),
        ("column", "ALTER TABLE tasks ADD COLUMN bench BIGINT, ALGORITHM=INSTANT"),
    ),
}
BACK = {
    "sqlite": (f"DROP INDEX {NAME}", "ALTER TABLE tasks DROP COLUMN bench"),
    "mysql": (f"ALTER TABLE tasks DROP INDEX {NAME}, DROP COLUMN bench",),
}


@dataclass
class Caller:
    """A thread that does one thing again and again, and how long each time took."""

    act: Callable[[], object]
    database: Database
    times: list[float] = field(default_factory=list)
    refused: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Go on until the end."""
        while not self.ended.wait(0.002):
            began = perf_counter()
            try:
                self.act()
            except Unavailable:
                self.refused += 1
            self.times.append(perf_counter() - began)
        self.database.close()

    @property
    def worst(self) -> float:
        """Milliseconds of the slowest."""
        return max(self.times, default=0.0) * 1000


def callers(url: str) -> list[Caller]:
    """One who reads, one who writes."""
    reading = connect(config.load({"TASKS_DATABASE_URL": url}))
    asked: Query = list_schema(TASKS).load(entries(b"order=desc(id)"))
    query = Query(asked.filters, asked.order, Lod.SHORT, 100)
    root = tenants.by_ids(reading, [1])[1]
    work = Work(url)

    def written() -> None:
        enqueueing.enqueue(work.database, list(islice(work.orders, 1)), clock.now())

    def read() -> None:
        listing.page(reading, TASKS, query, root, KEY, clock.now())

    return [Caller(read, reading), Caller(written, work.database)]


def beside(url: str, act: Callable[[], object]) -> tuple[float, list[Caller]]:
    """Do `act` beside callers -> its seconds, and what they noticed."""
    met = callers(url)
    threads = [threading.Thread(target=one.run) for one in met]
    for thread in threads:
        thread.start()
    threading.Event().wait(1)
    for one in met:
        one.times.clear()
    began = perf_counter()
    act()
    took = perf_counter() - began
    threading.Event().wait(1)
    for one, thread in zip(met, threads, strict=True):
        one.ended.set()
        thread.join()
    return took, met


def lines(url: str) -> Iterator[str]:
    """What a column and an index take, and the slowest page and enqueue meanwhile."""
    base = connect(config.load({"TASKS_DATABASE_URL": url}), patient=True)
    count = int(base.rows("SELECT COUNT(*) FROM tasks")[0][0])
    for kind, text in CHANGES[base.dialect]:
        change = lambda: indexing.beside_others(base, lambda: base.run(text))  # noqa: B023, E731
        took, (reader, writer) = beside(url, change)
        note = f"{took * 1e6 / count:.2f} s a million; {len(reader.times)} pages, "
        note += f"{len(writer.times)} enqueued, {reader.refused + writer.refused} refused"
        yield line(f"grow {kind}", took, note)
        yield line(f"grow {kind} read", reader.worst)
        yield line(f"grow {kind} write", writer.worst)
    for text in BACK[base.dialect]:
        base.run(text)
    base.close()


if __name__ == "__main__":
    for told in lines(sys.argv[1]):
        print(told, flush=True)
