"""What a plan is: walks whose rows are merged, and what is asked of them."""

from dataclasses import dataclass, replace

from app.catalog.rows import Catalog
from app.repository.lists.elsewhere import Containing, Within
from app.repository.lists.walks import Walk
from app.repository.predicates import Past, Predicate, Predicates

SINGLY = 500
"""Rows that a walk looks at up to which other tables are asked for each by itself."""


@dataclass(frozen=True)
class Demand:
    """What is to be listed: rows that satisfy `predicates`, by a column and id, from `past` on."""

    catalog: Catalog
    predicates: Predicates
    column: str
    descending: bool
    past: Past | None
    limit: int


@dataclass(frozen=True)
class Plan:
    """Walks whose rows, merged in order, answer a demand; and what that costs in microseconds."""

    walks: tuple[Walk, ...]
    cost: float
    words: str
    late: bool = False
    """Whether ids are found first, and the rows fetched for those of the page alone."""
    near: bool = False
    """Whether what times imply for ids narrows the walks."""
    steps: float = 0.0
    """Rows looked at."""
    spread: float | None = None
    """Rows in order of the walks' index (None: of the table itself)."""
    order: float = 0.0
    """What it costs to sort them."""

    @property
    def conditions(self) -> Predicates:
        """Those of its first walk, of which the others' differ in a value."""
        return self.walks[0].predicates if self.walks else ()


def singly(plan: Plan) -> Plan:
    """`plan`, which where it looks at few rows looks up the entries and tenants of those alone: all
    that match are found anew by each statement, 28 ms for 100,000."""
    elsewhere = any(isinstance(row, Containing | Within) for row in plan.conditions)
    if not elsewhere or plan.steps > SINGLY * len(plan.walks):
        return plan
    walks = (replace(walk, predicates=tuple(map(alone, walk.predicates))) for walk in plan.walks)
    return replace(plan, walks=tuple(walks))


def alone(row: Predicate) -> Predicate:
    """`row` as it is asked of a single row."""
    return row.singly() if isinstance(row, Containing | Within) else row
