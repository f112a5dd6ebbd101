"""Objects in the API's shape as columns: one reader for each attribute of a catalog.

The rows of the catalog say which attributes there are and how each is made of columns; a reader is
that shape, backwards. Nothing here asks a database: shared text stays text, tenants stay as told.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from peewee import BigIntegerField, Field

from app.catalog import shapes
from app.catalog.kinds import LARGEST_ID, UUID, Kind, OneOf, Uuid
from app.catalog.rows import Attribute, Catalog
from app.catalog.times import ACCEPTED, SECOND, instant
from app.models import TEXT
from app.vocabulary import ResultCode, Word

Columns = dict[str, Any]
"""A row's values by column name; shared text as the entry of its dictionary."""
Read = Callable[[Any, Columns], None]
"""Puts an attribute's value into columns. Raises Wrong."""

REMEMBERED = 20_000
"""Entries whose members are not looked at again."""
LARGEST_COUNT = 2**31 - 1
LARGEST_INTERVAL = 100 * 366 * 86_400 * SECOND
CLOCK = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])\.([0-9]{9})Z")
TENANT = "tenant"
"""Where the tenant's object waits until it is resolved."""
TAG_NAMES = "tag names"
ATTEMPTS = "attempts"
IGNORED = "ignored"
"""Names of members that nothing is made of."""
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


encode = compact(ENCODER)


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


def time_of(value: Any) -> int:
    """Nanoseconds of a time in any format. Raises Wrong."""
    try:
        if plain := CLOCK.fullmatch(value):
            minute, second, fraction = plain.groups()
            return minute_of(minute) + int(second) * SECOND + int(fraction)
        return instant(value)
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
    """Any JSON as text; what has a type of its own must have it, and is absent when empty."""
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


def inside(value: Any, members: Iterable[str], into: Columns, name: str) -> list[Any]:
    """The values of an object's `members`, None where absent; others are noted. Raises Wrong."""
    if type(value) is not dict:
        raise Wrong(("", "an object is accepted"))
    found = [value.get(member) for member in members]
    if len(value) > sum(member in value for member in members):
        into[IGNORED] += [f"{name}.{member}" for member in value if member not in members]
    return found


def entry_of(row: Attribute, shape: shapes.Entry) -> Read:
    """A dictionary's entry: the text itself, or what its members say; empty ones are absent."""
    name, column, members = row.name, shape.column.name, shape.members
    missing = "" if shape.dictionary == "agents" else None
    known: dict[tuple[Any, ...], Any] = {}

    def read_text(value: Any, into: Columns) -> None:
        into[column] = (text_of(value),)

    def read_members(value: Any, into: Columns) -> None:
        try:
            into[column] = known[(*value, *value.values())]
        except (KeyError, TypeError, AttributeError):
            read_anew(value, into)

    def read_anew(value: Any, into: Columns) -> None:
        before = len(into[IGNORED])
        found = inside(value, members, into, name)
        wrong = []
        for place, text in enumerate(found):
            try:
                found[place] = text_of(text) or missing if text is not None else missing
            except Wrong as error:
                wrong.append((f".{members[place]}", error.faults[0][1]))
        if wrong:
            raise Wrong(*wrong)
        if any(found):
            into[column] = tuple(found)
        if len(into[IGNORED]) == before:
            if len(known) > REMEMBERED:
                known.clear()
            known[(*value, *value.values())] = into[column]

    return read_members if members else read_text


def result_of(row: Attribute, shape: shapes.Result) -> Read:
    """The result: its code, and what else it holds."""
    code = word_of(ResultCode)
    parts = [("code", shape.column.name, code)]
    parts += [(part, column.name, json_of(column.name)) for part, column in shape.parts]  # type: ignore[misc]
    members = tuple(part for part, _, _ in parts)

    def read(value: Any, into: Columns) -> None:
        wrong = []
        found = inside(value, members, into, row.name)
        for (part, column, convert), given in zip(parts, found, strict=True):
            try:
                into[column] = None if given is None else convert(given)
            except Wrong as error:
                wrong += [(f".{part}{place}", words) for place, words in error.faults]
        if wrong:
            raise Wrong(*wrong)

    return read


def read_tags(value: Any, into: Columns) -> None:
    """Tags: the text as it is shown, and the names for filters."""
    into["tags"] = json_of("tags")(value)
    words = f"a string of at most {TEXT} characters is accepted"
    wrong = [
        (f"[{place}]", words)
        for place, tag in enumerate(value)
        if type(tag) is not str or len(tag) > TEXT
    ]
    if wrong:
        raise Wrong(*wrong)
    into[TAG_NAMES] = tuple(dict.fromkeys(value))


