"""From rows to answers: which columns a level of detail needs, and the objects made of them."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from peewee import Field

from app.catalog import shapes
from app.catalog.rows import Attribute, Catalog
from app.catalog.times import SECOND, written
from app.database import Database, Row
from app.models import Attempt
from app.repository import dictionaries, lookups
from app.repository.lookups import Need, Object
from app.vocabulary import Lod, ResultCode, Word

Maker = Callable[[Any, dict[str, Any]], None]
"""Puts one attribute of a row into an object."""


def seconds(interval: int) -> int | float:
    """Nanoseconds as seconds, whole where possible."""
    whole, rest = divmod(interval, SECOND)
    return interval / SECOND if rest else whole


def uuid_text(raw: bytes) -> str:
    """Sixteen bytes as a UUID."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def truth(number: int) -> bool:
    """0 or 1 as a truth value."""
    return number == 1


def fragment(text: str) -> orjson.Fragment:
    """JSON text that goes into the answer as it is."""
    return orjson.Fragment(text)


CONVERTERS: dict[type[shapes.Shape], Callable[[Any], Any]] = {
    shapes.Digits: str,
    shapes.Uuid: uuid_text,
    shapes.Time: written,
    shapes.Truth: truth,
    shapes.Seconds: seconds,
    shapes.Json: fragment,
}


def converter(shape: shapes.Shape) -> Callable[[Any], Any] | None:
    """What makes the value out of a column that is not NULL; None: the column itself will do."""
    if isinstance(shape, shapes.Spoken):
        return spoken(shape.words)
    return CONVERTERS.get(type(shape))


def spoken(words: type[Word]) -> Callable[[int], str]:
    """Codes to the words of an enumeration."""
    texts = (None, *words.words())
    return texts.__getitem__  # type: ignore[return-value]


def error_at(lod: Lod, text: str) -> orjson.Fragment:
    """A result's error, whose `debug` member only the level of that name shows."""
    if lod != Lod.DEBUG and '"debug"' in text:
        error = json.loads(text)
        if isinstance(error, dict):
            error.pop("debug", None)
            text = json.dumps(error, ensure_ascii=False, separators=(",", ":"))
    return fragment(text)


class Plan:
    """How the rows of a catalog become objects at one level of detail."""

    def __init__(self, catalog: Catalog, lod: Lod) -> None:
        """Find the columns that `lod` needs, and what makes each attribute of them."""
        self.catalog = catalog
        self.lod = lod
        self.columns: list[Field] = [catalog.model.id]
        self.needs: dict[str, Need] = {}
        self.attempts: list[str] = []
        self.makers = [self.maker(row) for row in catalog.shown(lod)]

    def at(self, column: Field) -> int:
        """The place of `column` in the row, asked for when it is not there yet."""
        if column not in Columns(self.columns):
            self.columns.append(column)
        return next(i for i, known in enumerate(self.columns) if known is column)

    @property
    def detailed(self) -> bool:
        """Whether columns of the details' table are needed."""
        return any(column.model is self.catalog.details for column in self.columns)

    def maker(self, row: Attribute) -> Maker:
        """What puts `row`'s attribute into an object."""
        match row.shape:
            case shapes.Result():
                return self.result(row.name, row.shape)
            case shapes.Entry(dictionary=name):
                return self.looked_up(row, f"{name} as {row.shape.members}")
            case shapes.TenantOf():
                return self.looked_up(row, "tenants")
            case shapes.Lease():
                return self.lease(row.name, row.shape)
            case shapes.Attempts():
                self.attempts.append(row.name)
                return lambda values, into: None
        return plain(row.name, self.at(row.shape.column), converter(row.shape), row.shape.absent)

    def looked_up(self, row: Attribute, name: str) -> Maker:
        """An attribute whose column holds the number of an entry."""
        place = self.at(row.shape.column)
        self.needs.setdefault(name, Need(row.shape)).places.append(place)
        attribute, absent = row.name, row.shape.absent

        def make(values: Any, into: Object) -> None:
            value = values[-1][name].get(values[place], absent)
            if value is not None:
                into[attribute] = value

        return make

    def result(self, name: str, shape: shapes.Result) -> Maker:
        """The result: its code, and from `long` on its parts."""
        place = self.at(shape.column)
        word = spoken(ResultCode)
        parts = [] if self.lod.code < Lod.LONG.code else [
            (part, self.at(column), lambda text: error_at(self.lod, text))
            if part == "error" else (part, self.at(column), fragment)
            for part, column in shape.parts
        ]  # fmt: skip

        def make(values: Any, into: Object) -> None:
            code = values[place]
            if code is None:
                return
            into[name] = result = {"code": word(code)}
            for part, where, convert in parts:
                if values[where] is not None:
                    result[part] = convert(values[where])  # type: ignore[assignment]

        return make

    def lease(self, name: str, shape: shapes.Lease) -> Maker:
        """The lease in force."""
        until, holder, fence = self.at(shape.column), *map(self.at, shape.parts)
        agents = "agents as ('id', 'clusterId')"

        def make(values: Any, into: Object) -> None:
            if values[until] is not None:
                into[name] = {
                    "executor": values[-1][agents].get(values[holder]),
                    "fence": values[fence],
                    "expiresAt": written(values[until]),
                }

        return make


