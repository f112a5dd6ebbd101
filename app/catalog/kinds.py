"""The kinds of filter: how one entry is written, read, documented.

Each kind reads a raw entry into a plain value that JSON can carry (page tokens hold them), or
raises ValueError with what would be accepted. What a kind means in SQL is the repository's
business.
"""

import re
from dataclasses import dataclass
from typing import Any

from app.catalog.times import ACCEPTED, instant
from app.vocabulary import Word, meant

LARGEST_ID = 2**63 - 1
UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
UUID = re.compile(UUID_PATTERN.strip("^$"))
DIGITS = re.compile("[0-9]{1,19}")
LIKE = re.compile(r"like\((.*)\)", re.DOTALL)


@dataclass(frozen=True)
class Kind:
    """How entries of a filter are written; `multiple`: several may be given, and are OR-ed."""

    multiple: bool = True

    def read(self, text: str) -> Any:
        """The value of one entry. Raises ValueError with what would be accepted."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """What OpenAPI says of one entry."""
        raise NotImplementedError

    def size(self, value: Any) -> int:
        """Bytes that a value takes in a page token, as the contract counts them."""
        return 8


@dataclass(frozen=True)
class Number(Kind):
    """An id: 1 to 2^63-1."""

    def read(self, text: str) -> int:
        """The number."""
        if not DIGITS.fullmatch(text) or not 1 <= int(text) <= LARGEST_ID:
            raise ValueError(f"a number from 1 to {LARGEST_ID} is accepted")
        return int(text)

    def schema(self) -> dict[str, Any]:
        """An integer of 64 bits."""
        return {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}


@dataclass(frozen=True)
class Uuid(Kind):
    """A UUID in any case, kept in lower case."""

    def read(self, text: str) -> str:
        """The UUID in lower case."""
        if not UUID.fullmatch(text):
            raise ValueError("a UUID such as 0016750a-ee56-49e6-bf59-7c768c9869ac is accepted")
        return text.lower()

    def schema(self) -> dict[str, Any]:
        """The reference's pattern."""
        return {"type": "string", "pattern": UUID_PATTERN}

    def size(self, value: Any) -> int:
        """Sixteen bytes."""
        return 16


@dataclass(frozen=True)
class Text(Kind):
    """Text that must be equal byte for byte."""

    def read(self, text: str) -> Any:
        """The text itself."""
        return text

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "minLength": 1, "maxLength": 1024}

    def size(self, value: Any) -> int:
        """Its length in UTF-8."""
        return len(str(value).encode())


@dataclass(frozen=True)
class Like(Text):
    """Exact text, or `like(value)`: contains `value`, whatever the case."""

    def read(self, text: str) -> list[str]:
        """`["is", text]` or `["like", caseless value]`."""
        found = LIKE.fullmatch(text)
        if not found:
            return ["is", text]
        if not found[1]:
            raise ValueError("like() needs the text to look for, such as like(daily)")
        return ["like", found[1].casefold()]

    def schema(self) -> dict[str, Any]:
        """A string that is not an empty `like()`."""
        return {**super().schema(), "pattern": r"^(?!like\(\)$)"}

    def size(self, value: Any) -> int:
        """The text's length in UTF-8."""
        return len(value[1].encode())


@dataclass(frozen=True)
class OneOf(Kind):
    """One of the words of an enumeration, in exact case."""

    words: type[Word] = Word
    without: tuple[Word, ...] = ()
    """Those that are not accepted here."""

    @property
    def accepted(self) -> list[str]:
        """The words that are accepted, in order."""
        return [word for word in self.words.words() if word not in self.without]

    def read(self, text: str) -> str:
        """The word."""
        words = self.accepted
        if text not in words:
            near = meant(text, words)
            hint = f"; did you mean {near}?" if near else ""
            raise ValueError(f"one of {', '.join(words)} is accepted{hint}")
        return text

    def schema(self) -> dict[str, Any]:
        """A string with its enumeration."""
        return {"type": "string", "enum": self.accepted}


COMPARISONS = ("lt", "le", "gt", "ge", "ne")
COMPARISON = re.compile(rf"({'|'.join(COMPARISONS)})\((.*)\)", re.DOTALL)
ANY_TIME = (
    r"(1[6-9]|2[0-2])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[+ -]([01][0-9]|2[0-3]):[0-5][0-9]))?"
    r"|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"
    r"|[A-Z][a-z]{5,8}, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9:]{8} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}"
    r"|[0-9]{1,10}|[0-9]{1,19}ns"
)
"""The six formats, for the OpenAPI document; `times` reads them strictly."""
GRAMMAR = (
    rf"({ANY_TIME})|({'|'.join(COMPARISONS)})\(({ANY_TIME})\)"
    rf"|between\(({ANY_TIME}),({ANY_TIME})\)|isnull\(\)|notnull\(\)"
)
BETWEEN = re.compile(r"between\((.*)\)", re.DOTALL)
NOTHING = {"isnull()": ["isnull"], "notnull()": ["notnull"]}


@dataclass(frozen=True)
class When(Kind):
    """A comparison with a time."""

    multiple: bool = False

    def read(self, text: str) -> list[Any]:
        """`[operator, nanoseconds ...]`; a bare time is `eq`."""
        if text in NOTHING:
            return NOTHING[text]
        try:
            if span := BETWEEN.fullmatch(text):
                return ["between", *self.span(span[1])]
            if comparison := COMPARISON.fullmatch(text):
                return [comparison[1], instant(comparison[2])]
            return ["eq", instant(text)]
        except ValueError as error:
            raise ValueError(self.accepted(error)) from None

    def span(self, text: str) -> tuple[int, int]:
        """The two times around the comma that leaves two. Raises ValueError."""
        for comma in re.finditer(",", text):
            try:
                begin, end = instant(text[: comma.start()]), instant(text[comma.end() :])
            except ValueError:
                continue
            if begin >= end:
                raise ValueError("between(from,to) needs from earlier than to")
            return begin, end
        raise ValueError("between(from,to) needs two times")

    def accepted(self, error: ValueError) -> str:
        """What would be accepted, led by what was wrong where that is not plain."""
        reason = f"{error}: " if str(error).startswith("between") else ""
        return (
            f"{reason}{ACCEPTED} is accepted, alone or as lt(), le(), gt(), ge(), ne(), "
            "between(from,to); or isnull() or notnull()"
        )

    def schema(self) -> dict[str, Any]:
        """A string in the grammar, but for days that a month does not have."""
        return {"type": "string", "maxLength": 1024, "pattern": f"^({GRAMMAR})$"}


@dataclass(frozen=True)
class Flag(Kind):
    """`true` or `false`, also `1` or `0`."""

    multiple: bool = False

    def read(self, text: str) -> bool:
        """The truth value."""
        if text not in ("true", "1", "false", "0"):
            raise ValueError("true or false is accepted (also 1 or 0)")
        return text in ("true", "1")

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}
