"""Lists by a time: the rows that lack it, and those that have it in their order."""

from app.connections import Row
from app.repository.lists.fetching import Torn
from app.repository.lists.sorting import Sorter
from app.repository.lists.terms import Keys, Term, contradicts, spanned
from app.repository.predicates import Missing, Predicates, Span


class ByTime(Sorter):
    """Makes a list of the one without the time and the one by it."""

    def by_time(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows without the first term's time, and rows by it, in the order that they come."""
        found: list[Row] = []
        for missing in (False, True) if terms[0].descending else (True, False):
            inner = (Missing(terms[0].column, missing), *predicates)
            if contradicts(predicates, terms[0].column, missing):
                continue
            begin = after
            if after is not None and (after[0] is None) != missing:
                if missing != terms[0].descending:
                    continue
                begin = None
            if missing == terms[0].descending or after is None:
                self.expect(inner, want)
            part = self.without_time if missing else self.with_time
            found += part(terms, inner, begin, want - len(found))
        return found

    def without_time(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows that lack the first term's time, by the terms behind it."""
        return self.listed(terms[1:], predicates, after[1:] if after is not None else None, want)

    def with_time(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows that have the first term's time, by it."""
        term, rest = terms[0], terms[1:]
        if rest[0].column == "id" and rest[0].descending == term.descending:
            return self.walked(predicates, term, after, want)
        found: list[Row] = []
        if after is not None:
            found += self.tied(terms, predicates, after[0], after[1:], want)
            low, high = (None, after[0] - 1) if term.descending else (after[0] + 1, None)
            narrowed = spanned(predicates, Span(term.column, low, high))
            if narrowed is None:
                return found
            predicates = narrowed
        if len(found) >= want:
            return found
        if self.alone and self.estimates.matches(predicates) >= want:
            raise Torn  # those that share the last one's time will be asked for as well
        block = self.walked(predicates, term, None, want - len(found))
        if len(block) < want - len(found):
            return found + self.in_order(block, terms)
        last = block[-1][self.places[term.column]]
        whole = [row for row in block if row[self.places[term.column]] != last]
        found += self.in_order(whole, terms)
        return found + self.tied(terms, predicates, last, None, want - len(found))

    def tied(
        self, terms: list[Term], predicates: Predicates, moment: int, after: Keys | None, want: int
    ) -> list[Row]:
        """Rows that share one time, by the terms behind it."""
        narrowed = spanned(predicates, Span(terms[0].column, moment, moment))
        return [] if narrowed is None else self.listed(terms[1:], narrowed, after, want)
