"""The marshmallow schemas of query strings, made from the catalog's rows."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validates_schema

from app.api.parsing import UNKNOWN, printable
from app.catalog.kinds import COMPARISONS, Flag, Kind, Number, OneOf, When
from app.catalog.rows import Catalog, Filter
from app.catalog.times import written
from app.errors import Fault
from app.repository.query import PAGE, Query
from app.vocabulary import Lod, meant

LONGEST = 1_024
"""Characters of one entry; page tokens alone may be longer."""


def checked(text: str, most: int = LONGEST) -> str:
    """`text`, when it is one that any parameter could have. Raises ValueError."""
    if not text:
        raise ValueError("a value is needed after '='")
    if not text.isascii() and printable(text) != text:
        raise ValueError("it is not valid UTF-8 once percent-decoded")
    if "\0" in text:
        raise ValueError("the character NUL is not accepted")
    if len(text) > most:
        raise ValueError(f"at most {most} characters are accepted")
    return text


def read(kind: Kind, text: str) -> Any:
    """The value of one entry. Raises ValueError with what is wrong or would be accepted."""
    return kind.read(checked(text, 8_190 if isinstance(kind, Token) else LONGEST))


def fault(name: str, text: str, reason: object) -> Fault:
    """A fault of one entry, in one sentence."""
    shown = printable(text if len(text) <= 100 else text[:100] + "...")
    return Fault(name, text, f"'{name}' has the value '{shown}': {reason}")


class Many(fields.List[Any]):
    """A filter of which several entries are accepted -> list of values."""

    def __init__(self, row: Filter, **options: Any) -> None:
        """Document and read entries as `row` says."""
        self.row = row
        super().__init__(entry_field(row.kind), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[Any]:
        found, wrong = [], []
        for text in value:
            try:
                found.append(read(self.row.kind, text))
            except ValueError as reason:
                wrong.append(fault(self.row.name, text, reason))
        if wrong:
            raise ValidationError(wrong)
        return found


class One(fields.Field[Any]):
    """A parameter of which one entry is accepted -> list of its one value."""

    def __init__(self, name: str, kind: Kind, **options: Any) -> None:
        """Read the entry as `kind` says."""
        self.parameter = name
        self.kind = kind
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[Any]:
        try:
            if len(value) > 1:
                raise ValueError(f"a single entry is accepted{instead(self.kind, value)}")
            return [read(self.kind, value[0])]
        except ValueError as reason:
            text = value[-1] if len(value) > 1 else value[0]
            raise ValidationError([fault(self.parameter, text, reason)]) from None


def instead(kind: Kind, texts: list[str]) -> str:
    """How two bounds of a time are said in one entry; empty for other kinds."""
    if not isinstance(kind, When):
        return ""
    bounds = {}
    for text in texts:
        try:
            operator, *moments = kind.read(text)
        except ValueError:
            continue
        if operator in COMPARISONS:
            bounds["from" if operator in ("gt", "ge") else "to"] = written(moments[0])
    begin, end = bounds.get("from", "FROM"), bounds.get("to", "TO")
    if begin >= end and end != "TO":
        begin, end = "FROM", "TO"
    return f"; between({begin},{end}) says two bounds at once"


def entry_field(kind: Kind) -> Any:
    """What documents one entry of `kind`."""
    types: dict[str, Any] = {"integer": fields.Integer, "boolean": fields.Boolean}
    schema = kind.schema()
    field = types.get(schema["type"], fields.String)
    return field(metadata={key: value for key, value in schema.items() if key != "type"})


def field_of(row: Filter) -> fields.Field[Any]:
    """The field of a filter."""
    metadata: dict[str, Any] = {"description": row.words}
    if row.kind.multiple:
        metadata["description"] += " Several may be given by repeating the parameter."
        return Many(row, metadata={**metadata, "example": [example(row)]})
    schema = {**metadata, **row.kind.schema(), "example": example(row)}
    return One(row.name, row.kind, metadata=schema)


def example(row: Filter) -> Any:
    """The example of an entry, of the type that the document says it has."""
    if isinstance(row.kind, Flag):
        return row.example == "true"
    return int(row.example) if isinstance(row.kind, Number) else row.example


class Limit(Kind):
    """A page's size."""

    def read(self, text: str) -> int:
        """The number."""
        if not re.fullmatch("[0-9]{1,19}", text) or not 1 <= int(text) <= PAGE:
            raise ValueError(f"a whole number from 1 to {PAGE} is accepted")
        return int(text)


class Token(Kind):
    """A page token; whether it is ours is seen later."""

    def read(self, text: str) -> str:
        """The token."""
        return text


