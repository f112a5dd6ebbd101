"""What every answer carries whatever the call: a request id, protective headers, an access line."""

import logging
import re
from functools import lru_cache
from secrets import token_hex
from typing import Any

from flask import Flask, Request, Response, g, request
from gunicorn.http.errors import ParseException

from app import clock
from app.api.parsing import SHORT, entries
from app.logs import REQUEST_ID, redacted, tell
from app.standins import itself

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
    noted, given = itself(g), itself(request).headers.get("X-Request-Id", "")
    noted.request_id = given if SANE.fullmatch(given) else token_hex(16)
    noted.began = clock.monotonic()
    REQUEST_ID.set(noted.request_id)


def finish(response: Response) -> Response:
    """`response` with the headers of every answer, after a line in the log."""
    asked, noted = itself(request), itself(g)
    connection = asked.environ.get("gunicorn.socket")
    if response.status_code >= 400 and connection:
        drain(asked.environ["wsgi.input"], connection)
    present = {name.lower() for name, _ in response.headers}
    for name, value in (*HEADERS, ("X-Request-Id", noted.request_id)):
        # Not setdefault, which searches all the headers again for each.
        if name.lower() not in present:
            response.headers.add(name, value)
    if connection:
        # The server gives a request a few seconds to arrive; an answer may take longer to leave.
        connection.settimeout(SENDING_SECONDS)
    if log.isEnabledFor(logging.INFO):
        tell(log, "answered", facts(asked, noted, response))
    return response


def drain(body: Any, connection: Any) -> None:
    """Take in what is left of a `body` that was refused, which comes over `connection`.

    A connection that is closed with bytes unread is reset, and the client never sees the answer.
    """
    connection.settimeout(PAUSE_SECONDS)
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


def facts(asked: Request, noted: Any, response: Response) -> dict[str, object]:
    """Who `asked` what, and how it ended."""
    path, query = asked.path, asked.query_string
    return {
        "client": getattr(noted.get("caller"), "client_id", None),
        "address": asked.remote_addr,
        "method": asked.method,
        # Ids differ in every path, and to search each for secrets takes time: for a token it does.
        "path": redacted(path) if "eyJ" in path else path,
        "parameters": names(query) if len(query) <= SHORT else names.__wrapped__(query),
        "status": response.status_code,
        "milliseconds": round((clock.monotonic() - noted.began) * 1000, 1),
    }


def forget(_error: BaseException | None) -> None:
    """The thread's next lines are not this request's."""
    REQUEST_ID.set("")


def register(app: Flask) -> None:
    """Wrap every answer of `app`. Registered first, so that it sees what all others made."""
    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(forget)
