"""Which index each list request goes along: telling requests, and every filter by every order."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

from app.api.parsing import entries
from app.api.schemas import list_schema
from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.database import Database
from app.repository import tenants
from app.repository.lists import listing
from app.repository.lists.query import Query
from app.vocabulary import Lod
from benches import drawn
from benches.data import NOW
from benches.lists import KEY, NODES
from benches.requests import LARGE, PARTNER, REQUESTS, ROOT, Draw

NAMED = re.compile(r"(?:INDEXED BY|FORCE INDEX) \(?(\w+)")
LIMIT = 100
FEW = {"taskId": ("{}", 5_000), "parentActivityId": ("{}", 5_000)}
"""More of the data's values, of activities alone."""

Case = tuple[Catalog, str, Draw]
"""A collection, who asks, and what, drawn by chance."""


def telling() -> Iterator[Case]:
    """The telling requests."""
    yield from ((TASKS, request.tenant, request.draw) for request in REQUESTS)


def entry(row: drawn.Filter, chance: random.Random) -> str:
    """An entry of a filter of either collection."""
    if row.name in FEW:
        form, count = FEW[row.name]
        return form.format(drawn.zipf(chance, count))
    if row.name == "sustainable":
        return "true"
    return drawn.entry(row, chance)


def asked(row: drawn.Filter | None, order: str, chance: random.Random) -> str:
    """A query string of one filter (None: of none) and one order."""
    return f"{row.name}={entry(row, chance)}&order={order}" if row else f"order={order}"


def pairs() -> Iterator[Case]:
    """Every filter that the data has values for, and none, by every order, for three tenants."""
    for catalog in (TASKS, ACTIVITIES):
        rows = [
            row for row in catalog.filters
            if drawn.drawable(row) or row.name in FEW or row.name == "sustainable"
        ]  # fmt: skip
        for row in (None, *rows):
            for field in catalog.order_of:
                for direction in ("asc", "desc"):
                    for tenant in (ROOT, PARTNER, LARGE):
                        yield catalog, tenant, partial(asked, row, f"{direction}({field})")


def query_of(catalog: Catalog, text: str) -> Query:
    """The query of a query string."""
    given: Query = list_schema(catalog).load(entries(quote(text, safe="=&(),").encode()))
    return Query(given.filters, given.order, Lod.SHORT, LIMIT)


def gone_along(database: Database, cases: Iterator[Case], draws: int) -> Counter[str]:
    """In how many of `cases` a page of them goes along each index."""
    said: set[str] = set()
    plain = database.fetched

    def fetched(sql: str, values: object) -> object:
        said.update(NAMED.findall(sql))
        return plain(sql, values)  # type: ignore[arg-type]

    found: Counter[str] = Counter()
    chance = random.Random(1)
    database.fetched = fetched  # type: ignore[method-assign,assignment]
    try:
        for catalog, tenant, draw in cases:
            node = tenants.by_ids(database, [NODES[tenant]])[NODES[tenant]]
            said.clear()
            for _ in range(draws):
                listing.page(database, catalog, query_of(catalog, draw(chance)), node, KEY, NOW)
            found.update(said)
    finally:
        database.fetched = plain  # type: ignore[method-assign]
    return found
