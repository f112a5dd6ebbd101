"""Lists, counts and single objects over HTTP: what tasks and activities answer alike."""

from typing import Any

from flask import Response

from app import clock
from app.api.answers import as_json
from app.api.context import caller, database, purpose_key
from app.catalog.rows import Catalog
from app.catalog.times import written
from app.errors import NotFound
from app.repository.lists import listing, reading
from app.repository.lists.query import Query
from app.vocabulary import Lod

CURSORS = "page tokens"
"""The purpose of the key that signs page tokens."""


def answer_list(catalog: Catalog, query: Query) -> Response:
    """The page or the count that `query` asks."""
    now = clock.now()
    if query.lod == Lod.COUNT:
        number = listing.count(database(), catalog, query, caller().tenant, now)
        return as_json({"count": number, "size": number, **envelope([], None, now)})
    page = listing.page(database(), catalog, query, caller().tenant, purpose_key(CURSORS), now)
    return as_json({**envelope(page.items, page.after, now), "size": len(page.items)})


def envelope(items: list[Any], after: str | None, now: int) -> dict[str, Any]:
    """The members that every list has."""
    cursors = {} if after is None else {"after": after}
    return {"items": items, "paging": {"cursors": cursors}, "timeStamp": written(now)}


def answer_item(catalog: Catalog, key: str, query: Query) -> Response:
    """The object that `key`, digits or a UUID, names. Raises NotFound."""
    shown = query.filters.get("allow_deleted") == [True]
    lod = query.lod or Lod.LONG
    found = reading.find(database(), catalog, key, lod, caller().tenant, shown)
    if found is None:
        raise NotFound(kind=catalog.name)
    return as_json(found)
