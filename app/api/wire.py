"""What the server in front of the application refuses, in the shape of all other refusals."""

import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson
from gunicorn import util

from app import errors
from app.api.answers import PROBLEM
from app.api.envelope import HEADERS
from app.api.problems import members
from app.logs import REQUEST_ID

LINE, FIELDS, FIELD = 8_190, 100, 8_190
"""Bytes of a request line, headers of a request, bytes of one: as much as gunicorn allows."""
log = logging.getLogger(__name__)


def refusal_of(status: int) -> errors.Refusal:
    """The refusal that says what gunicorn means with `status`."""
    match status:
        case HTTPStatus.REQUEST_URI_TOO_LONG:
            return errors.RequestLineTooLong(limit=LINE)
        case HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            return errors.HeadersTooLong(fields=FIELDS, limit=FIELD)
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            return errors.InternalError()
    words = "The request is no HTTP/1.1 as RFC 9112 has it; what is not ASCII is percent-encoded."
    return errors.BadRequest([errors.Fault("request", "", words)])


def refuse(connection: Any, status: int, _reason: str, _words: str) -> None:
    """Answer what never became a request of the application's; gunicorn's words may quote it."""
    request_id = uuid4().hex
    held = REQUEST_ID.set(request_id)
    refusal = refusal_of(status)
    body = orjson.dumps(members(refusal))
    log.info("refused by the server", extra={"facts": {"status": refusal.status}})
    REQUEST_ID.reset(held)
    headers = (
        *HEADERS,
        ("Connection", "close"),
        ("Content-Type", PROBLEM),
        ("Content-Length", str(len(body))),
        ("X-Request-Id", request_id),
    )
    first = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"
    head = "\r\n".join((first, *(f"{name}: {value}" for name, value in headers), "", ""))
    util.write_nonblock(connection, head.encode() + body)
