"""Single values of objects, read and checked: text, numbers, UUIDs, times, words, JSON.

Each reader answers what a column holds, or raises Wrong with what would be accepted.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
from peewee import BigIntegerField, Field

from app.catalog.kinds import LARGEST_ID, UUID, Kind, OneOf, Uuid
from app.catalog.times import ACCEPTED, SECOND, instant
from app.models import TEXT
from app.vocabulary import Word

LARGEST_COUNT = 2**31 - 1
LARGEST_INTERVAL = 100 * 366 * 86_400 * SECOND
CLOCK = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])\.([0-9]{9})Z")
OBJECTS = ("context", "error")
LISTS = ("tags", "warnings")


class Wrong(ValueError):
    """What is wrong with an attribute: pairs of a place within it and a message."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        """`faults`: each place begins with "." or "[" unless it is the attribute itself."""
        self.faults = faults
        super().__init__(faults)


ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Writes JSON text as it is kept, and comes out again."""


def compact(encoder: json.JSONEncoder) -> Callable[[Any], str]:
    """What `encoder` does, with its machinery made once rather than for every value."""
    machinery: Any = json.encoder
    make, text = machinery.c_make_encoder, machinery.c_encode_basestring
    if make is None:  # pragma: no cover - a Python without the accelerator
        return encoder.encode
    chunks = make(
        None, encoder.default, text, None, encoder.key_separator, encoder.item_separator,
        False, False, True,
    )  # fmt: skip
    return lambda value: "".join(chunks(value, 0))


encode_slowly = compact(ENCODER)


def encode(value: Any) -> str:
    """`value` as JSON text, to be kept; what orjson does not know is written by Python."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Integers beyond 64 bits, deep nesting, halves of surrogate pairs.
        return encode_slowly(value)


def text_of(value: Any) -> str:
    """A text. Raises Wrong."""
    if type(value) is not str:
        raise Wrong(("", "a string is accepted"))
    if len(value) > TEXT:
        raise Wrong(("", f"at most {TEXT} characters are accepted"))
    return value


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Wrong(("", f"a whole number from {least} to {most} is accepted"))
        return value

    return read


def refusal(kind: Kind) -> str:
    """What `kind` says would be accepted."""
    try:
        kind.read("")
    except ValueError as error:
        return str(error)
    return ""


def uuid_of(value: Any) -> bytes:
    """A UUID's sixteen bytes. Raises Wrong."""
    if type(value) is not str or not UUID.fullmatch(value):
        raise Wrong(("", refusal(Uuid())))
    return bytes.fromhex(value.replace("-", ""))


@lru_cache(maxsize=8192)
def minute_of(text: str) -> int:
    """Nanoseconds of a minute such as `2026-11-23T20:00`. Raises ValueError."""
    return instant(f"{text}:00Z")


@lru_cache(maxsize=1024)
def moment_of(text: str) -> int:
    """Nanoseconds of a time in any format: times of one task and its activities are often the same.
    Raises ValueError."""
    if plain := CLOCK.fullmatch(text):
        minute, second, fraction = plain.groups()
        return minute_of(minute) + int(second) * SECOND + int(fraction)
    return instant(text)


def time_of(value: Any) -> int:
    """Nanoseconds of a time in any format. Raises Wrong."""
    try:
        return moment_of(value)
    except (ValueError, TypeError):
        raise Wrong(("", f"{ACCEPTED} is accepted")) from None


def truth_of(value: Any) -> int:
    """True or false as 1 or 0. Raises Wrong."""
    if type(value) is not bool:
        raise Wrong(("", "true or false is accepted"))
    return int(value)


def interval_of(value: Any) -> int:
    """Seconds as nanoseconds. Raises Wrong."""
    if type(value) in (int, float):
        nanoseconds = int(Decimal(repr(value)) * SECOND)
        if 0 < nanoseconds <= LARGEST_INTERVAL:
            return nanoseconds
    raise Wrong(("", f"seconds above 0, up to {LARGEST_INTERVAL // SECOND}, are accepted"))


def json_of(name: str) -> Callable[[Any], str | None]:
    """Any JSON as text; what has a type of its own must have it, and is absent when empty.

    A progress may be anything: where one is reported it is an object, but whatever others answer
    as one comes back.
    """
    wanted = dict if name in OBJECTS else list if name in LISTS else object
    words = "an object is accepted" if wanted is dict else "a list is accepted"

    def read(value: Any) -> str | None:
        if not isinstance(value, wanted):
            raise Wrong(("", words))
        return encode(value) if value or name not in ("context", "tags") else None

    return read


def word_of(words: type[Word]) -> Callable[[Any], int]:
    """A word's code. Raises Wrong with the words that would do."""
    codes = {member.value: member.code for member in words}
    kind = OneOf(words=words)

    def read(value: Any) -> int:
        try:
            return codes[value]
        except (KeyError, TypeError):
            pass
        try:
            kind.read(str(value))
        except ValueError as error:
            raise Wrong(("", str(error))) from None
        raise Wrong(("", f"a string is accepted: {', '.join(codes)}"))

    return read


def number_of(column: Field) -> Callable[[Any], int]:
    """An id where the column is wide, a count where it is not."""
    if isinstance(column, BigIntegerField):
        return whole(1, LARGEST_ID)
    return whole(0, LARGEST_COUNT)
