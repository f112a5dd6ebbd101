"""gunicorn as we start it: what it takes, what it logs, what it survives, how it ends."""

import inspect
import json
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from http.client import HTTPResponse
from threading import Event
from types import SimpleNamespace
from uuid import UUID

import pytest
import requests
from commands import Commands
from gunicorn import util
from gunicorn.config import Config
from gunicorn.workers import base, gthread
from services import ROOT, SECRET, command, environment, family, refused, running

from app import create_app, serving

pytestmark = pytest.mark.xdist_group("serving")
HALF_A_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: half"
PATH = "/api/task_manager/v2/tasks"
ENDS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)
GUNICORN = (sys.executable, "-m", "gunicorn", "wsgi:app")


@pytest.fixture(scope="module")
def service(sqlite_engine, tmp_path_factory):
    with running(sqlite_engine.fresh(), tmp_path_factory.mktemp("service")) as started:
        yield started


def lines(service):
    """The log's lines that tell of answers."""
    found = map(json.loads, service.logged().splitlines())
    return [line for line in found if line["logger"] == "app.access"]


def test_it_works(service):
    answer = requests.get(f"{service.url}/healthz", timeout=10)
    assert (answer.status_code, answer.content) == (200, b'{"status":"ok"}')
    assert requests.get(f"{service.url}/readyz", timeout=10).status_code == 200
    assert service.told == [
        f"The service answers at {service.url}", f"  page        {service.url}/docs",
        "Ctrl-C stops it.",
    ]  # fmt: skip


@pytest.mark.parametrize(("length", "status"), [(8190, 401), (8191, 414)])
def test_a_request_line_may_be_8190_bytes_long(service, length, status):
    query = "?uuid=" + "a" * (length - len(f"GET {PATH}?uuid= HTTP/1.1"))
    assert requests.get(f"{service.url}{PATH}{query}", timeout=10).status_code == status


def test_the_log_names_parameters_and_never_their_values(service):
    mark = {"X-Request-Id": "log-1", "Authorization": "Bearer eyJsecret.eyJsecret.secret"}
    requests.get(f"{service.url}{PATH}?startedBy=secret&state=secret", headers=mark, timeout=10)
    line = next(line for line in lines(service) if line["requestId"] == "log-1")
    assert (line["method"], line["path"], line["status"]) == ("GET", PATH, 401)
    assert line["parameters"] == ["startedBy", "state"]
    assert line["milliseconds"] >= 0
    assert "secret" not in service.logged()


def sent(service, raw):
    """Status, headers and body of the answer to bytes as they are."""
    with socket.create_connection(service.url.removeprefix("http://").split(":")) as wire:
        wire.sendall(raw)
        answer = HTTPResponse(wire)
        answer.begin()
        return answer.status, answer.headers, answer.read()


@pytest.mark.parametrize("place", ["/", f"{PATH}/", "/nowhere?", f"{PATH}?"])
def test_a_token_that_went_astray_is_not_logged(service, place):
    requests.get(f"{service.url}{place}eyJh.eyJz.c2ln", timeout=10)
    assert "eyJz" not in service.logged()


def test_what_the_server_itself_refuses_is_logged_without_values(service):
    status, _, body = sent(
        service, b"GET /tasks?startedBy=secret HTTP/1.1 extra\r\nHost: x\r\n\r\n"
    )
    assert status == 400
    assert b"secret" not in body
    assert "secret" not in service.logged()


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1 x\r\n\r\n", 400, "bad_request"),
        (b"get /healthz HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET /healthz HTTP/3.0\r\n\r\n", 400, "bad_request"),
        ("GET /tasks?type=\u00e9 HTTP/1.1\r\n\r\n".encode(), 400, "bad_request"),
        (b"GET /tasks?type=\xff HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400, "bad_request"),
        (b"GET /healthz HTTP/1.1\r\nExpect: miracles\r\n\r\n", 400, "bad_request"),
        (b"GET /" + b"x" * 8190 + b" HTTP/1.1\r\n\r\n", 414, "request_line_too_long"),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, "headers_too_long"),
        (b"GET /healthz HTTP/1.1\r\n" + b"X: x\r\n" * 101 + b"\r\n", 431, "headers_too_long"),
    ],
)  # fmt: skip
def test_what_the_server_itself_refuses_has_the_shape_of_all_refusals(service, raw, status, code):
    found, headers, body = sent(service, raw)
    assert (found, headers["Content-Type"]) == (status, "application/problem+json")
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])
    assert f'"requestId":"{headers["X-Request-Id"]}"' in service.logged()
    assert b"\n" not in body
    said = json.loads(body)
    assert (said["status"], said["code"], said["error"]["code"]) == (status, code, code)
    assert said["message"] == said["detail"]
    assert all(set(fault) == {"parameter", "value", "message"} for fault in said.get("errors", ()))


def test_clients_that_send_half_a_request_do_not_stop_others(service):
    place = tuple(service.url.removeprefix("http://").split(":"))
    threads = serving.options()["threads"] * serving.options()["workers"]
    with ExitStack() as held:
        for _ in range(threads):
            held.enter_context(socket.create_connection(place)).sendall(HALF_A_REQUEST)
        for _ in range(threads):
            held.enter_context(socket.create_connection(place))
        began = time.monotonic()
        for _ in range(10):
            assert requests.get(f"{service.url}/healthz", timeout=60).status_code == 200
        assert time.monotonic() - began < 4 * serving.ARRIVING_SECONDS


