"""How an attribute of an answer is made from columns. Rows only: the projection does it."""

from dataclasses import dataclass, field
from typing import Any

from peewee import Field

from app.vocabulary import Word


@dataclass(frozen=True, eq=False)
class Shape:
    """An attribute made of `column`; where that is NULL, of `absent` (None: it is left out)."""

    column: Field
    absent: Any = None


class Number(Shape):
    """A number as it is."""


class Digits(Shape):
    """A number as a string of digits, for callers whose numbers are doubles."""


class Uuid(Shape):
    """Sixteen bytes as a UUID in lower case."""


class Time(Shape):
    """Nanoseconds as RFC 3339."""


class Truth(Shape):
    """0 or 1 as false or true."""


class Seconds(Shape):
    """Nanoseconds as seconds, whole where possible."""


class Json(Shape):
    """JSON text as it came in."""


class TenantOf(Shape):
    """The tenant's number as `{id, uuid, locator, name}`."""


@dataclass(frozen=True, eq=False)
class Spoken(Shape):
    """A code as the word of an enumeration."""

    words: type[Word] = Word


@dataclass(frozen=True, eq=False)
class Entry(Shape):
    """A dictionary's number as its text, or as an object of its members."""

    dictionary: str = ""
    """Which one: `types`, `queues`, `users`, `agents`, `policies`, `resources`."""
    members: tuple[str, ...] = ()
    """The object's names for the entry's members; empty: the text itself."""
    blanks: bool = False
    """Whether empty members are shown as "" rather than left out."""


@dataclass(frozen=True, eq=False)
class Result(Shape):
    """The result's code, and from `long` on its error, warnings and payload."""

    parts: tuple[tuple[str, Field], ...] = ()


@dataclass(frozen=True, eq=False)
class Lease(Shape):
    """The lease in force: executor, fence, expiry. Never its token."""

    parts: tuple[Field, ...] = field(default=())


class Attempts(Shape):
    """All assignments of the task, by its id."""
