"""Requests that write: body, query and lease are read, and all that is wrong is told at once.

The decorators here stand between a route and its view: the view gets what was asked, read and
found, and does one act.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from flask import Request, g, request
from marshmallow import Schema, ValidationError

from app.api import bodies, places, skimming, strict
from app.api.blueprint import Blueprint
from app.api.context import caller, database, purpose_key
from app.api.parsing import QueryParser
from app.api.schemas import lod_field, named
from app.auth import leases
from app.catalog.rows import Catalog
from app.errors import BadRequest, Fault, NotFound
from app.lifecycle import Who
from app.repository.work import identifying
from app.repository.work.activity_steps import Lease
from app.repository.work.identifying import Sight
from app.transitions import Facts
from app.vocabulary import Lod, Scope

HEADER = "Lease-Token"
VOID = Lease(0, -1)
"""What a token proves that was not issued here."""
SCOPES = {
    Who.CONSUMER: (Scope.CONSUMER, Scope.ADMIN),
    Who.HOLDER: (Scope.CONSUMER, Scope.ADMIN),
    Who.HOLDER_OR_ADMIN: (Scope.CONSUMER, Scope.ADMIN),
    Who.ISSUER: (Scope.ISSUER, Scope.ADMIN),
}
"""The scopes of those who may take a step."""
Result = TypeVar("Result")
View = TypeVar("View", bound=Callable[..., Any])


@cache
def unsaid(schema: Schema) -> Any:
    """What `schema` reads in an empty query string."""
    return schema.load({})


class AskingParser(QueryParser):
    """Keeps the faults of one part of a request until all parts have been read."""

    def parse(  # type: ignore[override]
        self, argmap: Schema, req: Request | None = None, *, location: str = "json", **_: Any
    ) -> Any:
        """What `argmap`, a schema, reads at `location`; None when that is faulty.

        Raises BodyTooLarge, UnsupportedMediaType.
        """
        asked = req or request
        if location == "json":
            return collect(lambda: self.body(argmap, asked))
        if not asked.query_string:
            return unsaid(argmap)
        parse = super().parse
        return collect(lambda: parse(argmap, asked, location=location))

    def body(self, schema: Schema, asked: Request) -> Any:
        """What `schema` reads in the body; `g.asked` keeps the JSON as it came.

        Raises BadRequest and refusals of the body itself.
        """
        limit = strict.BULK if asked.path.endswith("/bulk") else strict.BODY
        raw = strict.content(asked, limit)
        # Not before: a body may come as slowly as its sender likes.
        database().precedence.begin()
        g.asked = data = strict.json_object(raw)
        try:
            return skimming.loaded(schema, data)
        except ValidationError as error:
            raise BadRequest(places.faults(error.messages, schema, data)) from None


class AskingBlueprint(Blueprint):
    """A blueprint whose requests have bodies."""

    ARGUMENTS_PARSER = AskingParser()


def answer_query(default: Lod, name: str) -> Any:
    """The query string of a call that answers an object at `default` unless told otherwise."""
    field = lod_field(Lod.COUNT)
    words = f"Level of detail of the answer (default `{default.value}`)."
    field.metadata = {**field.metadata, "description": words}
    return named(name, {"lod": field})()


ANSWER = answer_query(Lod.FULL, "AnswerQuery")
TINY_ANSWER = answer_query(Lod.TINY, "BulkAnswerQuery")


SILENT = named("NoQuery", {})()
"""The query string of a call that has no parameters."""


def no_body() -> None:
    """A body that says anything is a fault: see `check`. For calls that are documented without one.

    Raises BodyTooLarge, UnsupportedMediaType.
    """
    AskingBlueprint.ARGUMENTS_PARSER.parse(bodies.Body())


def collect(act: Callable[[], Result]) -> Result | None:
    """What `act` answers; when it finds faults, they are kept until `check`."""
    try:
        return act()
    except BadRequest as wrong:
        g.setdefault("faults", []).extend(wrong.faults)
        return None


def check() -> None:
    """Refuse the request when any of its parts was faulty. Raises BadRequest."""
    if found := g.pop("faults", None):
        raise BadRequest(found)


def lease(needed: bool = True) -> Lease | None:
    """What the header proves; None when there is none and none is `needed`.

    Its absence is a fault like others: see `check`.
    """
    token = request.headers.get(HEADER, "")
    if token:
        proven = leases.read(token, purpose_key(leases.PURPOSE))
        return Lease(*proven) if proven else VOID
    if needed:
        words = f"the header '{HEADER}' is needed: the token that the claim returned"
        g.setdefault("faults", []).append(Fault(HEADER, "", words))
    return None


def exempt() -> bool:
    """Whether the caller needs no lease where an admin needs none."""
    return Scope.ADMIN in caller().scopes


def number_of(catalog: Catalog, key: str, allow_deleted: bool = False) -> int:
    """The number of what `key` in the path names. Raises NotFound."""
    found = identifying.identify(database(), catalog, key, caller().tenant, allow_deleted)
    if found is None:
        raise NotFound(kind=catalog.name)
    return found


def task_of(key: str) -> Facts:
    """The task that `key` in the path names, as it is now. Raises NotFound."""
    found = identifying.task_of(database(), key, caller().tenant)
    if found is None:
        raise NotFound(kind="task")
    return found


def sight_of(key: str) -> Sight:
    """The same with all that an answer shows of it. Raises NotFound."""
    found = identifying.sight_of(database(), key, caller().tenant)
    if found is None:
        raise NotFound(kind="task")
    return found


def documented(*parameters: dict[str, Any]) -> Callable[[View], View]:
    """The view with `parameters` added to its documentation; goes below all that reads others."""

    def decorate(view: View) -> View:
        view._apidoc = {"arguments": {"parameters": list(parameters)}}  # type: ignore[attr-defined]
        return view

    return decorate


def lease_parameter(who: Who) -> dict[str, Any]:
    """What the document says of the lease's header."""
    words = "The token that the claim returned."
    if who is Who.HOLDER_OR_ADMIN:
        words += " An admin needs none; one that is sent is checked."
    return {
        "in": "header",
        "name": HEADER,
        "required": who is Who.HOLDER,
        "schema": {"type": "string", "pattern": leases.TOKEN.pattern},
        "description": words,
    }
