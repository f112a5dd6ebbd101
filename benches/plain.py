"""The same lists by one plain SELECT, as an object-relational mapper would write it.

The engine chooses its index and sorts; what it answers is what every plan must answer.
"""

from typing import Any

from peewee import Ordering

from app.catalog.rows import Catalog
from app.database import Database
from app.repository.lists.filtering import predicates
from app.repository.lists.query import Query
from app.repository.lists.terms import Term, terms_of
from app.repository.predicates import Mark, marks
from app.repository.tenants import Node


def ordering(catalog: Catalog, term: Term) -> Ordering:
    """A term of ORDER BY; names are looked up for every row."""
    column = catalog.model._meta.columns[term.column]
    if term.names:
        entries: Any = term.names.member.model
        column = entries.select(term.names.member).where(entries.id == column)
    return Ordering(column, "DESC" if term.descending else "ASC")


def ids(database: Database, catalog: Catalog, query: Query, node: Node, limit: int) -> list[int]:
    """The ids of the first `limit` rows."""
    wanted = predicates(database, catalog, query.filters, node)
    if wanted is None:
        return []
    conditions, values = [], []
    for row in wanted:
        conditions.append(row.sql(catalog, marks(len(values), len(row.parameters))))
        values += row.parameters
    found = catalog.model.select(catalog.model.id).limit(limit).tuples()
    found = found.where(*conditions) if conditions else found
    terms = terms_of(catalog, query.order or ())
    sql, places = database.compiled(found.order_by(*(ordering(catalog, term) for term in terms)))
    filled = [values[place.n] if isinstance(place, Mark) else place for place in places]
    return [row[0] for row in database.rows(sql, filled)]
