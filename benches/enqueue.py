"""Enqueueing through the repository against the floor, singly and in bulk; what indexes cost."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from statistics import median

from app import clock
from app.repository.work import enqueueing
from benches import bare
from benches.anchors import line
from benches.cost import Cost, Meter
from benches.work import Work
from benches.written import Floor

ROUNDS = 9
BULK = 100
SIZES = {"single": (1, 100), "bulk": (BULK, 1_000)}
"""Tasks of a transaction, and of a round."""


def ran(acts: list[Callable[[], object]]) -> None:
    """Do each of `acts`."""
    for act in acts:
        act()


def round_of(work: Work, floors: list[Floor], meter: Meter, size: int, count: int) -> list[Cost]:
    """What `count` tasks cost the service, and each of the floors, a task."""
    some = list(islice(work.orders, count))
    acts: list[list[Callable[[], object]]] = [[
        partial(enqueueing.enqueue, work.database, some[at : at + size], clock.now())
        for at in range(0, count, size)
    ]]  # fmt: skip
    for floor in floors:
        acts.append([partial(floor.enqueue, rows) for rows in work.rows(count, size)])
    return [meter.measure(partial(ran, each)) / count for each in acts]


def lines(url: str) -> Iterator[str]:
    """Ratios of time, and with the rates both."""
    work, meter = Work(url), Meter(url)
    bare.make(work.database)
    floors = [Floor(url), Floor(url, bare.PREFIX)]
    for name, (size, count) in SIZES.items():
        round_of(work, floors, meter, size, count)
        rounds = [round_of(work, floors, meter, size, count) for _ in range(ROUNDS)]
        rates = [median(1 / costs[who].wall for costs in rounds) for who in (0, 1)]
        cpu = median(ours.cpu / floor.cpu for ours, floor, _ in rounds)
        note = f"{rates[0]:,.0f}/s of {rates[1]:,.0f}/s; processor time {cpu:.2f} x"
        yield line(f"enqueue {name}", median(o.wall / f.wall for o, f, _ in rounds), note)
        some = [median(costs[who].cpu * 1e6 for costs in rounds) for who in (1, 2)]
        note = f"{some[0]:.0f} us of {some[1]:.0f} us without"
        yield line(f"indexes {name}", median(f.cpu / b.cpu for _, f, b in rounds), note)
    for floor in floors:
        floor.connection.close()
    work.database.close()
