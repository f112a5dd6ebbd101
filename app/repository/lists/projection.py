"""From rows to answers: which columns a level of detail needs, and the objects made of them.

Attributes are made column by column, not row by row: a page of 100 tasks takes a third of the time.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import orjson
from peewee import JOIN, Field

from app.canonical import compact
from app.catalog import shapes
from app.catalog.rows import Attribute, Catalog
from app.catalog.tasks import TASKS
from app.catalog.times import SECOND, written
from app.connections import Row
from app.database import Database
from app.models import Attempt, Tenant
from app.repository import dictionaries
from app.repository.lists import lookups
from app.repository.lists.lookups import Lookup, Need, Object
from app.repository.predicates import Among, marks
from app.repository.statements import fetch
from app.vocabulary import Lod, ResultCode, Word

Columns = Sequence[Sequence[Any]]
Born = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The columns that were written of a new task, and of its details."""
TENANTS = "tenants"
OWNER = (Tenant.id, Tenant.uuid, Tenant.locator, Tenant.name)
NOBODY: Mapping[int, Object] = {}
Maker = Callable[[Columns, Lookup], Iterable[Any]]
"""Makes one attribute of all rows; None where a row has none."""


def seconds(interval: int) -> int | float:
    """Nanoseconds as seconds, whole where possible."""
    whole, rest = divmod(interval, SECOND)
    return interval / SECOND if rest else whole


def uuid_text(raw: bytes) -> str:
    """Sixteen bytes as a UUID."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


TRUTHS: dict[int | None, bool] = {0: False, 1: True}


def spoken(words: type[Word]) -> dict[int | None, str]:
    """Codes to the words of an enumeration."""
    return {word.code: word.value for word in words}


CONVERTERS: dict[type[shapes.Shape], Callable[[Any], Any]] = {
    shapes.Digits: str,
    shapes.Uuid: uuid_text,
    shapes.Time: written,
    shapes.Seconds: seconds,
    shapes.Json: orjson.Fragment,
}


def error_at(lod: Lod) -> Callable[[str], orjson.Fragment]:
    """What shows a result's error: its `debug` member only at the level of that name."""

    def shown(text: str) -> orjson.Fragment:
        if lod != Lod.DEBUG and '"debug"' in text:
            error = json.loads(text)
            if isinstance(error, dict):
                error.pop("debug", None)
                text = compact(error)
        return orjson.Fragment(text)

    return shown


def plain(place: int, convert: Callable[[Any], Any] | None, absent: Any) -> Maker:
    """An attribute made of one column."""

    def make(columns: Columns, found: Lookup) -> Iterable[Any]:
        column = columns[place]
        if convert is None:
            return column if absent is None else [absent if v is None else v for v in column]
        if None not in column:
            return map(convert, column)
        return [absent if value is None else convert(value) for value in column]

    return make


def chosen(place: int, words: Mapping[int | None, Any], absent: Any) -> Maker:
    """An attribute whose column holds one of a few codes."""
    known = {None: absent, **words}

    def make(columns: Columns, found: Lookup) -> Iterable[Any]:
        return map(known.__getitem__, columns[place])

    return make


def looked_up(place: int, name: str, absent: Any) -> Maker:
    """An attribute whose column holds the number of an entry."""

    def make(columns: Columns, found: Lookup) -> Iterable[Any]:
        known = found[name]
        return [known.get(number, absent) for number in columns[place]]

    return make


class Plan:
    """How the rows of a catalog become objects at one level of detail."""

    def __init__(self, catalog: Catalog, lod: Lod) -> None:
        """Find the columns that `lod` needs, and what makes each attribute of them."""
        self.catalog = catalog
        self.lod = lod
        self.columns: list[Field] = [catalog.model.id]
        self.needs: dict[str, Need] = {}
        self.attempts: list[str] = []
        shown = catalog.shown(lod)
        self.attempts = [row.name for row in shown if isinstance(row.shape, shapes.Attempts)]
        rows = [row for row in shown if row.name not in self.attempts]
        self.names = [row.name for row in rows]
        self.makers = [self.maker(row) for row in rows]
        self.sources = [
            (int(column.model is catalog.details), column.column_name, column.default)
            for column in self.columns
        ]
        """Where a new row has each column (itself, or its details), and what stands there else."""

    def at(self, column: Field) -> int:
        """The place of `column` in the row, asked for when it is not there yet."""
        for place, known in enumerate(self.columns):
            if known is column:
                return place
        self.columns.append(column)
        return len(self.columns) - 1

    @property
    def detailed(self) -> bool:
        """Whether columns of the details' table are needed."""
        return any(column.model is self.catalog.details for column in self.columns)

    def maker(self, row: Attribute) -> Maker:
        """What makes `row`'s attribute."""
        shape, place = row.shape, self.at(row.shape.column)
        match shape:
            case shapes.Result():
                return self.result(place, shape)
            case shapes.Lease():
                return self.lease(place, shape)
            case shapes.Entry(dictionary=name):
                need = self.need(f"{name} as {shape.members}", shape)
                return looked_up(place, need, shape.absent)
            case shapes.TenantOf():
                return looked_up(place, self.need(TENANTS, shape), shape.absent)
            case shapes.Spoken(words=words):
                return chosen(place, spoken(words), shape.absent)
            case shapes.Truth():
                return chosen(place, TRUTHS, shape.absent)
        return plain(place, CONVERTERS.get(type(shape)), shape.absent)

    def need(self, name: str, shape: shapes.Shape) -> str:
        """Note that numbers of `shape`'s column must be looked up, under `name`."""
        self.needs.setdefault(name, Need(shape)).places.append(self.at(shape.column))
        return name

    def result(self, place: int, shape: shapes.Result) -> Maker:
        """The result: its code, and from `long` on its parts."""
        words = spoken(ResultCode)
        parts = shape.parts if self.lod.code >= Lod.LONG.code else ()
        places = [(name, self.at(column)) for name, column in parts]
        converters = {"error": error_at(self.lod)}

        def make(columns: Columns, found: Lookup) -> Iterable[Any]:
            made: list[Object | None] = [
                None if code is None else {"code": words[code]} for code in columns[place]
            ]
            for name, where in places:
                convert = converters.get(name, orjson.Fragment)
                for into, text in zip(made, columns[where], strict=True):
                    if into is not None and text is not None:
                        into[name] = convert(text)
            return made

        return make

    def lease(self, place: int, shape: shapes.Lease) -> Maker:
        """The lease in force."""
        holder, fence = map(self.at, shape.parts)
        agents = "agents as ('id', 'clusterId')"

        def make(columns: Columns, found: Lookup) -> Iterable[Any]:
            known = found[agents]
            rows = zip(columns[place], columns[holder], columns[fence], strict=True)
            return [
                None if until is None
                else {"executor": known.get(who), "fence": n, "expiresAt": written(until)}
                for until, who, n in rows
            ]  # fmt: skip

        return make


