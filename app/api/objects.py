"""The marshmallow schemas of answers, made from the catalog's rows.

They document: what is answered is built by the repository (marshmallow's dump of a page of 100
takes fifty times as long), and a test holds the two together.
"""

from functools import cache
from typing import Any

from marshmallow import Schema, fields

from app.catalog import shapes
from app.catalog.rows import Attribute, Catalog
from app.vocabulary import Lod, ResultCode

SCHEMAS: dict[str, type[Schema]] = {}
"""The schemas of objects within objects, by name."""
TIME_PATTERN = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$"


def text(**metadata: Any) -> fields.String:
    """A string."""
    return fields.String(metadata=metadata)


def time(**metadata: Any) -> fields.String:
    """A time in RFC 3339 with nine digits of fraction."""
    return text(format="date-time", pattern=TIME_PATTERN, **metadata)


def nested(name: str, members: dict[str, Any], **metadata: Any) -> fields.Nested:
    """An object; the same name stands for the same schema everywhere."""
    if name not in SCHEMAS:
        SCHEMAS[name] = Schema.from_dict(members, name=name)
    return fields.Nested(SCHEMAS[name], metadata=metadata)


def agent_member(name: str) -> fields.Nested:
    """An executor as attempts and leases show it."""
    return nested(name, {"id": text(), "clusterId": text()})


def attempt() -> fields.Nested:
    """One assignment."""
    members = {
        "number": fields.Integer(),
        "executor": agent_member("AttemptExecutor"),
        "assignedAt": time(),
        "startedAt": time(),
        "endedAt": time(),
        "outcome": text(description="A result code, `requeued`, `failed`, or a timer's name."),
        "reason": text(),
    }
    return nested("Attempt", members)


def field_of(catalog: Catalog, row: Attribute) -> fields.Field[Any]:
    """The field that documents an attribute."""
    words = {"description": f"{row.words} From level `{row.lod.value}` on."}
    kind = f"{catalog.name.title()}{row.name[0].upper()}{row.name[1:]}"
    match row.shape:
        case shapes.Number():
            return fields.Integer(metadata={"format": "int64", **words})
        case shapes.Digits():
            return text(pattern="^[0-9]+$", **words)
        case shapes.Uuid():
            return text(format="uuid", **words)
        case shapes.Time():
            return time(**words)
        case shapes.Truth():
            return fields.Boolean(metadata=words)
        case shapes.Seconds():
            return fields.Float(metadata=words)
        case shapes.Spoken(words=vocabulary):
            return text(enum=vocabulary.words(), **words)
        case shapes.Json() if row.name == "tags":
            return fields.List(fields.String(), metadata=words)
        case shapes.Json() if row.name == "argument":
            return fields.Raw(metadata=words)
        case shapes.Json():
            return fields.Dict(metadata=words)
        case shapes.TenantOf():
            names = ("id", "uuid", "locator", "name")
            return nested("TenantMember", {name: text() for name in names}, **words)
        case shapes.Result():
            parts: dict[str, Any] = {
                "code": text(enum=ResultCode.words()),
                "error": fields.Raw(),
                "warnings": fields.List(fields.Raw()),
                "payload": fields.Raw(),
            }
            return nested("Result", parts, **words)
        case shapes.Lease():
            parts = {
                "executor": agent_member("LeaseExecutor"),
                "fence": fields.Integer(),
                "expiresAt": time(),
            }
            return nested("Lease", parts, **words)
        case shapes.Attempts():
            return fields.List(attempt(), metadata=words)
        case shapes.Entry(members=members) if members:
            return nested(kind, {name: text() for name in members}, **words)
    return text(**words)


def members_of(catalog: Catalog) -> dict[str, fields.Field[Any]]:
    """The fields of an object; those that every level shows of every object are required."""
    found = {row.name: field_of(catalog, row) for row in catalog.attributes}
    for row in catalog.shown(Lod.TINY):
        found[row.name].required = not row.shape.column.null
    return found


@cache
def item_of(catalog: Catalog) -> type[Schema]:
    """The schema of one object."""
    return Schema.from_dict(members_of(catalog), name=catalog.name.title())


@cache
def page_of(catalog: Catalog) -> type[Schema]:
    """The schema of a page, or of a count."""
    cursors = nested(f"{catalog.name.title()}Cursors", {
        "after": text(pattern="^[A-Za-z0-9_-]{16,}$",
                      description="Token of the next page; absent on the last.")})  # fmt: skip
    cursors.required = True
    paging = nested(f"{catalog.name.title()}Paging", {"cursors": cursors})
    stamp = time(description="When this was answered.")
    paging.required = stamp.required = True
    members: dict[str, Any] = {
        "items": fields.List(
            fields.Nested(item_of(catalog)), required=True, metadata={"description": "The page."}
        ),
        "size": fields.Integer(
            required=True, metadata={"description": "Items here; with `lod=count` the count."}
        ),
        "count": fields.Integer(metadata={"description": "With `lod=count` only."}),
        "paging": paging,
        "timeStamp": stamp,
    }
    return Schema.from_dict(members, name=f"{catalog.name.title()}Page")