class Columns:
    """Membership by identity: a column's own `==` builds SQL."""

    def __init__(self, columns: Sequence[Field]) -> None:
        """Look among `columns`."""
        self.columns = columns

    def __contains__(self, column: Field) -> bool:
        return any(known is column for known in self.columns)


def plain(name: str, place: int, convert: Callable[[Any], Any] | None, absent: Any) -> Maker:
    """An attribute made of one column."""

    def make(values: Any, into: Object) -> None:
        value = values[place]
        if value is not None:
            into[name] = convert(value) if convert else value
        elif absent is not None:
            into[name] = absent

    return make


@lru_cache(maxsize=32)
def plan_of(catalog: Catalog, lod: Lod) -> Plan:
    """The plan of `catalog` at `lod`, made once."""
    return Plan(catalog, lod)


def shaped(database: Database, plan: Plan, rows: Sequence[Row]) -> list[Object]:
    """The objects that `rows`, of the plan's columns, stand for."""
    found = lookups.of_page(database, plan.needs, rows)
    objects: list[Object] = []
    for row in rows:
        values = (*row, found)
        into: Object = {}
        for make in plan.makers:
            make(values, into)
        objects.append(into)
    for name in plan.attempts:
        add_attempts(database, name, objects)
    return objects


def add_attempts(database: Database, name: str, objects: Sequence[Object]) -> None:
    """Put the list of its assignments into each of `objects`."""
    by_id: dict[int, list[Object]] = {item["id"]: [] for item in objects}
    columns = (
        Attempt.task_id, Attempt.number, Attempt.executor_id, Attempt.assigned_at,
        Attempt.started_at, Attempt.ended_at, Attempt.outcome, Attempt.reason,
    )  # fmt: skip
    query = Attempt.select(*columns).where(Attempt.task_id.in_(list(by_id)))
    rows = database.select(query.order_by(Attempt.task_id, Attempt.number).tuples())
    agents = dictionaries.entries_of(database, dictionaries.AGENTS, {row[2] for row in rows})
    for task, number, executor, assigned, started, ended, outcome, reason in rows:
        shown = {
            "number": number,
            "executor": dict(zip(("id", "clusterId"), agents[executor], strict=True)),
            "assignedAt": written(assigned),
            "startedAt": written(started) if started is not None else None,
            "endedAt": written(ended) if ended is not None else None,
            "outcome": outcome,
            "reason": reason,
        }
        by_id[task].append({key: value for key, value in shown.items() if value is not None})
    for item in objects:
        item[name] = by_id[item["id"]]


def select(plan: Plan) -> Any:
    """The SELECT of the plan's columns, details joined where they are needed."""
    model, details = plan.catalog.model, plan.catalog.details
    query = model.select(*plan.columns).tuples()
    if plan.detailed:
        key = details._meta.primary_key
        query = query.left_outer_join(details, on=(key == model.id))
    return query


def objects(
    database: Database, catalog: Catalog, lod: Lod, ids: Iterable[int]
) -> dict[int, Object]:
    """The objects with these ids at `lod`, by id; ids that are not there are left out."""
    plan = plan_of(catalog, lod)
    found: dict[int, Object] = {}
    for some in dictionaries.batches(ids):
        rows = database.select(select(plan).where(catalog.model.id.in_(some)))
        found |= {item["id"]: item for item in shaped(database, plan, rows)}
    return found


def dumps(content: Any) -> bytes:
    """`content`, which may hold fragments, as JSON in one line."""
    return orjson.dumps(content)
