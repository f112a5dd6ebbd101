"""The marshmallow schemas of query strings, made from the catalog's rows."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validates_schema

from app.api.parameters import Limit, Many, One, Orders, Token
from app.api.parsing import UNKNOWN
from app.catalog.kinds import Flag, Number, OneOf
from app.catalog.rows import Catalog, Filter
from app.errors import Fault
from app.repository.lists.query import PAGE, Query
from app.vocabulary import Lod


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
