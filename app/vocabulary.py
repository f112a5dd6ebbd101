"""The words of the contract: states, priorities, result codes, levels of detail and scopes.

Each enumeration is written in its natural order (a task's life, low to high, little to much), and
that order is the one of the database codes, of `order=` and of comparisons.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from enum import Enum


class Word(str, Enum):
    """A word of the contract that has a place in an order and a small number in the database."""

    _value_: str
    code: int
    """The number kept in the database: the 1-based place in the enumeration."""

    def __init__(self, *_: str) -> None:
        """The next word of its enumeration."""
        self.code = len(type(self).__members__) + 1

    @classmethod
    def words(cls) -> list[str]:
        """All the words, in order."""
        return [member.value for member in cls]


def meant(text: str, words: Sequence[str]) -> str | None:
    """The one of `words` that `text` misses narrowly, in whatever case; None when none is near."""
    near = get_close_matches(text.lower(), [word.lower() for word in words], 1)
    return next((word for word in words if [word.lower()] == near), None)


class State(Word):
    """Where a task or an activity stands in its life."""

    ENQUEUED = "enqueued"
    ASSIGNED = "assigned"
    STARTED = "started"
    PAUSED = "paused"
    COMPLETED = "completed"


class Priority(Word):
    """How urgent a task is."""

    LOW = "low"
    BELOW_NORMAL = "belowNormal"
    NORMAL = "normal"
    ABOVE_NORMAL = "aboveNormal"
    HIGH = "high"


class ResultCode(Word):
    """How a completed task or activity ended."""

    OK = "ok"
    ERROR = "error"
    WARNING = "warning"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    TIMEDOUT = "timedout"


class Lod(Word):
    """Level of detail: each shows all of the former, and more; `count` shows only a number."""

    TINY = "tiny"
    SHORT = "short"
    LONG = "long"
    FULL = "full"
    DEBUG = "debug"
    COUNT = "count"


SCOPE_PREFIX = "urn:acronis.com:"
SCOPE_SUFFIX = ":task_manager::"
TENANT_SCOPE_PREFIX = "urn:acronis.com:tenant-id:"
"""A scope that narrows a token to the tenant whose UUID follows."""


class Scope(Word):
    """What a token may do; the value is the reference's URN."""

    VIEWER = "urn:acronis.com::task_manager::viewer"
    ISSUER = "urn:acronis.com::task_manager::issuer"
    CONSUMER = "urn:acronis.com::task_manager::consumer"
    ADMIN = "urn:acronis.com::task_manager::admin"

    @property
    def role(self) -> str:
        """The last word of the URN: `viewer`, `issuer`, `consumer` or `admin`."""
        return self.value.rpartition(":")[2]

    def within(self, tenant: str) -> str:
        """The same scope narrowed to the subtree of the tenant with this UUID."""
        return f"{SCOPE_PREFIX}{tenant}{SCOPE_SUFFIX}{self.role}"
