"""Lanes: queue, type, tenant and affinity of tasks, as one number.

Lanes are kept like the entries of a dictionary: few compared with tasks, never changed or removed.
"""

from collections.abc import Iterable

from app.database import Database
from app.models import Lane
from app.repository import dictionaries
from app.repository.dictionaries import Dictionary

LANES = Dictionary(
    Lane, (Lane.queue_id, Lane.type_id, Lane.tenant_id, Lane.affinity_id), Lane.digest, False
)

Members = tuple[int, int, int, int]
"""Numbers of queue, type, tenant and affinity (0 = none)."""


def numbers(database: Database, lanes: Iterable[Members]) -> dict[Members, int]:
    """The number of each of `lanes`; new ones are written and committed at once.

    Call it before the transaction that uses the numbers. Raises Unavailable.
    """
    found: dict[Members, int] = dictionaries.numbers(database, LANES, lanes)
    return found
