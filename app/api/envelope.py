"""What every answer carries whatever the call: a request id, protective headers, an access line."""

import logging
import re
from functools import lru_cache
from uuid import uuid4

from flask import Flask, Response, g, request
from gunicorn.http.errors import ParseException

from app import clock
from app.api.parsing import SHORT, entries
from app.logs import REQUEST_ID, redacted

SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")
HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
"""Sent unless the answer says otherwise itself, as the pages and the public keys do."""
SENDING_SECONDS = 60
"""How long a client may take to receive an answer."""
PAUSE_SECONDS = 0.5
"""How long a refused body may pause."""
DRAINING_SECONDS, DRAINED, CHUNK = 5, 64 << 20, 1 << 16
"""Seconds and bytes that a refused body is read for at most, and how much at once."""
log = logging.getLogger("app.access")


def begin() -> None:
    """The request has an id, the caller's own when it is a sane one, and its time runs."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if SANE.fullmatch(given) else uuid4().hex
    g.began = clock.monotonic()
    REQUEST_ID.set(g.request_id)


def finish(response: Response) -> Response:
    """`response` with the headers of every answer, after a line in the log."""
    if response.status_code >= 400 and "gunicorn.socket" in request.environ:
        drain()
    present = set(response.headers.keys(lower=True))
    for name, value in (*HEADERS, ("X-Request-Id", g.request_id)):
        # Not setdefault, which searches all the headers again for each.
        if name.lower() not in present:
            response.headers.add(name, value)
    if connection := request.environ.get("gunicorn.socket"):
        # The server gives a request a few seconds to arrive; an answer may take longer to leave.
        connection.settimeout(SENDING_SECONDS)
    if log.isEnabledFor(logging.INFO):
        log.info("answered", extra={"facts": facts(response)})
    return response


def drain() -> None:
    """Take in what is left of a body that was refused.

    A connection that is closed with bytes unread is reset, and the client never sees the answer.
    """
    body = request.environ["wsgi.input"]
    request.environ["gunicorn.socket"].settimeout(PAUSE_SECONDS)
    deadline, left = clock.monotonic() + DRAINING_SECONDS, DRAINED
    try:
        while left > 0 and clock.monotonic() < deadline and (chunk := body.read(CHUNK)):
            left -= len(chunk)
    except (OSError, ParseException):
        # What arrives is broken or has stopped: there is nobody to be polite to.
        log.debug("a refused body could not be read to its end")


@lru_cache(maxsize=512)
def names(query_string: bytes) -> list[str]:
    """The parameters of a query string, without secrets and values, which name people."""
    return sorted(redacted(name[:64]) for name in entries(query_string))


def facts(response: Response) -> dict[str, object]:
    """Who asked what, and how it ended."""
    path, asked = request.path, request.query_string
    return {
        "client": getattr(g.get("caller"), "client_id", None),
        "address": request.remote_addr,
        "method": request.method,
        # Ids differ in every path, and to search each for secrets takes time: for a token it does.
        "path": redacted(path) if "eyJ" in path else path,
        "parameters": names(asked) if len(asked) <= SHORT else names.__wrapped__(asked),
        "status": response.status_code,
        "milliseconds": round((clock.monotonic() - g.began) * 1000, 1),
    }


def forget(_error: BaseException | None) -> None:
    """The thread's next lines are not this request's."""
    REQUEST_ID.set("")


def register(app: Flask) -> None:
    """Wrap every answer of `app`. Registered first, so that it sees what all others made."""
    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(forget)
