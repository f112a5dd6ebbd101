"""Refusals as problem+json (RFC 9457), with the members that published clients of this API read."""

import logging
from typing import Any

from flask import Flask, Response, request
from gunicorn.http import errors as wire
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.sansio.response import Response as Answer

from app import errors
from app.api.answers import PROBLEM, as_json
from app.api.parsing import entries, printable
from app.logs import REQUEST_ID

DOMAIN = "TaskManager"
SHOWN = 100
"""Characters of a faulty value that are repeated in the answer."""
BROKEN = (
    wire.NoMoreData,
    wire.InvalidChunkSize,
    wire.InvalidChunkExtension,
    wire.ChunkMissingTerminator,
)
"""What reading a body may raise when the client did not send what it promised."""
log = logging.getLogger(__name__)


def members(refusal: errors.Refusal) -> dict[str, Any]:
    """The body of the answer to `refusal`."""
    wrapped = {"domain": DOMAIN, "code": refusal.code, "message": refusal.message}
    return {
        "type": f"urn:tasks:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.message,
        **wrapped,
        "error": {**wrapped, "details": {"info": refusal.message}},
        **particulars(refusal),
    }


def particulars(refusal: errors.Refusal) -> dict[str, Any]:
    """What only some refusals tell: the faults, or where the log says more."""
    if isinstance(refusal, errors.BadRequest | errors.UuidConflict):
        return {
            "errors": [
                {"parameter": row.parameter, "value": row.value[:SHOWN], "message": row.message}
                for row in refusal.faults
            ]
        }
    if refusal.parameters:
        said = entries(request.query_string)
        return {
            "errors": [
                {"parameter": name, "value": printable(said[name][-1])[:SHOWN],
                 "message": refusal.message}
                for name in refusal.parameters
            ]
        }  # fmt: skip
    if isinstance(refusal, errors.InternalError):
        return {"requestId": REQUEST_ID.get()}
    return {}


def headers(refusal: errors.Refusal) -> dict[str, str]:
    """The headers that go with `refusal`: how to authenticate, when to come back."""
    sent = {}
    if challenge := getattr(refusal, "challenge", None):
        sent["WWW-Authenticate"] = challenge
    if "seconds" in refusal.facts:
        sent["Retry-After"] = str(refusal.facts["seconds"])
    if isinstance(refusal, errors.MethodNotAllowed):
        sent["Allow"] = refusal.facts["allowed"]
    return sent


def problem(refusal: errors.Refusal) -> Response:
    """The answer to `refusal`."""
    return as_json(members(refusal), refusal.status, headers(refusal), PROBLEM)


def translated(error: HTTPException) -> errors.Refusal:
    """The refusal that says what an error of the framework says."""
    match error:
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return errors.MethodNotAllowed(method=request.method, allowed=allowed)
        case NotFound():
            return errors.NoSuchPath()
        case RequestEntityTooLarge():
            return errors.BodyTooLarge(limit=request.max_content_length or 0)
        case HTTPException(code=code) if code is not None and 400 <= code < 500:
            words = "The request cannot be understood."
            return errors.BadRequest([errors.Fault("request", "", words)])
        case _:
            return errors.InternalError()


def on_http_exception(error: HTTPException) -> Answer:
    """Answer an error that Flask or Werkzeug raised; redirects pass as they are."""
    if error.code is not None and error.code < 400:
        return error.get_response()
    return problem(translated(error))


def on_broken_body(_error: Exception) -> Response:
    """Answer a body that is not chunked as its head says, or breaks off."""
    words = "The body breaks off, or its chunks are not well-formed."
    return problem(errors.BadRequest([errors.Fault("body", "", words)]))


def on_failure(error: Exception) -> Response:
    """Answer what nobody foresaw: the log gets all, the caller the request's id."""
    log.error("unforeseen failure", exc_info=error)
    return problem(errors.InternalError())


def register(app: Flask) -> None:
    """Answer every refusal, error and failure of `app` in this one shape."""
    app.register_error_handler(errors.Refusal, problem)
    app.register_error_handler(HTTPException, on_http_exception)
    for broken in BROKEN:
        app.register_error_handler(broken, on_broken_body)
    app.register_error_handler(Exception, on_failure)
