"""The peers: other frameworks over the same rows, and the same token, in the same minutes as ours.

Before anything is timed, each must answer the very items that the service answers, and refuse who
has no good token.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median
from typing import Any
from urllib.parse import quote

import orjson
from joserfc.jwk import RSAKey

from app.vocabulary import Scope
from benches import servers
from benches.life import BASE
from benches.scale.place import Place
from benches.servers import ROOT, Server

PYTHON = ROOT / "build" / "peers" / "bin" / "python"
MISSING = "the peers are not installed: `make build/peers/.ready` does it"
ROUNDS, REQUESTS = 5, 40
LIMIT, TYPE = 100, "type 000001"
JWKS = "/api/2/idp/jwks"
OURS = f"{BASE}?lod=short&limit={LIMIT}&order=desc(id)&type={quote(TYPE)}"
THEIRS = f"/tasks?limit={LIMIT}&order=-id&type={quote(TYPE)}"
UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}")
GUNICORN = ("-m", "gunicorn", "--config", "python:rest", "--bind", "127.0.0.1:{port}")
"""Not with the settings that lie in the folder: those are the service's."""


@dataclass(frozen=True)
class Peer:
    """A peer, how it is written, the arguments that start its one worker, and its environment."""

    name: str
    variant: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """How it is called in tables."""
        return f"{self.name}, {self.variant}"


FAST, REST = "FastAPI + SQLAlchemy + pydantic", "Django REST framework + django-filter"
PEERS = (
    Peer(FAST, "documented", (*UVICORN, "fast.documented:app")),
    Peer(FAST, "tuned", (*UVICORN, "--no-access-log", "fast.tuned:app")),
    Peer(REST, "documented", (*GUNICORN, "rest.wsgi")),
    Peer(REST, "tuned", (*GUNICORN, "--worker-class", "gthread", "--threads", "4", "rest.wsgi"),
         (("PEER_TUNED", "1"),)),
)  # fmt: skip


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    payload = token.split(".")[1]
    said: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return said


def trust(service: Server) -> dict[str, str]:
    """What a peer is told, so that it believes the tokens of `service`."""
    [key] = orjson.loads(service.ask(JWKS))["keys"]
    issuer = claims(service.headers["Authorization"].removeprefix("Bearer "))["iss"]
    pem = RSAKey.import_key(key).as_pem(private=False).decode()
    return {"PEER_KEY": pem, "PEER_ISSUER": issuer, "PEER_SCOPE": Scope.VIEWER.value}


@contextmanager
def started(peer: Peer, place: Place, told: dict[str, str], token: str) -> Iterator[Server]:
    """The peer answers, and is asked with `token`."""
    environment = servers.environment(place.url, place.room) | told | dict(peer.environment)
    environment["PYTHONPATH"] = str(ROOT / "benches" / "peers")
    with servers.running([str(PYTHON), *peer.command], environment, place.room) as server:
        server.headers["Authorization"] = token
        yield server


def bare(value: Any) -> Any:
    """`value` without members that are null: some frameworks write them, some do not."""
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if one is not None}
    return [bare(one) for one in value] if isinstance(value, list) else value


def items(answer: bytes) -> Any:
    """The tasks of an answer, whatever the framework calls their list."""
    read = orjson.loads(answer)
    return bare(read["items"] if "items" in read else read["results"])


def status(server: Server, path: str, token: str | None) -> int:
    """How a GET with this token is answered."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        headers = {} if token is None else {"Authorization": token}
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def check(server: Server, path: str, expected: Any) -> None:
    """The server answers the expected items, and nobody without a good token. Raises ValueError."""
    if items(server.ask(path)) != expected:
        raise ValueError(f"{path} is not answered with the service's items")
    token = server.headers["Authorization"]
    head, payload, signature = token.split(".")
    damaged = (
        f"{head}.{payload}.{signature[:9]}{'A' if signature[9] != 'A' else 'B'}{signature[10:]}"
    )
    for wrong in (None, damaged):
        if status(server, path, wrong) not in (401, 403):
            raise ValueError(f"{path} is answered without a good token")


def peers(place: Place) -> dict[str, Any]:
    """Milliseconds of processor time of the process that answers a page of 100 tasks of a type."""
    if not PYTHON.exists():
        return {"missing": MISSING}
    with ExitStack() as stack:
        enter = stack.enter_context
        service = enter(servers.serving(servers.OURS, place.url, place.room))
        servers.admit(service, place.url)
        expected, told = items(service.ask(OURS)), trust(service)
        if len(expected) != LIMIT:
            raise ValueError(f"only {len(expected)} tasks are of the type that is asked for")
        token = service.headers["Authorization"]
        theirs = [enter(started(peer, place, told, token)) for peer in PEERS]
        for server, path in ((service, OURS), *((server, THEIRS) for server in theirs)):
            check(server, path, expected)
            server.ask(path, REQUESTS)
        rounds = [
            [(service.milliseconds(OURS, REQUESTS), server.milliseconds(THEIRS, REQUESTS))
             for server in theirs]
            for _ in range(ROUNDS)
        ]  # fmt: skip
    ours = median(mine for one in rounds for mine, _ in one)
    return {"peers": [row("this service", ours, 1.0), *(
        row(peer.words, median(other for _, other in pairs),
            median(other / mine for mine, other in pairs))
        for peer, pairs in zip(PEERS, zip(*rounds, strict=True), strict=True)
    )]}  # fmt: skip


def row(words: str, ms: float, ratio: float) -> dict[str, Any]:
    """A line of the table: milliseconds, and how many times ours, measured just before."""
    return {"words": words, "ms": round(ms, 3), "ratio": round(ratio, 3)}
