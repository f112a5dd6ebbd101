"""All that is wrong with a body, told at once: each fault with its place, and what was there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from marshmallow import Schema, fields

from app.api.bodies import NEEDED, UNKNOWN
from app.api.parsing import known_names
from app.canonical import compact
from app.errors import Fault

SHOWN = 100
"""Characters of a value, and of a name that is not known, that are told."""
TOLD = 5_000
"""Faults that are told: a body has room for a million, and an answer should not have."""


def places(messages: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every message with the path to its place, in order."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            # What concerns an object as a whole stands under this name, which a field may have too.
            whole = name == "_schema" and inner != [UNKNOWN]
            yield from places(inner, path if whole else (*path, name))
    elif isinstance(messages, list):
        for message in messages:
            yield from places(message, path)
    else:
        yield path, str(messages)


def written(path: Sequence[Any]) -> str:
    """A path as people write it: `items[3].priority`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text if path else "body"


def value_at(data: Any, path: Sequence[Any]) -> str:
    """The value at a path of the body, cut; "" where there is none."""
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return ""
    text = data if isinstance(data, str) else compact(data)
    return re.sub(r"\s+", " ", text)[:SHOWN]


def known_at(schema: Schema, path: Sequence[Any]) -> list[str]:
    """The names that the object at a path may have."""
    names: Any = schema
    for step in path:
        if isinstance(step, str):
            names = names.fields.get(step)
        names = names.inner if isinstance(names, fields.List) else names
        names = names.schema if isinstance(names, fields.Nested) else names
    return list(names.fields) if isinstance(names, Schema) else []


def faults(messages: Any, schema: Schema, data: Any) -> list[Fault]:
    """What a schema found wrong with a body, each with its place: all, up to TOLD."""
    found = []
    for path, message in islice(places(messages), TOLD):
        value = value_at(data, path)
        if message == UNKNOWN:
            name = str(path[-1])[:SHOWN]
            place, known = written((*path[:-1], name)), known_at(schema, path[:-1])
            words = f"bad field '{place}': {known_names(name, known)}"
            found.append(Fault(place, value, words))
        elif message == NEEDED:
            place = written(path)
            found.append(Fault(place, "", f"'{place}' {NEEDED}"))
        else:
            place = written(path)
            found.append(Fault(place, value, f"'{place}' has the value '{value}': {message}"))
    return found
