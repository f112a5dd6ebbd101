"""Log lines: one JSON object each, on stderr, with the request's id and never with a secret."""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from time import time
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


UNSAID = {
    **dict.fromkeys(("pathname", "filename", "module", "threadName", "processName"), "(unknown)"),
    **dict.fromkeys(("args", "exc_info", "exc_text", "stack_info", "funcName", "taskName"), None),
    **dict.fromkeys(("lineno", "thread", "process", "relativeCreated"), 0),
    "levelno": logging.INFO,
    "levelname": "INFO",
}
"""What a record has that says nothing of where in the code it was made."""


class Happening(logging.LogRecord):
    """A record of what happens all day: its words and facts.

    It is made in a third of the time that the library's own takes, twice in nearly every request.
    """

    def __init__(self, name: str, words: str, facts: dict[str, Any]) -> None:
        """`name`: of the logger."""
        now = time()
        self.__dict__.update(
            UNSAID, name=name, msg=words, facts=facts, created=now, msecs=now % 1 * 1000
        )


def tell(log: logging.Logger, words: str, facts: dict[str, Any]) -> None:
    """Write a line of level INFO with `facts`; for callers who have seen that it will be shown."""
    log.handle(Happening(log.name, words, facts))


@lru_cache(maxsize=4)
def second(moment: int) -> str:
    """Epoch seconds as a log line says them."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Line(logging.Formatter):
    """A record as one line of JSON; `extra={"facts": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        members: dict[str, Any] = {
            "time": f"{second(int(record.created))}.{int(record.msecs):03}+00:00",
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


class Stderr(logging.StreamHandler[Any]):
    """Lines on stderr, which sends each of them on by itself."""

    def flush(self) -> None:
        """Send on what has not gone yet, where that is another stream."""
        if not getattr(self.stream, "line_buffering", False):
            super().flush()


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
        "handlers": {"stderr": {"()": Stderr, "formatter": "line", "filters": ["slow"]}},
        "root": {"level": louder, "handlers": ["stderr"]},
        "loggers": {
            "app": {"level": level},
            # Its INFO lines tell of starting and stopping, which a person sees anyway.
            "gunicorn.error": {"level": "WARNING", "propagate": True, "handlers": []},
            "gunicorn.access": {"level": "WARNING", "propagate": True, "handlers": []},
        },
    }
