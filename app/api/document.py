"""The OpenAPI document: what is said of the service as a whole; the routes say the rest."""

import json
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from threading import Lock
from typing import Any

from flask import Flask, Response
from flask_smorest import Api
from marshmallow import Schema, fields

from app.api.answers import PROBLEM, as_json
from app.api.problems import DOMAIN
from app.auth.protector import SCHEME
from app.errors import refusals
from app.service import service_of
from app.vocabulary import Scope

DESCRIPTION = """
Who asked for a task, who carries it out, how far it is and how it ended.

**Authorize** below with {credentials}, then try `GET /tasks`. Filters are AND-ed; a parameter that
is repeated is OR-ed. Every refusal says all that is wrong, and what would be accepted.
"""
OWN_CREDENTIALS = "the demonstration credentials that `make run` prints"
OUTSIDE_CREDENTIALS = "an access token from your identity provider"
BEARER = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
"""The security scheme where an outside provider has replaced our token endpoint."""
TOKEN_PATH = "/api/2/idp/token"
SCOPE_WORDS = {
    Scope.VIEWER: "read tasks and activities",
    Scope.ISSUER: "enqueue, cancel, delete and restore tasks",
    Scope.CONSUMER: "claim tasks, report on them and complete them",
    Scope.ADMIN: "all of it",
}


class FaultSchema(Schema):
    """One thing that is wrong with a request."""

    parameter = fields.String(required=True, metadata={"description": "Its name or place."})
    value = fields.String(required=True, metadata={"description": "The value, cut at 100."})
    message = fields.String(required=True, metadata={"description": "What would be accepted."})


class DetailsSchema(Schema):
    """More on an error, for clients that look for it here."""

    info = fields.String()


class WrappedSchema(Schema):
    """The error once more, for clients that look for it under `error`."""

    domain = fields.String(metadata={"example": DOMAIN})
    code = fields.String()
    message = fields.String()
    details = fields.Nested(DetailsSchema)


class ProblemSchema(Schema):
    """A refusal (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    domain = fields.String(required=True, metadata={"example": DOMAIN})
    code = fields.String(
        required=True, metadata={"enum": sorted({kind.code for kind in refusals()})}
    )
    message = fields.String(required=True)
    error = fields.Nested(WrappedSchema, required=True)
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "All faults."})
    requestId = fields.String(metadata={"description": "Also in the server's log."})


class DocumentedApi(Api):
    """flask-smorest's Api, whose error handling is ours (its own loses headers).

    It describes its routes when somebody asks for that: it takes a tenth of a second, and most
    processes, commands above all, are never asked.
    """

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask, outside: bool) -> None:
        """`outside`: tokens come from an outside provider."""
        super().__init__(app)
        self.outside = outside
        self.blueprints: list[Any] = []
        self.lock = Lock()

    def register_blueprint(self, blp: Any, **_: Any) -> None:
        """Hang `blp` on the application; its routes are described later."""
        app: Flask = self._app
        app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        app.register_blueprint(blp)
        self.blueprints.append(blp)

    @cached_property
    def document(self) -> dict[str, Any]:
        """All that is said of the service: nothing of it changes while the application runs."""
        for blueprint in self.blueprints:
            name = blueprint.name
            blueprint.register_views_in_doc(self, self._app, self.spec, name=name, parameters=None)
            self.spec.tag({"name": name, "description": blueprint.description})
        made: dict[str, Any] = json.loads(json.dumps(self.spec.to_dict(), default=str))
        completed(made)
        if self.outside:
            told_in_words(made)
        return made

    def described(self) -> dict[str, Any]:
        """The document, made once, whoever asks at the same time."""
        with self.lock:
            return self.document

    def _openapi_json(self) -> Response:
        """The document, in one line like every answer."""
        return as_json(self.described())

    def _register_error_handlers(self) -> None:
        """`app.api.problems` answers errors."""


def security_scheme() -> dict[str, Any]:
    """How a token is got: both grants, at our own token endpoint."""
    scopes = {scope.value: SCOPE_WORDS[scope] for scope in Scope}
    flow = {"tokenUrl": TOKEN_PATH, "scopes": scopes}
    return {"type": "oauth2", "flows": {"clientCredentials": flow, "password": flow}}


def options(outside: bool) -> dict[str, Any]:
    """flask-smorest's settings. `outside`: tokens come from an outside provider."""
    credentials = OUTSIDE_CREDENTIALS if outside else OWN_CREDENTIALS
    return {
        "API_TITLE": "Task management service",
        "API_VERSION": "v2",
        "OPENAPI_VERSION": "3.0.3",
        # No automatic OPTIONS: other origins are not served, and 405 says what is.
        "PROVIDE_AUTOMATIC_OPTIONS": False,
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {
            "info": {"description": DESCRIPTION.format(credentials=credentials).strip()},
            "servers": [{"url": "/"}],
            "components": {"securitySchemes": BEARER if outside else {SCHEME: security_scheme()}},
        },
    }


GENERAL = {
    HTTPStatus.BAD_REQUEST: "Bad user input: `errors` says all that is wrong.",
    HTTPStatus.UNAUTHORIZED: "The access token is missing, bad or expired.",
    HTTPStatus.FORBIDDEN: "The access token holds none of the scopes that would do.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Server error; the log says more under `requestId`.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not just now: try again after `Retry-After` seconds.",
}
"""What any call of the API may answer."""


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All calls that a document describes."""
    for path in document["paths"].values():
        yield from (row for row in path.values() if isinstance(row, dict) and "responses" in row)


def completed(document: dict[str, Any]) -> None:
    """Give every call its general answers, and every refusal its media type."""
    used = {tag for operation in operations(document) for tag in operation.get("tags", ())}
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    for operation in operations(document):
        # What needs no token (identity) speaks another language and says all by itself.
        if operation.get("security") == []:
            operation["responses"].pop("default", None)
        else:
            complete(operation["responses"])


def told_in_words(document: dict[str, Any]) -> None:
    """Say in words which scopes each call needs: a scheme other than OAuth's has none."""
    for operation in operations(document):
        needed = [scope for row in operation["security"] for scope in row[SCHEME]]
        operation["responses"]["403"]["description"] = (
            f"{GENERAL[HTTPStatus.FORBIDDEN].rstrip('.')}: one of {', '.join(needed)}."
        )
        operation["security"] = [{name: [] for name in BEARER}]


def complete(responses: dict[str, Any]) -> None:
    """Add the general answers to those of one operation."""
    schema = {"$ref": "#/components/schemas/Problem"}
    for general, words in GENERAL.items():
        responses[str(int(general))] = {"description": words}
    responses.pop("default", None)
    for status, response in responses.items():
        if status >= "400" and isinstance(response, dict):
            response.pop("$ref", None)
            response.setdefault("description", HTTPStatus(int(status)).phrase)
            response["content"] = {PROBLEM: {"schema": schema}}


def register(app: Flask, blueprints: tuple[Any, ...]) -> None:
    """Hang `blueprints` on `app` and describe them at `/openapi.json`."""
    outside = service_of(app).settings.outside
    app.config.update(options(outside))
    described = DocumentedApi(app, outside)
    for blueprint in blueprints:
        described.register_blueprint(blueprint)
