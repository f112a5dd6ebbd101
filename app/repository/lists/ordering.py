"""Lists in any order: a request's order is taken apart into walks along single columns.

An order field either has few values (state, priority: a list for each), or names (types, users: a
list for each, in order of the names), or is a time (rows without it, then by it), or is unique.
"""

from app.connections import Row
from app.repository import invariants
from app.repository.lists.by_time import ByTime
from app.repository.lists.by_value import ByValue
from app.repository.lists.fetching import Torn
from app.repository.lists.portions import better_sorted, coded
from app.repository.lists.terms import UNIQUE, WORDS, Keys, Term
from app.repository.predicates import Predicates


class Lister(ByValue, ByTime):
    """Finds rows of one collection in one order."""

    def page(self, predicates: Predicates, after: Keys | None, want: int) -> list[Row]:
        """The first `want` rows that satisfy `predicates`, beyond `after`. Raises Torn."""
        rows = self.listed(self.terms, predicates, after, want)
        if self.alone and not (rows and rows[0][-1] == self.bounds.get(invariants.VERSION)):
            raise Torn
        return rows

    def listed(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """The first `want` rows in the order of `terms`, beyond `after`."""
        if want <= 0:
            return []
        term, rest = terms[0], terms[1:]
        if term.column in UNIQUE:
            return self.walked(predicates, term, after, want)
        plain = len(terms) == 2 and rest[0].column == "id" and not several(term)
        if not plain:
            asked = (self.estimates, self.bounds, terms, predicates, after, want)
            plan = better_sorted(*asked)
            few = None if plan is None else self.few(terms, plan)
            if few is not None:
                return self.sorted_here(terms, few, after, want)
        if term.names:
            return self.by_name(terms, predicates, after, want)
        if term.column in WORDS:
            return self.by_value(coded(term, predicates, after), rest, predicates, after, want)
        return self.by_time(terms, predicates, after, want)


def several(term: Term) -> bool:
    """Whether lists by `term` are made of one for each of its values."""
    return bool(term.names) or term.column in WORDS
