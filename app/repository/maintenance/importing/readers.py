"""Objects in the API's shape as columns: one reader for each attribute of a catalog.

The rows of the catalog say which attributes there are and how each is made of columns; a reader is
that shape, backwards. Nothing here asks a database: shared text stays text, tenants stay as told.
"""

from collections.abc import Callable
from typing import Any

from app.catalog import shapes
from app.catalog.rows import Attribute, Catalog
from app.models import TEXT
from app.repository.maintenance.importing.members import (
    IGNORED,
    TAG_NAMES,
    TENANT,
    Columns,
    Read,
    inside,
    read_attempts,
)
from app.repository.maintenance.importing.values import (
    Wrong,
    interval_of,
    json_of,
    number_of,
    text_of,
    time_of,
    truth_of,
    uuid_of,
    word_of,
)
from app.vocabulary import ResultCode

REMEMBERED = 20_000
"""Entries of each dictionary whose members are not looked at again."""
KNOWN: dict[Any, dict[tuple[Any, ...], Any]] = {}
"""Those, by dictionary and members: an activity often has its task's policy."""

Reading = tuple[str, Callable[[Any], Any]] | tuple[None, Read]
"""What an attribute becomes: a column's value, or whatever a reader puts into columns."""


def text_entry(value: Any) -> tuple[str]:
    """The entry of a dictionary of texts. Raises Wrong."""
    return (text_of(value),)


def entry_of(row: Attribute, shape: shapes.Entry) -> Read:
    """A dictionary's entry, which is what its members say; empty ones are absent."""
    name, column, members = row.name, shape.column.name, shape.members
    missing = "" if shape.dictionary == "agents" else None
    known = KNOWN.setdefault((shape.dictionary, members), {})

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
        if not any(found):
            return
        into[column] = tuple(found)
        if len(into[IGNORED]) == before:
            if len(known) > REMEMBERED:
                known.clear()
            known[(*value, *value.values())] = into[column]

    return read_members


def result_of(row: Attribute, shape: shapes.Result) -> Read:
    """The result: its code, and what else it holds."""
    code = word_of(ResultCode)
    parts = [("code", shape.column.name, code)]
    parts += [(part, column.name, json_of(column.name)) for part, column in shape.parts]  # type: ignore[misc]
    members = tuple(part for part, _, _ in parts)
    codes = {member.value: member.code for member in ResultCode}

    def read(value: Any, into: Columns) -> None:
        try:
            if len(value) == 1:
                into[shape.column.name] = codes[value["code"]]
                return
        except (KeyError, TypeError):
            pass
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


tags_text = json_of("tags")


def read_tags(value: Any, into: Columns) -> None:
    """Tags: the text as it is shown, and the names for filters."""
    into["tags"] = tags_text(value)
    words = f"a string of at most {TEXT} characters is accepted"
    wrong = [
        (f"[{place}]", words)
        for place, tag in enumerate(value)
        if type(tag) is not str or len(tag) > TEXT
    ]
    if wrong:
        raise Wrong(*wrong)
    into[TAG_NAMES] = tuple(dict.fromkeys(value))


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


def reader(row: Attribute) -> Reading:
    """What reads the attribute of `row`."""
    shape = row.shape
    match shape:
        case shapes.Entry() if shape.members:
            return None, entry_of(row, shape)
        case shapes.Entry():
            return shape.column.name, text_entry
        case shapes.Result():
            return None, result_of(row, shape)
        case shapes.Spoken():
            return shape.column.name, word_of(shape.words)
        case shapes.Json() if row.name != "tags":
            return shape.column.name, json_of(row.name)
        case shapes.Json():
            return None, read_tags
        case shapes.Number():
            return shape.column.name, number_of(shape.column)
    if type(shape) in SIMPLE:
        return shape.column.name, SIMPLE[type(shape)]
    return None, WHOLE[type(shape)]


def readers(catalog: Catalog) -> dict[str, Reading]:
    """A reader for each attribute of `catalog`, by name."""
    return {row.name: reader(row) for row in catalog.attributes}


def twins(catalog: Catalog) -> list[tuple[str, str]]:
    """Names of attributes that repeat a number as a string, and the column of that number."""
    return [
        (row.name, row.shape.column.name)
        for row in catalog.attributes
        if isinstance(row.shape, shapes.Digits)
    ]
