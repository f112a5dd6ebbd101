"""How list requests grow from a small table to a large one, and whether every page is right.

    python -m benches.lists SMALL_URL LARGE_URL [DRAWN [SEED]]

CPU time of the repository on SQLite, wall time on MySQL. The telling requests, DRAWN more from the
catalog (200), and pages at half and nine tenths of the depth; each with values of its own.
"""

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, thread_time
from typing import Any
from urllib.parse import quote

from app import config
from app.api.parsing import entries
from app.api.schemas import list_schema
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database, connect
from app.repository import tenants
from app.repository.lists import listing, paging
from app.repository.lists.query import Query
from app.repository.tenants import Node
from app.vocabulary import Lod
from benches import drawn, plain
from benches.data import DAY, DAYS, NOW
from benches.requests import LARGE, MIDDLE, PARTNER, REQUESTS, ROOT, SMALL, Request

KEY = b"k" * 32
NODES = {ROOT: 1, PARTNER: 14, MIDDLE: 30, LARGE: 53, SMALL: 4_900}
SCHEMA = list_schema(TASKS)
DRAWS = 7
LIMIT = 100
DEEP = (("id", "id"), ("completedAt", "c"), ("startedAt", "s"))
"""Orders in which pages at some depth are asked for; a time is told from a number."""
BOUND = 1.5
"""How much slower a request with at most one filter may be on the large table."""
NOISE = 3.0
"""Milliseconds below which a difference is hardly told from noise on a shared machine."""


@dataclass(frozen=True, eq=False)
class Line:
    """A request's milliseconds on both tables, and whether its pages were right."""

    words: str
    filters: int
    small: list[float]
    large: list[float]
    right: bool

    @property
    def ratio(self) -> float:
        """p95 on the large table / p95 on the small one."""
        return p95(self.large) / max(p95(self.small), 0.05)


def p95(values: list[float]) -> float:
    """The value that 95 in 100 do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1]


@dataclass(frozen=True)
class Asked:
    """What a page took in milliseconds, and how many rows it had."""

    ms: float
    rows: int


def query_of(request: Request, chance: random.Random, schema: Any = SCHEMA) -> Query:
    """A query of the request's shape with values of its own."""
    text = quote(request.draw(chance), safe="=&(),")
    asked: Query = schema.load(entries(text.encode()))
    return Query(asked.filters, asked.order, Lod.SHORT, LIMIT)


def asked(
    database: Database, catalog: Catalog, node: Node, draw: Callable[[], Query],
    draws: int = DRAWS, times: int = 1,
) -> Iterator[Asked]:  # fmt: skip
    """A page for each of some draws, once warm: the fastest of so many `times`."""
    clock = thread_time if database.dialect == "sqlite" else perf_counter
    for _ in range(draws):
        query, took = draw(), []
        found = listing.page(database, catalog, query, node, KEY, NOW)
        for _ in range(times):
            began = clock()
            listing.page(database, catalog, query, node, KEY, NOW)
            took.append((clock() - began) * 1000)
        yield Asked(min(took), len(found.items))


def timed(database: Database, node: Node, draw: Callable[[], Query]) -> Iterator[float]:
    """Milliseconds of a page of tasks for each of some draws, once warm."""
    return (one.ms for one in asked(database, TASKS, node, draw))


def right(database: Database, query: Query, node: Node) -> bool:
    """Whether the planned page is that of the plain SELECT."""
    found = listing.page(database, TASKS, query, node, KEY, NOW).items
    return [item["id"] for item in found] == plain.ids(database, TASKS, query, node, LIMIT)


def measured(databases: list[Database], request: Request, seed: int) -> Line:
    """The line of one request."""
    found, same = [], True
    for database in databases:
        number = NODES[request.tenant]
        node = tenants.by_ids(database, [number])[number]
        chance = random.Random(seed)
        found.append(list(timed(database, node, lambda: query_of(request, chance))))  # noqa: B023
        same = same and right(database, query_of(request, random.Random(seed)), node)
    return Line(request.words, request.filters, found[0], found[1], same)


def deep_query(node: Node, field: str, column: str, depth: float) -> Query:
    """The page behind a token at some depth of all tasks by a time, newest first."""
    moment = NOW - int(DAYS * DAY * depth)
    keys = [moment // 1000] if column == "id" else [moment, 2**62]
    question = paging.Question({}, (("desc", field),), Lod.SHORT)
    return Query({}, None, None, LIMIT, paging.token(KEY, TASKS, node, question, keys))


def deep(databases: list[Database], field: str, column: str, depth: float) -> Line:
    """The line of a page at some depth of a list by a time, newest first."""
    found = []
    for database in databases:
        node = tenants.by_ids(database, [1])[1]
        query = deep_query(node, field, column, depth)
        found.append(list(timed(database, node, lambda: query)))  # noqa: B023
    return Line(f"root: {field} at {depth:.0%}", 0, found[0], found[1], True)


def lines(databases: list[Database], count: int, seed: int) -> list[Line]:
    """All lines."""
    chance = random.Random(seed)
    requests = [*REQUESTS, *(drawn.request(chance) for _ in range(count))]
    deeps = [
        deep(databases, field, column, depth) for field, column in DEEP for depth in (0.5, 0.9)
    ]
    return [*(measured(databases, request, seed) for request in requests), *deeps]


def main(small_url: str, large_url: str, count: str = "200", seed: str = "") -> None:
    """Print the slowest to grow, the slowest, and the sums. Exit status 1 for a wrong page."""
    databases = [
        connect(config.load({"TASKS_DATABASE_URL": url})) for url in (small_url, large_url)
    ]
    number = int(seed) if seed else random.randrange(10**6)
    found = lines(databases, int(count), number)
    print(f"seed {number}; {len(found)} requests x {DRAWS} draws; ms p50/p95 small, large, ratio")
    shown = sorted(found, key=lambda line: -line.ratio)[:15]
    shown += [line for line in sorted(found, key=lambda line: -max(line.large))[:10]
              if line not in shown]  # fmt: skip
    for line in shown:
        print(
            f"{median(line.small):7.2f}/{p95(line.small):7.2f} {median(line.large):7.2f}/"
            f"{p95(line.large):7.2f} {line.ratio:6.2f}  {line.words}"
        )
    single = [line for line in found if line.filters <= 1]
    flat = [line for line in single if line.ratio <= BOUND or p95(line.large) <= NOISE]
    print(f"median of medians: {median(median(line.small) for line in found):.2f} ms small, "
          f"{median(median(line.large) for line in found):.2f} ms large")  # fmt: skip
    print(f"worst p95 at large: {max(p95(line.large) for line in found):.1f} ms")
    within = sum(row.ratio <= BOUND for row in single)
    print(f"at most one filter: {within} of {len(single)} within {BOUND} x;"
          f" {len(flat)} counting those below {NOISE:.0f} ms")  # fmt: skip
    wrong = [line.words for line in found if not line.right]
    print(f"pages that differ from the plain SELECT's: {len(wrong)} {wrong or ''}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