class Orders(fields.Field[Any]):
    """`order`: operators with fields, repeated or separated by commas -> list of pairs."""

    TERM = re.compile(r"(asc|desc)\(([A-Za-z]+)\)")

    def __init__(self, catalog: Catalog, **options: Any) -> None:
        """Accept the order fields of `catalog`."""
        self.names = list(catalog.order_of)
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[tuple[str, str]]:
        wrong: list[Fault] = []
        terms: list[tuple[str, str]] = []
        for text in value:
            try:
                terms += self.read(text, {name for _, name in terms})
            except ValueError as reason:
                wrong.append(fault("order", text, reason))
        if wrong:
            raise ValidationError(wrong)
        return terms

    def read(self, text: str, seen: set[str]) -> list[tuple[str, str]]:
        """The pairs of one entry. Raises ValueError."""
        checked(text)
        terms = []
        for part in text[: LONGEST + 1].split(","):
            term = self.TERM.fullmatch(part)
            if not term or term[2] not in self.names:
                raise ValueError(self.accepted(part))
            if term[2] in seen:
                raise ValueError(f"the field {term[2]} is there twice")
            seen.add(term[2])
            terms.append((term[1], term[2]))
        return terms

    def accepted(self, part: str) -> str:
        """What would be accepted instead of `part`."""
        near = meant(part, [f"{way}({name})" for name in self.names for way in ("asc", "desc")])
        return (
            "asc(field) or desc(field) is accepted, several separated by commas; "
            f"field is one of {', '.join(self.names)}{f'; did you mean {near}?' if near else ''}"
        )


class QuerySchema(Schema):
    """A query string; the cost of reading it follows the parameters that are present."""

    class Meta:
        """Nothing is silently dropped."""

        unknown = RAISE

    error_messages = {"unknown": UNKNOWN}

    def load(self, data: Mapping[str, Any], **options: Any) -> Any:  # type: ignore[override]
        """The Query that `data`, parameters with their entries, asks."""
        if self.only is not None:
            return super().load(data, unknown=RAISE)
        return narrowed(type(self), frozenset(data).intersection(self.fields)).load(data)

    @validates_schema(skip_on_field_errors=False)
    def check_pages(self, data: dict[str, Any], **_: Any) -> None:
        """`after` goes with `limit`, and with no count."""
        if "after" not in self.fields or not isinstance(data.get("after"), list):
            return
        token = data["after"][0]
        if "limit" not in self.fields:
            words = "'after' is accepted together with 'limit' only"
            raise ValidationError({"after": [Fault("after", token, words)]})
        if data.get("lod") == [Lod.COUNT.value]:
            words = "'after' is not accepted with lod=count, which has no pages"
            raise ValidationError({"after": [Fault("after", token, words)]})

    @post_load
    def as_query(self, data: dict[str, Any], **_: Any) -> Query:
        """The values as a Query."""
        single = {name: data.pop(name)[0] for name in ("lod", "limit", "after") if name in data}
        order = data.pop("order", None)
        return Query(
            filters=data,
            order=None if order is None else tuple(order),
            lod=Lod(single["lod"]) if "lod" in single else None,
            limit=single.get("limit"),
            after=single.get("after"),
        )


@lru_cache(maxsize=512)
def narrowed(schema: type[QuerySchema], names: frozenset[str]) -> QuerySchema:
    """`schema` with the fields in `names` alone."""
    return schema(only=names)


def lod_field(*without: Lod) -> One:
    """The level of detail; those in `without` are not accepted."""
    kind = OneOf(multiple=False, words=Lod, without=without)
    words = "Level of detail (default `long`)."
    metadata = {"description": words, **kind.schema(), "example": "short"}
    return One("lod", kind, metadata=metadata)


def list_schema(catalog: Catalog) -> QuerySchema:
    """The query string of the list of `catalog`."""
    pattern = "|".join(catalog.order_of)
    term = rf"(asc|desc)\(({pattern})\)"
    paging = {
        "lod": lod_field(),
        "limit": One("limit", Limit(), metadata={
            "description": f"Items of one page, 1 to {PAGE} (default {PAGE}).",
            "type": "integer", "minimum": 1, "maximum": PAGE, "example": 10}),
        "after": One("after", Token(), metadata={
            "description": "Page token of the answer before; goes with `limit`.",
            "type": "string", "minLength": 16, "pattern": "^[A-Za-z0-9_-]+$"}),
        "order": Orders(catalog, metadata={
            "description": "`asc(field)` or `desc(field)`, several separated by commas, the first "
            "most significant. Default `asc(id)`.",
            "type": "string", "pattern": f"^{term}(,{term})*$", "example": "desc(updatedAt)"}),
    }  # fmt: skip
    rows = {row.name: field_of(row) for row in catalog.filters}
    return named(f"{catalog.name.title()}Query", {**paging, **rows})()


def item_schema(catalog: Catalog) -> QuerySchema:
    """The query string of one object of `catalog`."""
    deleted = catalog.filter_of["allow_deleted"]
    rows = {"lod": lod_field(Lod.COUNT), "allow_deleted": field_of(deleted)}
    return named(f"{catalog.name.title()}ItemQuery", rows)()


def named(name: str, members: dict[str, Any]) -> type[QuerySchema]:
    """A schema class of this name with these fields."""
    made: type[QuerySchema] = QuerySchema.from_dict(members, name=name)  # type: ignore[assignment]
    return made
