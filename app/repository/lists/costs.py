"""What plans cost, in microseconds measured on SQLite: MariaDB's differ by a factor, not in order.

A row is cheap where its neighbours in the table are looked at too, and dear by itself.
"""

from collections.abc import Sequence

from app.catalog.indexes import Index
from app.repository.lists.elsewhere import Containing, Within
from app.repository.lists.estimating import Estimates
from app.repository.predicates import Among, Predicate, Predicates, Tagged

STATEMENT = 60.0
"""What a statement costs before its first row."""
STEP = 0.6
"""What a row costs that is looked at in the order of an index, the one before it on its page."""
TESTED = 0.25
"""What a step costs whose row is not looked at, as the index itself refuses it."""
SCANNED = 0.2
"""The same in the order of the table itself."""
APART = 2.2
"""What it costs more when it is alone on its page."""
PAGE = 25
"""Rows on a page."""
SORTED = 0.4
"""What it costs to sort it."""
ELSEWHERE = (Tagged, Within, Containing)
LOOKED_UP = 1.5
"""What a condition costs that another table answers for a row."""
POSTED = 0.3
"""What an id costs that is read to be asked for beside a walk."""
ASKED = 0.3
"""What it costs to ask whether a row's id is among those."""


class Costs:
    """Weighs walks by what is known of the rows."""

    def __init__(self, estimates: Estimates) -> None:
        """Know the rows by `estimates`."""
        self.estimates = estimates
        self.total = max(estimates.sample.total, 1)

    def row(self, spread: float) -> float:
        """What one of `spread` rows costs that lie all over the table."""
        return STEP + APART * min(1.0, self.total / (PAGE * max(spread, 1.0)))

    def looked_up(self, rows: Predicates) -> float:
        """What the conditions cost, for a row, that are answered by other tables."""
        if not any(isinstance(row, ELSEWHERE) for row in rows):
            return 0.0
        cost, share = 0.0, 1.0
        for row in rows:
            if isinstance(row, ELSEWHERE):
                tags = len(row.values) if isinstance(row, Tagged) else 1
                cost += share * LOOKED_UP * min(tags, 2)  # a row has few, whatever is asked for
            elif isinstance(row, Among):
                share *= self.estimates.share((row,))
        return cost

    def walked(
        self, steps: float, spread: float | None, rest: Predicates, index: Index | None
    ) -> float:
        """What `steps` rows cost of `spread` rows in order (None: of the table itself), each
        tested by `rest`, as far as it can be by `index` itself."""
        inner = tuple(row for row in rest if index and row.column in index.tail)
        if not inner or spread is None:
            row = SCANNED if spread is None else self.row(spread)
            return steps * (row + self.looked_up(rest))
        share = self.estimates.share(inner)
        outer = tuple(row for row in rest if row not in inner)
        first = steps * (TESTED + self.looked_up(inner))
        return first + self.walked(steps * share, spread * share, outer, None)

    def posted(
        self,
        steps: float,
        spread: float,
        rest: Predicates,
        beside: Sequence[tuple[Predicate, float]],
        index: Index | None,
    ) -> float:
        """The same when the conditions `beside`, each with the number of ids read for it, are
        answered by their ids."""
        rows = [row for row, _ in beside]
        share = self.estimates.share(rows)
        others = tuple(row for row in rest if row not in rows)
        ids = sum(STATEMENT + POSTED * count for _, count in beside)
        return ids + ASKED * steps + self.walked(steps * share, spread * share, others, index)
