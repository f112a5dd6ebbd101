"""What a plan is: walks whose rows are merged, and what is asked of them."""

from dataclasses import dataclass

from app.catalog.rows import Catalog
from app.repository.predicates import Past, Predicates
from app.repository.walks import Walk


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
