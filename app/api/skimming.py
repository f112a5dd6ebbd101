"""Bodies that are right, read in a tenth of the time that their schemas take.

A schema's reading is compiled once into plain functions. They know no messages: at the first thing
that is not as it should be they give up, and the schema itself reads the body anew and says all
that is wrong with it. A test holds both readings equal.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from marshmallow import Schema, fields, missing

from app.api.bodies import Many, Nested, Strict

Reading = Callable[[Any], Any]
NEEDED = object()
"""Instead of the default of a member that must be there."""


class Doubtful(Exception):
    """The schema itself has to look."""


def of_field(field: fields.Field[Any]) -> Reading:
    """How the values of `field` are read; absent and null ones never come here."""
    if isinstance(field, Strict):
        return field.read
    if isinstance(field, Nested):
        return of_schema(field.schema)
    assert isinstance(field, Many), field
    least, most, one = field.least, field.most, of_field(field.inner)

    def many(value: Any) -> list[Any]:
        if type(value) is not list or not least <= len(value) <= most or None in value:
            raise Doubtful
        return [one(item) for item in value]

    return many


@cache
def of_schema(schema: Schema) -> Reading:
    """How objects of `schema` are read."""
    members = [
        (name, of_field(field), NEEDED if field.required else field.load_default)
        for name, field in schema.fields.items()
    ]

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise Doubtful
        made, left = {}, len(value)
        for name, reading, default in members:
            if name in value:
                given = value[name]
                if given is None:
                    raise Doubtful
                made[name] = reading(given)
                left -= 1
            elif default is NEEDED:
                raise Doubtful
            elif default is not missing:
                made[name] = default
        if left:
            raise Doubtful
        return made

    return read


def loaded(schema: Schema, body: Mapping[str, Any]) -> Any:
    """What `schema` reads in `body`. Raises marshmallow's ValidationError with all the faults."""
    try:
        return of_schema(schema)(body)
    except (Doubtful, ValueError):
        return schema.load(body)