ATTEMPT = {
    "number": whole(1, LARGEST_COUNT), "assignedAt": time_of, "startedAt": time_of,
    "endedAt": time_of, "outcome": text_of, "reason": text_of,
}  # fmt: skip
EXECUTOR = ("id", "clusterId")


def read_attempts(value: Any, into: Columns) -> None:
    """All assignments: tuples of executor's entry and the members of ATTEMPT in order."""
    if type(value) is not list:
        raise Wrong(("", "a list is accepted"))
    wrong: list[tuple[str, str]] = []
    attempts = [read_attempt(item, f"[{place}]", into, wrong) for place, item in enumerate(value)]
    if len({attempt[1] for attempt in attempts}) < len(attempts):
        wrong.append(("", "each needs a number of its own"))
    if wrong:
        raise Wrong(*wrong)
    into[ATTEMPTS] = attempts


def read_attempt(
    value: Any, place: str, into: Columns, wrong: list[tuple[str, str]]
) -> tuple[Any, ...]:
    """One assignment; what is wrong with it is added to `wrong`."""
    found: Columns = {IGNORED: into[IGNORED]}
    try:
        executor, *rest = inside(value, ("executor", *ATTEMPT), into, ATTEMPTS)
        agent = inside(executor or {}, EXECUTOR, into, f"{ATTEMPTS}.executor")
        found["executor"] = tuple(text_of(text or "") for text in agent)
    except Wrong as error:
        wrong += [(place, words) for _, words in error.faults]
        return (None, object())
    for (name, convert), given in zip(ATTEMPT.items(), rest, strict=True):
        try:
            found[name] = None if given is None else convert(given)
        except Wrong as error:
            wrong.append((f"{place}.{name}", error.faults[0][1]))
    for name in ("number", "assignedAt"):
        if value.get(name) is None:
            wrong.append((f"{place}.{name}", "is needed"))
    return tuple(found.get(name) for name in ("executor", *ATTEMPT))


def read_tenant(value: Any, into: Columns) -> None:
    """The tenant as it is told; `tenancy` says who that is."""
    if type(value) is not dict:
        raise Wrong(("", "an object is accepted"))
    into[TENANT] = value


def nothing(value: Any, into: Columns) -> None:
    """Nothing is made of this attribute: a twin, or a lease, which is not imported."""


SIMPLE: dict[type[shapes.Shape], Callable[[Any], Any]] = {
    shapes.Uuid: uuid_of,
    shapes.Time: time_of,
    shapes.Truth: truth_of,
    shapes.Seconds: interval_of,
}
WHOLE: dict[type[shapes.Shape], Read] = {
    shapes.TenantOf: read_tenant,
    shapes.Attempts: read_attempts,
    shapes.Digits: nothing,
    shapes.Lease: nothing,
}


def into_column(column: str, convert: Callable[[Any], Any]) -> Read:
    """An attribute made of one column."""

    def read(value: Any, into: Columns) -> None:
        into[column] = convert(value)

    return read


def reader(row: Attribute) -> Read:
    """What reads the attribute of `row`."""
    shape = row.shape
    match shape:
        case shapes.Entry():
            return entry_of(row, shape)
        case shapes.Result():
            return result_of(row, shape)
        case shapes.Spoken():
            return into_column(shape.column.name, word_of(shape.words))
        case shapes.Json():
            if row.name == "tags":
                return read_tags
            return into_column(shape.column.name, json_of(row.name))
        case shapes.Number():
            return into_column(shape.column.name, number_of(shape.column))
    if type(shape) in SIMPLE:
        return into_column(shape.column.name, SIMPLE[type(shape)])
    return WHOLE[type(shape)]


def readers(catalog: Catalog) -> dict[str, Read]:
    """A reader for each attribute of `catalog`, by name."""
    return {row.name: reader(row) for row in catalog.attributes}


def twins(catalog: Catalog) -> list[tuple[str, str]]:
    """Names of attributes that repeat a number as a string, and the column of that number."""
    return [
        (row.name, row.shape.column.name)
        for row in catalog.attributes
        if isinstance(row.shape, shapes.Digits)
    ]


Ignored = Counter[str]
"""How often each member that the API does not have was met."""
