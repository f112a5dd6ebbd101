"""Applications under gunicorn with the service's own settings, and what a request costs them."""

import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
from mariadb import free_port

from app import clock, config
from app.database import connect
from app.repository import credentials
from app.vocabulary import Scope
from benches.cost import used

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret of the benchmarks, long enough"
PAGE_BYTES = os.sysconf("SC_PAGESIZE")
TOKEN = "/api/2/idp/token"
START_SECONDS = 30
OURS = "wsgi:app"
SETTINGS = ("python:benches.settings", "gunicorn.conf.py")
"""Where gunicorn finds its settings, for the floor and for the service."""


@dataclass
class Server:
    """One worker that answers on `port`; `headers` go with every request."""

    master: int
    port: int
    headers: dict[str, str]

    @property
    def worker(self) -> int:
        """The process that answers: the first child, or the only process."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        return int(children[0]) if children else self.master

    def cpu(self) -> float:
        """Seconds of processor time that the worker has used."""
        return used(self.worker)

    def memory(self) -> float:
        """The worker's resident memory in MiB."""
        pages = Path(f"/proc/{self.worker}/statm").read_text().split()[1]
        return int(pages) * PAGE_BYTES / 2**20

    def ask(self, path: str, times: int = 1) -> bytes:
        """The last of `times` answers to one GET, over one connection."""
        return self.walk([path] * times)

    def walk(self, paths: Iterable[str]) -> bytes:
        """The answer to the last of several GETs, over one connection."""
        with self.line() as sent:
            for path in paths:
                body = sent.get(path)
        return body

    @contextmanager
    def line(self) -> Iterator["Line"]:
        """A connection that is kept."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            yield Line(self, connection)

    def milliseconds(self, path: str, times: int) -> float:
        """Processor time of one GET, taken from `times` of them."""
        began = self.cpu()
        self.ask(path, times)
        return (self.cpu() - began) / times * 1000


@dataclass(frozen=True)
class Call:
    """One request with a body."""

    method: str
    path: str
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Line:
    """One connection to a server, over which one call follows the other."""

    server: Server
    connection: HTTPConnection

    def get(self, path: str) -> bytes:
        """The answer to a GET."""
        self.connection.request("GET", path, headers=self.server.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:200])
        return body

    def send(self, call: Call) -> Any:
        """What a call is answered."""
        headers = {**self.server.headers, **call.headers, "Content-Type": "application/json"}
        self.connection.request(call.method, call.path, orjson.dumps(call.body), headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 201), (call, answer.status, body[:500])
        return orjson.loads(body)


def settings(url: str, room: Path, workers: int = 1) -> dict[str, str]:
    """The service's settings for the database at `url`: its defaults, with one worker."""
    return {
        "TASKS_DATABASE_URL": url,
        "TASKS_SECRET_KEY": SECRET,
        "TASKS_INSTANCE_PATH": str(room / "instance"),
        "TASKS_WORKERS": str(workers),
    }


def paths() -> dict[str, str]:
    """This process's environment, and where what is in tests is found."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests")}


def environment(url: str, room: Path, workers: int = 1) -> dict[str, str]:
    """This process's environment with these settings of the service and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TASKS_")}
    return {**kept, **settings(url, room, workers)}


@contextmanager
def serving(
    application: str, url: str, room: Path, workers: int = 1, more: dict[str, str] | None = None
) -> Iterator[Server]:
    """`application` (`module:name`) under gunicorn, on the database at `url`.

    `more`: settings beside the usual ones.
    """
    command = [sys.executable, "-m", "gunicorn", "--config", SETTINGS[application == OURS]]
    command += ["--bind", "127.0.0.1:{port}", application]
    with running(command, environment(url, room, workers) | (more or {}), room) as server:
        yield server


@contextmanager
def running(command: list[str], environment: dict[str, str], room: Path) -> Iterator[Server]:
    """What `command` starts at a free port, which is put for its `{port}`."""
    port = free_port()
    log = room / f"log-{port}"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [word.format(port=port) for word in command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        wait(process, port, log)
        yield Server(process.pid, port, {})
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once the server answers. Raises RuntimeError with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(log.read_text()[-2000:])


def credentials_for(url: str, *scopes: Scope) -> dict[str, Any]:
    """What a new client of the root tenant sends to get a token of these scopes."""
    database = connect(config.load({"TASKS_DATABASE_URL": url}))
    client = credentials.create_client(database, "bench", 1, list(scopes), clock.now())
    database.close()
    basic = b64encode(":".join(client).encode()).decode()
    form = "application/x-www-form-urlencoded"
    return {
        "data": "grant_type=client_credentials",
        "headers": {"Authorization": f"Basic {basic}", "Content-Type": form},
    }


def admit(server: Server, url: str, *scopes: Scope) -> None:
    """`server`, our service, is asked from now on with a token of the root tenant (a viewer's)."""
    sent = credentials_for(url, *(scopes or (Scope.VIEWER,)))
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", TOKEN, sent["data"], sent["headers"])
        token = orjson.loads(connection.getresponse().read())["access_token"]
    server.headers["Authorization"] = f"Bearer {token}"
