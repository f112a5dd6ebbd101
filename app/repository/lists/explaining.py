"""Why a list takes as long as it does: the plans taken for it, and what they looked at."""

from dataclasses import dataclass

from app import clock
from app.catalog.rows import Catalog
from app.database import Database
from app.repository.lists import listing
from app.repository.lists.plans import Plan
from app.repository.lists.query import Query
from app.repository.tenants import Node


@dataclass(frozen=True)
class Explanation:
    """A list that was run: its plans in order, rows found, rows looked at, and milliseconds."""

    plans: list[Plan]
    found: int
    examined: int
    unit: str
    """What `examined` counts: rows on a server; steps of its machine on SQLite, a few per row."""
    milliseconds: float


def explain(
    database: Database, catalog: Catalog, query: Query, node: Node, now: int
) -> Explanation:
    """Run the list that `query` asks twice, once to warm up -> how it was found the second time.

    Raises Unavailable, QueryTooSlow.
    """
    listing.page(database, catalog, query, node, b"", now)
    plans: list[Plan] = []
    with database.examining() as examined:
        began = clock.monotonic()
        page = listing.page(database, catalog, query, node, b"", now, plans)
        milliseconds = (clock.monotonic() - began) * 1000
    unit = "steps" if database.dialect == "sqlite" else "rows"
    return Explanation(plans, len(page.items), examined(), unit, milliseconds)