def test_clients_that_talk_without_a_pause_do_not_stop_others(sqlite_engine, tmp_path):
    few = {"TASKS_WORKERS": "1", "TASKS_THREADS": "2", "TASKS_WAITING_CLAIMS": "0"}
    with (
        running(sqlite_engine.fresh(), tmp_path, **few) as service,
        ThreadPoolExecutor(4) as talkers,
    ):
        ended = Event()

        def talk():
            with requests.Session() as session:
                while not ended.is_set():
                    assert session.get(f"{service.url}/healthz", timeout=10).status_code == 200

        talking = [talkers.submit(talk) for _ in range(4)]
        try:
            for _ in range(5):
                assert requests.get(f"{service.url}/healthz", timeout=5).status_code == 200
        finally:
            ended.set()
        assert [each.result() for each in talking] == [None] * 4


def test_the_guard_finds_the_names_that_it_needs():
    assert list(inspect.signature(util.write_error).parameters) == [
        "sock", "status_int", "reason", "mesg",
    ]  # fmt: skip
    assert "util.write_error(client, status_int, reason, mesg)" in inspect.getsource(base)
    assert isinstance(gthread.DEFAULT_WORKER_DATA_TIMEOUT, float)
    handling = inspect.getsource(gthread.ThreadWorker.handle)
    assert "conn.wait_for_data(DEFAULT_WORKER_DATA_TIMEOUT)" in handling
    waiting, starting, reading = (
        handling.index(words) for words in ("setblocking(True)", "conn.init()", "next(conn.parser)")
    )
    assert waiting < starting < reading
    assert "self.sock = sock" in inspect.getsource(gthread.TConn.__init__)


@pytest.mark.parametrize(("settings", "told"), [({}, 0), ({"TASKS_LOG_LEVEL": "INFO"}, 1)])
def test_what_make_run_tells_is_not_carried_away_by_its_log(
    sqlite_engine, tmp_path, settings, told
):
    url = sqlite_engine.fresh()
    cli = Commands(url, tmp_path)
    cli.load({"id": 1, "uuid": str(UUID(int=1)), "type": "x", "state": "enqueued"})
    with running(url, tmp_path, "run", **settings) as started:
        assert requests.get(f"{started.url}{PATH}", timeout=10).status_code == 401
        assert len(lines(started)) == told


def test_settings_that_are_at_hand_are_as_they_were():
    chosen = Config()
    before = {name: getattr(chosen, name) for name in chosen.settings}
    serving.at_hand(chosen)
    assert {name: getattr(chosen, name) for name in chosen.settings} == before
    assert vars(chosen)["keepalive"] == before["keepalive"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_and_leaves_nothing_behind(sqlite_engine, tmp_path, how):
    with running(sqlite_engine.fresh(), tmp_path) as started:
        assert requests.get(f"{started.url}/healthz", timeout=10).status_code == 200
        assert len(family(started.process.pid)) > 1
        started.process.send_signal(how)
        assert started.process.wait(30) == 0
        assert family(started.process.pid) == []


SLOWLY = """
import sys, time
from app import serving
def slowly(server, worker):
    serving.guard(server, worker)
    print("born", flush=True)
    time.sleep(0.5)
serving.Server({}, bind="127.0.0.1:0", workers=1, post_fork=slowly).run()
"""
"""A service whose worker takes its time until it has handlers of its own."""


@pytest.mark.parametrize("how", ENDS)
def test_a_worker_that_is_just_born_hears_that_it_is_to_end(sqlite_engine, tmp_path, how):
    surroundings = environment(
        TASKS_DATABASE_URL=sqlite_engine.fresh(), TASKS_SECRET_KEY=SECRET,
        TASKS_INSTANCE_PATH=str(tmp_path), TASKS_METRICS_ADDRESS="",
    )  # fmt: skip
    words = (sys.executable, "-c", SLOWLY)
    with subprocess.Popen(
        words, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout.readline() == "born\n"
        started.send_signal(how)
        assert started.wait(20) == 0


@pytest.fixture
def settled(sqlite_engine, tmp_path):
    """A worker that has settled in, in this very process, as gunicorn leaves it to us."""
    app = create_app(
        {"TASKS_DATABASE_URL": sqlite_engine.fresh(), "TASKS_INSTANCE_PATH": str(tmp_path)}
    )
    before = {number: signal.getsignal(number) for number in ENDS}
    worker = SimpleNamespace(wsgi=app, alive=True, tpool=ThreadPoolExecutor(1))
    worker.cfg = SimpleNamespace(worker_int=lambda _: None)
    for number in ENDS:
        signal.signal(number, partial(gthread.ThreadWorker.handle_quit, worker))
    try:
        serving.settle_in(worker)
        yield worker
    finally:
        serving.leave(None, worker)
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_worker_ends_at_once_whatever_it_holds(settled, how):
    # Ctrl-C may come while the loop hands a request to the pool, and has its lock.
    settled.tpool._shutdown_lock = None
    with pytest.raises(SystemExit):
        signal.raise_signal(how)
    # The terminal tells the worker itself, and its parent tells it too.
    signal.raise_signal(signal.SIGQUIT)


@pytest.mark.parametrize("start", [command("serve"), GUNICORN], ids=["serve", "gunicorn"])
def test_a_bad_setting_stops_the_start_with_one_line_that_names_it(start):
    status, said = refused(*start, TASKS_WORKERS="many")
    assert status != 0
    assert said == ["error: TASKS_WORKERS must be a whole number from 0 to 64."]
