"""Lists whose rows are few: all of them are fetched, and sorted here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.connections import Row
from app.repository.lists.fetching import Fetcher, Torn, place
from app.repository.lists.naming import entries
from app.repository.lists.plans import Plan
from app.repository.lists.portions import MANY
from app.repository.lists.terms import Keys, Term, comparable, earlier
from app.repository.lists.walking import run
from app.repository.lists.walks import Head
from app.repository.predicates import Predicates


@dataclass(frozen=True, eq=False)
class Few:
    """Rows of the order's columns alone, and where each column is."""

    rows: list[Row]
    places: dict[str, int]


class Sorter(Fetcher):
    """Sorts what its walks find."""

    def few(self, terms: list[Term], plan: Plan) -> "Few | None":
        """All rows that `plan` finds; None when they are more than were expected."""
        if self.alone:
            raise Torn
        self.plans.append(plan)
        columns = [self.catalog.model.id]
        places = {
            term.column: place(columns, self.catalog.model._meta.columns[term.column])
            for term in terms
        }
        head = Head(("terms", tuple(places)), tuple(columns))
        found: dict[int, Row] = {}
        for walk in plan.walks:
            rows = run(self.database, self.catalog, walk, head, MANY)
            if len(rows) == MANY:
                return None
            found |= {row[0]: row for row in rows}
        return Few(list(found.values()), places)

    def sorted_here(
        self, terms: list[Term], few: "Few", after: Keys | None, want: int
    ) -> list[Row]:
        """The first `want` of a few rows, beyond `after`."""
        ordered = self.in_order(few.rows, terms, few.places)
        if after is not None:
            ordered = [row for row in ordered if self.beyond(terms, few, row, after)]
        return self.fetched([row[0] for row in ordered[:want]])

    def beyond(self, terms: list[Term], few: "Few", row: Row, after: Keys) -> bool:
        """Whether `row` comes after the keys `after`."""
        for term, edge in zip(terms, after, strict=True):
            key = self.key(term, row[few.places[term.column]])
            if key != edge:
                return earlier(edge, key, term.descending)
        return False

    def in_order(
        self, rows: list[Row], terms: list[Term], places: dict[str, int] | None = None
    ) -> list[Row]:
        """`rows` sorted by `terms`."""
        for term in reversed(terms):
            at = (places or self.places)[term.column]
            key = self.by(term, at, rows)
            rows = sorted(rows, key=key, reverse=term.descending)
        return rows

    def by(self, term: Term, at: int, rows: list[Row]) -> Callable[[Row], Any]:
        """What a term sorts rows by, whose column is in this place."""
        if term.names is None:
            return lambda row: (row[at] is not None, row[at])
        numbers = {row[at] for row in rows}
        known = entries(self.database, term, numbers)  # all by one statement
        names = {
            number: comparable(number if number is None else str(known[number][0]))
            for number in numbers
        }
        return lambda row: names[row[at]]

    def listed(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """The first `want` rows in the order of `terms`, beyond `after`."""
        raise NotImplementedError
