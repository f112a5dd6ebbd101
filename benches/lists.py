"""How list requests grow from a small table to a large one, and whether every page is right.

    python -m benches.lists SMALL_URL LARGE_URL

CPU time of the repository on SQLite, wall time on MySQL; `draws` values for every request.
"""

import random
import sys
from collections.abc import Iterator
from statistics import median, quantiles
from time import perf_counter, thread_time
from urllib.parse import quote

from app import config
from app.api.parsing import entries
from app.api.schemas import list_schema
from app.catalog.tasks import TASKS
from app.database import Database, connect
from app.repository import listing, tenants
from app.repository.query import Query
from app.repository.tenants import Node
from benches.data import NOW
from benches.requests import LARGE, MIDDLE, PARTNER, REQUESTS, ROOT, SMALL, Request

KEY = b"k" * 32
NODES = {ROOT: 1, PARTNER: 14, MIDDLE: 30, LARGE: 53, SMALL: 4_900}
SCHEMA = list_schema(TASKS)
DRAWS = 7
LIMIT = 100


def asked(request: Request, chance: random.Random) -> Query:
    """A query of the request's shape with values of its own."""
    text = quote(request.draw(chance), safe="=&()")
    query: Query = SCHEMA.load(entries(text.encode()))
    return Query(query.filters, query.order, SHORT, LIMIT)


SHORT = SCHEMA.load({"lod": ["short"]}).lod


def times(database: Database, request: Request, node: Node, seed: int) -> Iterator[float]:
    """Milliseconds of the request with `DRAWS` different values, once warm."""
    clock = thread_time if database.dialect == "sqlite" else perf_counter
    chance = random.Random(seed)
    listing.page(database, TASKS, asked(request, random.Random(0)), node, KEY, NOW)
    for _ in range(DRAWS):
        query = asked(request, chance)
        listing.page(database, TASKS, query, node, KEY, NOW)
        began = clock()
        listing.page(database, TASKS, query, node, KEY, NOW)
        yield (clock() - began) * 1000


def p95(values: list[float]) -> float:
    """The value that 95 in 100 do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1]


def main(small_url: str, large_url: str) -> None:
    """Print a line for each request, slowest growth first, and the sums."""
    databases = [
        connect(config.load({"TASKS_DATABASE_URL": url})) for url in (small_url, large_url)
    ]
    seed = random.randrange(10**6)
    print(f"seed {seed}; {len(REQUESTS)} requests x {DRAWS} draws; ms p50/p95 small, large, ratio")
    lines = []
    for request in REQUESTS:
        found = []
        for database in databases:
            number = NODES[request.tenant]
            node = tenants.by_ids(database, [number])[number]
            found.append(list(times(database, request, node, seed)))
        ratio = p95(found[1]) / p95(found[0])
        lines.append((ratio, request, *found))
    for ratio, request, few, many in sorted(lines, key=lambda line: -line[0]):
        print(
            f"{median(few):7.2f}/{p95(few):7.2f} {median(many):7.2f}/{p95(many):7.2f} "
            f"{ratio:6.2f}  {request.words}"
        )
    single = [line for line in lines if line[1].filters <= 1]
    print(f"median at small: {median(median(line[2]) for line in lines):.2f} ms")
    print(f"worst at large: {max(max(line[3]) for line in lines):.1f} ms")
    print(f"at most one filter, ratio <= 1.5: {sum(r[0] <= 1.5 for r in single)} of {len(single)}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
