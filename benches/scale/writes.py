"""Claims out of a growing table, enqueueing into it, and what each further index costs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from statistics import median
from typing import Any

from app.catalog.indexes import INDEXES, Index
from app.database import Database
from benches import backlog, bare, claim, enqueue
from benches.cost import Cost, Meter
from benches.enqueue import BULK, ran
from benches.scale.place import Place
from benches.scale.stock import opened, put_back
from benches.work import Work
from benches.written import ROWS, Floor

SHARE = 20
"""One task waits for so many that there are, of each mix."""
MIXES = ("all four", "free")
CALLERS = [caller for mix in MIXES for caller in claim.CALLERS if caller.mix == mix]
BARE = 200_000
"""Rows of the tables without indexes, at most."""
ROUNDS, TASKS = 5, 1_000
STEPS = 5
"""Numbers of indexes between none and all, at which the cost of a task is taken."""


@contextmanager
def passing(urls: list[str]) -> Iterator[None]:
    """What is written inside is taken away again."""
    for url in urls:
        put_back(url)
    try:
        yield
    finally:
        for url in urls:
            put_back(url)


def waiting(size: int) -> int:
    """How many tasks of a mix wait in a table of this size."""
    return max(size // SHARE, claim.SHORT)


def claims(place: Place) -> dict[str, Any]:
    """One claim by different callers, of a twentieth of the table that waits, and another."""
    rows = []
    with passing(place.urls):
        for number, mix in enumerate(MIXES):
            for size, url in zip(place.sizes, place.urls, strict=True):
                with closing(opened(url)) as database:
                    backlog.put(database, mix, waiting(size), number * waiting(size))
            for caller in [one for one in CALLERS if one.mix == mix]:
                costs = [place.seconds(cost) * 1e6 for cost in claim.compared(caller, place.urls)]
                rows.append({"words": caller.words, "us": round(costs[-1]),
                             "before": round(costs[0])})  # fmt: skip
    return {"against": place.against, "waiting": waiting(place.size), "callers": rows}


@contextmanager
def tables(place: Place, most: int) -> Iterator[tuple[Work, list[Floor]]]:
    """Work for the service, and the floor at its tables and at those with primary keys alone."""
    with passing([place.url]):
        work = Work(place.url)
        with closing(opened(place.url, patient=True)) as database:
            bare.make(database, most)
        floors = [Floor(place.url), Floor(place.url, bare.PREFIX)]
        try:
            yield work, floors
        finally:
            for floor in floors:
                floor.connection.close()
            work.database.close()


def enqueued(place: Place) -> dict[str, Any]:
    """A task of a batch of a hundred: by the service, the same rows by the bare driver, and those
    into tables with their primary key alone."""
    with tables(place, BARE) as (work, floors):
        meter = Meter(place.url)
        enqueue.round_of(work, floors, meter, BULK, TASKS)
        rounds = [enqueue.round_of(work, floors, meter, BULK, TASKS) for _ in range(ROUNDS)]
    told = {
        name: round(median(place.seconds(costs[at]) for costs in rounds) * 1e6, 1)
        for at, name in enumerate(("service", "floor", "bare"))
    }
    rate = median(1 / costs[0].wall for costs in rounds)
    return told | {"indexes": len(written()), "rate": round(rate)}


def written() -> list[Index]:
    """The indexes into which a new task is written."""
    return [index for index in INDEXES if index.table in ROWS]


def add(database: Database, some: list[Index]) -> None:
    """The bare tables have these indexes too."""
    for index in some:
        columns, name = ", ".join(index.whole), bare.PREFIX + index.name
        where = f" WHERE {index.where}" if index.where and database.dialect == "sqlite" else ""
        database.run(f"CREATE INDEX {name} ON {bare.PREFIX}{index.table} ({columns}){where}")


def cost(work: Work, floor: Floor, meter: Meter) -> Cost:
    """What a task of a batch costs the floor."""
    acts = [partial(floor.enqueue, rows) for rows in work.rows(TASKS, BULK)]
    return meter.measure(partial(ran, acts)) / TASKS


def indexes(place: Place) -> dict[str, Any]:
    """Microseconds of a task by the number of indexes into which it is written."""
    points, every = [], written()
    with tables(place, BARE) as (work, [_, floor]):
        meter = Meter(place.url)
        for step in range(STEPS + 1):
            begin, end = (len(every) * max(at, 0) // STEPS for at in (step - 1, step))
            with closing(opened(place.url, patient=True)) as database:
                add(database, every[begin:end])
            cost(work, floor, meter)
            some = [place.seconds(cost(work, floor, meter)) for _ in range(ROUNDS)]
            points.append([end, round(median(some) * 1e6, 1)])
    return {"points": points}
