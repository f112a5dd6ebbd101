"""Lists and counts by the repository, warm; and lists when nothing of the data is in memory."""

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from app.api.schemas import list_schema
from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database
from app.errors import QueryTooSlow
from app.repository import tenants
from app.repository.lists import listing
from app.repository.lists.query import Query
from app.repository.tenants import Node
from app.vocabulary import Lod
from benches.data import NOW
from benches.lists import DEEP, KEY, LIMIT, NODES, Asked, asked, deep_query, query_of
from benches.requests import REQUESTS, ROOT, Request, in_every_order, of_activities
from benches.scale.place import Place

DRAWS, TIMES = 9, 3
"""Values that each request is asked with, and how often each: the fastest counts."""
COUNTED = 3
"""How often each count is made: the fastest counts."""
DEPTHS = (0, 0.5, 0.9)
SOME = 500
"""Tasks whose activities are asked for."""
DROP = Path("/proc/sys/vm/drop_caches")


def family(request: Request) -> str:
    """Which picture shows a request about tasks."""
    if request.tenant != ROOT:
        return "tenants"
    return ("orders", "one filter")[request.filters] if request.filters < 2 else "more filters"


def node_of(database: Database, tenant: str) -> Node:
    """The tenant that asks."""
    number = NODES[tenant]
    return tenants.by_ids(database, [number])[number]


def patient(database: Database, found: Iterator[Asked]) -> Iterator[Asked]:
    """`found`, until the service gives one up: that one took as long as it may take, at least."""
    try:
        yield from found
    except QueryTooSlow:
        yield Asked(database.query_seconds * 1000, 0)


def entry(words: str, family: str, found: Sequence[Iterator[Asked]]) -> dict[str, Any]:
    """A request's line: milliseconds of its draws, and whether every page was full.

    `found`: at this size; or before it at the smallest, whose draws are taken in turn with this
    one's: so what else slows the machine slows both.
    """
    draws = list(zip(*found, strict=False))
    own, before = [row[-1] for row in draws], [row[0] for row in draws]
    line = {"words": words, "family": family, "ms": milliseconds(own), "full": full(own)}
    if len(found) > 1:
        line |= {"before": milliseconds(before), "comparable": full(own) and full(before)}
    return line


def milliseconds(draws: list[Asked]) -> list[float]:
    """What each took."""
    return [round(one.ms, 3) for one in draws]


def full(draws: list[Asked]) -> bool:
    """Whether every page was."""
    return all(one.rows == LIMIT for one in draws)


def of(database: Database, catalog: Catalog, request: Request) -> Iterator[Asked]:
    """The draws of a request, when they are asked for."""
    chance, schema = random.Random(request.words), list_schema(catalog)
    found = asked(
        database, catalog, node_of(database, request.tenant),
        lambda: query_of(request, chance, schema), DRAWS, TIMES,
    )  # fmt: skip
    return patient(database, found)


def at_depth(database: Database, field: str, column: str, depth: float) -> Iterator[Asked]:
    """The draws of a page at some depth."""
    node = node_of(database, ROOT)
    query = deep_query(node, field, column, depth)
    return patient(database, asked(database, TASKS, node, lambda: query, DRAWS, TIMES))


def told_once(requests: tuple[Request, ...]) -> list[Request]:
    """Each request once."""
    return list({request.words: request for request in requests}.values())


def task_requests() -> list[Request]:
    """The telling ones, and every order."""
    return told_once((*REQUESTS, *in_every_order(TASKS.order_of)))


def lists(place: Place) -> dict[str, Any]:
    """Every telling request, every order and some depths."""
    with place.databases() as some:
        rows = [
            entry(one.words, family(one), [of(database, TASKS, one) for database in some])
            for one in task_requests()
        ]
        rows += [
            entry(f"root: {field} at {depth:.0%}", "depths",
                  [at_depth(database, field, column, depth) for database in some])
            for field, column in DEEP for depth in DEPTHS
        ]  # fmt: skip
    return {"against": place.against, "requests": rows}


def activity_requests(database: Database) -> list[Request]:
    """The telling ones about activities that there are, and every order."""
    ids = [row[0] for row in database.rows(f"SELECT id FROM tasks ORDER BY id LIMIT {SOME}")]
    return told_once((*of_activities(ids), *in_every_order(ACTIVITIES.order_of)))


def activities(place: Place) -> dict[str, Any]:
    """The same of activities, of which there are three times as many."""
    with place.databases() as some:
        requests = zip(*(activity_requests(database) for database in some), strict=True)
        rows = [
            entry(same[-1].words, "activities", [
                of(database, ACTIVITIES, one) for database, one in zip(some, same, strict=True)])
            for same in requests
        ]  # fmt: skip
    return {"against": place.against, "requests": rows}


def counted(database: Database, query: Query, node: Node) -> tuple[float, int]:
    """Milliseconds of a count, and how many there are. Raises QueryTooSlow."""
    began = perf_counter()
    number = listing.count(database, TASKS, query, node, NOW)
    return (perf_counter() - began) * 1000, number


def counts(place: Place) -> dict[str, Any]:
    """How many satisfy the filters of each telling request; what is given up is told."""
    rows: dict[str, Any] = {}
    with place.database() as database:
        for request in REQUESTS:
            words = request.words.partition("order=")[0].rstrip(" +")
            if words in rows:
                continue
            asked = query_of(request, random.Random(1))  # the values that its words name
            query = Query(asked.filters, None, Lod.COUNT, None)
            node = node_of(database, request.tenant)
            rows[words] = {"words": words, "ms": None, "rows": None}
            with suppress(QueryTooSlow):
                some = [counted(database, query, node) for _ in range(COUNTED)]
                rows[words] |= {"ms": round(min(some)[0], 2), "rows": some[0][1]}
    return {"counts": list(rows.values())}


def evict(files: list[Path]) -> str:
    """Nothing of `files` is in the kernel's memory -> how that was done."""
    os.sync()
    with suppress(OSError):
        DROP.write_text("3")
        return "the kernel's caches were dropped"
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    return "the kernel was advised to forget the files"


def cold(place: Place) -> dict[str, Any]:
    """Every telling request once, with nothing in memory.

    On SQLite before each request; MariaDB is started anew once, and then asked them in turn.
    """
    how, rows = "", []
    if place.server is not None:
        place.server.stop()
        how = f"the server was started anew, {evict(place.files())}"
        place.server.start()
    with place.database() as database:
        listing.page(
            database, TASKS, Query({}, None, Lod.TINY, 1), node_of(database, ROOT), KEY, NOW
        )
        for request in REQUESTS:
            query = query_of(request, random.Random(request.words))
            node = node_of(database, request.tenant)
            if place.server is None:
                database.run("PRAGMA shrink_memory")
                how = evict(place.files())
            began = perf_counter()
            with suppress(QueryTooSlow):
                listing.page(database, TASKS, query, node, KEY, NOW)
            took = round((perf_counter() - began) * 1000, 2)
            rows.append({"words": request.words, "family": family(request), "ms": took})
    return {"how": how, "requests": rows}