@lru_cache(maxsize=32)
def plan_of(catalog: Catalog, lod: Lod) -> Plan:
    """The plan of `catalog` at `lod`, made once."""
    return Plan(catalog, lod)


def shaped(
    database: Database,
    plan: Plan,
    rows: Sequence[Row],
    version: int | None = None,
    owners: Mapping[int, Object] = NOBODY,
) -> list[Object]:
    """The objects that `rows`, of the plan's columns (more may follow), stand for.

    `version`: of the tenants, as the open transaction sees it; None: they are read anew, those in
    `owners` aside.
    """
    if not rows:
        return []
    found = lookups.of_page(database, plan.needs, rows, version, owners)
    columns = list(zip(*rows, strict=True))
    values = [make(columns, found) for make in plan.makers]
    names = plan.names
    objects: list[Object] = [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*values, strict=True)
    ]
    for name in plan.attempts:
        add_attempts(database, name, objects)
    return objects


def add_attempts(database: Database, name: str, objects: Sequence[Object]) -> None:
    """Put the list of its assignments into each of `objects`, which is still to be known by id."""
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


def select(plan: Plan, count: int) -> Any:
    """The SELECT of the plan's columns for `count` ids, details joined where they are needed, and
    the tenants: who asks for a single object has none of them in mind."""
    model, details = plan.catalog.model, plan.catalog.details
    columns = (*plan.columns, *(OWNER if TENANTS in plan.needs else ()))
    query = model.select(*columns).where(model.id.in_(marks(0, count))).tuples()
    if plan.detailed:
        key = details._meta.primary_key
        query = query.join_from(model, details, JOIN.LEFT_OUTER, on=(key == model.id))
    if TENANTS in plan.needs:
        query = query.join_from(model, Tenant, JOIN.LEFT_OUTER, on=(Tenant.id == model.tenant_id))
    return query


def objects(
    database: Database, catalog: Catalog, lod: Lod, ids: Iterable[int]
) -> dict[int, Object]:
    """The objects with these ids at `lod`, by id; ids that are not there are left out."""
    plan = plan_of(catalog, lod)
    found: dict[int, Object] = {}
    for some in dictionaries.batches(ids):
        padded = Among("id", tuple(some)).parameters
        shape = ("objects", catalog.name, lod.value, len(padded))
        rows = fetch(database, shape, partial(select, plan, len(padded)), padded)
        owners = owners_of(rows) if TENANTS in plan.needs else NOBODY
        found |= {item["id"]: item for item in shaped(database, plan, rows, owners=owners)}
    return found


def owners_of(rows: Iterable[Row]) -> dict[int, Object]:
    """The tenants that stand at the ends of `rows`."""
    ends = (row[-len(OWNER) :] for row in rows)
    return {end[0]: lookups.tenant_member(*end) for end in ends if end[0] is not None}


def newborn(
    database: Database, lod: Lod, rows: Sequence[Born], owners: Mapping[int, Object]
) -> list[Object]:
    """The tasks of which `rows` have just been written, at `lod`, in order; nothing is read again.

    `owners`: tenants that are known.
    """
    plan = plan_of(TASKS, lod)
    made = [
        tuple([row[table].get(name, default) for table, name, default in plan.sources])
        for row in rows
    ]
    return shaped(database, plan, made, owners=owners)


def dumps(content: Any) -> bytes:
    """`content`, which may hold fragments, as JSON in one line."""
    return orjson.dumps(content)
