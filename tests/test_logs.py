"""Log lines: one JSON object each, and never a secret in one."""

import json
import logging

import pytest

from app import logs

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
SECRETS = (
    f"token {TOKEN} was refused",
    f"Authorization: Bearer {TOKEN}",
    "Authorization: Basic c2VjcmV0OnNlY3JldA==",
    "client_secret=c2lnbmF0dXJl&grant_type=x",
    "{'password': 'c2lnbmF0dXJl', 'a': 1}",
    '{"access_token": "c2lnbmF0dXJl"}',
    "Lease-Token: c2lnbmF0dXJl",
    "mysql://tasks:c2lnbmF0dXJl@127.0.0.1/x",
    "Invalid HTTP request line: 'GET /tasks?startedBy=c2lnbmF0dXJl HTTP/1.1'",
)


def line(message, **more):
    record = logging.LogRecord("app.test", logging.INFO, __file__, 1, message, None, None)
    record.__dict__.update(more)
    logs.SlowClient().filter(record)
    return json.loads(logs.Line().format(record))


def test_it_works():
    logs.REQUEST_ID.set("r-1")
    made = line("answered", facts={"status": 200})
    logs.REQUEST_ID.set("")
    assert made.pop("time").endswith("+00:00")
    assert made == {
        "level": "INFO", "logger": "app.test", "message": "answered",
        "requestId": "r-1", "status": 200,
    }  # fmt: skip


@pytest.mark.parametrize("message", SECRETS)
def test_a_secret_is_removed_and_the_rest_stays(message):
    made = line(message)["message"]
    assert "c2lnbmF0dXJl" not in made
    assert "c2VjcmV0" not in made
    assert "[removed]" in made
    assert message.split()[0].split("=")[0].split(":")[0] in made


def test_a_line_break_in_a_message_does_not_break_the_line():
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "a\nb", None, None)
    assert "\n" not in logs.Line().format(record)


def test_an_exception_is_told_with_its_trace_and_without_secrets():
    try:
        raise ValueError(f"bad {TOKEN}")
    except ValueError as error:
        made = line("failed", exc_info=(ValueError, error, error.__traceback__))
    assert "test_logs.py" in made["exception"]
    assert TOKEN not in made["exception"]


def test_a_slow_client_is_a_warning_without_a_trace():
    made = line("Socket error", exc_info=(TimeoutError, TimeoutError(), None))
    assert made["level"] == "WARNING"
    assert "exception" not in made


def test_libraries_never_log_at_debug():
    chosen = logs.configuration("DEBUG")
    assert chosen["root"]["level"] == "INFO"
    assert chosen["loggers"]["app"]["level"] == "DEBUG"


def test_what_happens_all_day_is_told_as_the_library_tells_it(caplog):
    log = logging.getLogger("app.test")
    with caplog.at_level(logging.INFO):
        logs.tell(log, "answered", {"status": 200})
        log.info("answered", extra={"facts": {"status": 200}})
    quick, plain = caplog.records
    made, other = (json.loads(logs.Line().format(record)) for record in (quick, plain))
    assert len(made.pop("time")) == len(other.pop("time")) == len("2027-01-01T00:00:00.000+00:00")
    assert made == other
    assert abs(quick.created - plain.created) < 1
    assert vars(plain).keys() <= vars(quick).keys()


class Kept:
    """A stream that counts how often it is told to send on what it has."""

    def __init__(self, line_buffering):
        self.line_buffering, self.told, self.flushed = line_buffering, "", 0

    def write(self, text):
        self.told += text

    def flush(self):
        self.flushed += 1


@pytest.mark.parametrize(("line_buffering", "flushed"), [(True, 0), (False, 1)])
def test_lines_are_sent_on_where_the_stream_does_not(line_buffering, flushed):
    stream = Kept(line_buffering)
    logs.Stderr(stream).emit(logging.LogRecord("x", 20, __file__, 1, "a", None, None))
    assert (stream.told, stream.flushed) == ("a\n", flushed)
