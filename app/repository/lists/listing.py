"""Lists and counts of tasks and activities."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.catalog.rows import Catalog
from app.database import Database
from app.errors import QueryTooSlow
from app.repository import invariants
from app.repository.figures.tallying import figure
from app.repository.lists import projection
from app.repository.lists.counting import counted
from app.repository.lists.estimating import Estimates
from app.repository.lists.fetching import Torn
from app.repository.lists.filtering import deleted_too, demands, predicates, seen
from app.repository.lists.ordering import Lister
from app.repository.lists.paging import Question, check_size, continued, fresh, token
from app.repository.lists.plans import Plan
from app.repository.lists.query import PAGE, Query
from app.repository.lists.sampling import sample_of
from app.repository.lists.terms import Keys, Term, terms_of
from app.repository.lists.walks import Head
from app.repository.tenants import Node

log = logging.getLogger("app.lists")


@dataclass(frozen=True)
class Page:
    """The objects of one page, and the token of the next (None: this is the last)."""

    items: list[dict[str, Any]]
    after: str | None


def page(
    database: Database, catalog: Catalog, query: Query, node: Node, key: bytes, now: int,
    plans: list[Plan] | None = None,
) -> Page:  # fmt: skip
    """One page of the list that `query` asks, of what the subtree of `node` holds.

    `key`: signs page tokens; `now`: epoch nanoseconds; `plans`: is told those taken. Raises
    QueryTooLong, BadCursor, CursorMismatch, Unavailable, QueryTooSlow.
    """
    if query.after is not None:
        question = continued(key, catalog, node, query)
    else:
        if query.limit is not None:
            check_size(catalog, query)
        question = fresh(query)
    plans = [] if plans is None else plans
    asked = (database, catalog, question, query.limit or PAGE, node, key, now, plans)
    with given_up_aloud(catalog, query, plans), database.bounded():
        try:
            # Mostly one statement finds the rows, and needs no transaction around it.
            return answered(*asked, alone=True)
        except Torn:
            plans.clear()
            return database.at_one_moment(lambda: answered(*asked))


def answered(
    database: Database, catalog: Catalog, question: Question, limit: int, node: Node,
    key: bytes, now: int, plans: list[Plan], alone: bool = False,
) -> Page:  # fmt: skip
    """The page of `question`, read in the transaction that is open or (alone) by one statement.

    `plans`: to which those are added that are taken. Raises Torn when one statement cannot be.
    """
    wanted = predicates(database, catalog, question.filters, node)
    if wanted is None:
        return Page([], None)
    plan = projection.plan_of(catalog, question.lod)
    head = Head(question.lod.value, plan.columns, catalog.details if plan.detailed else None)
    terms = terms_of(catalog, question.order)
    estimates = Estimates(database, catalog, sample_of(database, catalog, now))
    bounds = invariants.remembered(database) if alone else invariants.known_anew(database)
    lister = Lister(estimates, terms, head, bounds, plans, alone)
    # One more than asked tells whether there is a next page.
    rows = lister.page(wanted, begin(catalog, terms, question.after), limit + 1)
    items = projection.shaped(database, plan, rows[:limit], bounds.get(invariants.TENANTS, 0))
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, token(key, catalog, node, question, lister.keys(rows[limit - 1])))


def begin(catalog: Catalog, terms: list[Term], keys: list[Any] | None) -> Keys | None:
    """The keys of a token as the columns hold them."""
    if keys is None:
        return None
    return [
        bytes.fromhex(key) if term.column == "uuid" else key
        for term, key in zip(terms, keys, strict=True)
    ]


def count(database: Database, catalog: Catalog, query: Query, node: Node, now: int) -> int:
    """How many rows satisfy the filters of `query` in the subtree of `node`: exact.

    By figures that are kept, where those say it, else by the rows. One statement counts: no
    transaction is needed around it. Raises Unavailable, QueryTooSlow.
    """
    with given_up_aloud(catalog, query, ()), database.bounded():
        asked = demands(database, catalog, query.filters)
        if asked is None:
            return 0
        known = figure(database, catalog, asked, deleted_too(query.filters), node)
        if known is not None:
            return known
        wanted = seen(database, asked, query.filters, node)
        return 0 if wanted is None else counted(database, catalog, wanted, now)


@contextmanager
def given_up_aloud(catalog: Catalog, query: Query, plans: Sequence[Plan]) -> Iterator[None]:
    """The log says what took too long: names of filters, whose values name people, and plans."""
    try:
        yield
    except QueryTooSlow:
        facts = {
            "collection": catalog.plural, "filters": sorted(query.filters), "order": query.order,
            "plans": [plan.words for plan in plans] or ["none yet"],
        }  # fmt: skip
        log.warning("query given up", extra={"facts": facts})
        raise
