"""Lists by a term of few values (state, priority) or of names (types, users): one for each."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.connections import Row
from app.repository.lists.naming import named
from app.repository.lists.portions import handfuls, whole
from app.repository.lists.sorting import Sorter
from app.repository.lists.terms import Keys, Term, without
from app.repository.predicates import Among, Predicate, Predicates


class ByValue(Sorter):
    """Makes a list of the lists for a term's values."""

    def by_name(
        self, terms: list[Term], predicates: Predicates, after: Keys | None, want: int
    ) -> list[Row]:
        """The lists for the names of the first term, for many names together where each has few."""
        term, found = terms[0], []  # type: tuple[Term, list[Row]]
        nullable = self.catalog.model._meta.columns[term.column].null
        values = named(self.database, term, predicates, after, nullable)
        share = self.estimates.matches(predicates) / max(self.estimates.sample.total, 1)
        for some in handfuls(self.estimates, values, share, want, found):
            found += self.of_names(terms, some, predicates, after, want - len(found))
            if len(found) >= want:
                break
        return found

    def of_names(
        self, terms: list[Term], some: Sequence[tuple[Any, Predicate]],
        predicates: Predicates, after: Keys | None, want: int,
    ) -> list[Row]:  # fmt: skip
        """The list for some names, in the order of the first term."""
        numbers = sorted(row.values[0] for _, row in some if isinstance(row, Among))
        if 1 < len(numbers) == len(some):
            inner = Among(terms[0].column, tuple(numbers))
            together = (inner, *without(predicates, inner))
            few = self.few(terms, whole(self.estimates, self.bounds, together))
            if few is not None:
                return self.sorted_here(terms, few, after, want)
        return self.by_value(iter(some), terms[1:], predicates, after, want)

    def by_value(
        self, values: Iterator[tuple[Any, Predicate]], rest: list[Term],
        predicates: Predicates, after: Keys | None, want: int,
    ) -> list[Row]:  # fmt: skip
        """The lists for single values of the first term, one after the other."""
        found: list[Row] = []
        for key, condition in values:
            begin = after[1:] if after is not None and key == after[0] else None
            inner = (condition, *without(predicates, condition))
            self.expect(inner, want)
            found += self.listed(rest, inner, begin, want - len(found))
            if len(found) >= want:
                break
        return found
