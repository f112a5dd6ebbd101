"""What a list request asks, read and validated."""

from dataclasses import dataclass, field
from typing import Any

from app.vocabulary import Lod

Values = dict[str, list[Any]]
"""A filter's name to the values of its entries, as its kind reads them."""
OrderBy = tuple[tuple[str, str], ...]
"""`(direction, field)` pairs, most significant first."""

PAGE = 1_000
"""Items of a page when no limit is given, and the most that may be asked for."""


@dataclass(frozen=True)
class Query:
    """A list request. None stands for what was not said."""

    filters: Values = field(default_factory=dict)
    order: OrderBy | None = None
    lod: Lod | None = None
    limit: int | None = None
    after: str | None = None
