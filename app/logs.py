"""Log lines: one JSON object each, on stderr, with the request's id and never with a secret."""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that this thread answers; empty outside one."""
REMOVED = "[removed]"
SECRETS = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REMOVED),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]+"), rf"\1{REMOVED}"),
    (
        re.compile(
            r"(?i)\b((?:access_token|client_secret|password|assertion|lease-token)[\"']?\s*[=:]\s*)"
            r"[\"']?[^\s\"'&,}]+"
        ),
        rf"\1{REMOVED}",
    ),
    (re.compile(r"(mysql://[^:/@\s]*:)[^@\s]*@"), rf"\1{REMOVED}@"),
    # A query string that could not even be parsed may be quoted by the server in front.
    (re.compile(r"(/[^\s?\"']*)\?[^\s\"']*"), rf"\1?{REMOVED}"),
)
# Where in the code a line was written, by which thread and process: found out for every line, and
# never shown.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None
SHORT = 64
"""Characters of the texts whose reading is remembered."""


def redacted(text: str) -> str:
    """`text` without tokens, passwords and the values of query strings."""
    return familiar(text) if len(text) <= SHORT else searched(text)


def searched(text: str) -> str:
    """`text`, of which nothing is remembered, without secrets."""
    for pattern, stand_in in SECRETS:
        text = pattern.sub(stand_in, text)
    return text


@lru_cache(maxsize=1_024)
def familiar(text: str) -> str:
    """`text` without secrets. Nearly every request writes the same few words and names."""
    return searched(text)


class Line(logging.Formatter):
    """A record as one line of JSON; `extra={"facts": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        members: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if request_id := REQUEST_ID.get():
            members["requestId"] = request_id
        members.update(getattr(record, "facts", {}))
        if record.exc_info:
            members["exception"] = redacted(self.formatException(record.exc_info))
        return orjson.dumps(members, default=str).decode()


class SlowClient(logging.Filter):
    """A client that lets its connection time out is worth a line, not a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass; take the traceback of a timeout away."""
        if record.exc_info and isinstance(record.exc_info[1], TimeoutError):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = "a client was too slow; its connection was closed", ()
        return True


def configuration(level: str) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes: everything from `level` on, as lines on stderr.

    The level DEBUG is ours alone: libraries write tokens and names at it.
    """
    louder = "INFO" if level == "DEBUG" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line}},
        "filters": {"slow": {"()": SlowClient}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["slow"]}
        },
        "root": {"level": louder, "handlers": ["stderr"]},
        "loggers": {
            "app": {"level": level},
            # Its INFO lines tell of starting and stopping, which a person sees anyway.
            "gunicorn.error": {"level": "WARNING", "propagate": True, "handlers": []},
            "gunicorn.access": {"level": "WARNING", "propagate": True, "handlers": []},
        },
    }
