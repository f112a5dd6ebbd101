"""A service with a world in it, and a reader that asks it over HTTP with real tokens."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import engines
import oracle_grammar
import pytest
import worlds
from oracle import Object, full, listed, shown
from oracle_grammar import Ask, Refused

import app.service
from app import clock, create_app
from app.models import Tenant
from app.repository import credentials
from app.vocabulary import Scope

BASE = "/api/task_manager/v2"
TOKEN = "/api/2/idp/token"
FORM = "application/x-www-form-urlencoded"


def client_of(flask_app: Any, tenant: int, *scopes: str) -> tuple[str, str]:
    """Id and secret of a new client of `tenant`, a viewer when nothing else is said."""
    database = app.service.service_of(flask_app).database
    roles = [scope for scope in Scope if scope.role in (scopes or ("viewer",))]
    return credentials.create_client(database, "reader", tenant, roles, clock.now())


def bearer(
    flask_app: Any, tenant: int = 1, scopes: tuple[str, ...] = ("viewer",), **ask: str
) -> str:
    """The header value with a token for a new client of `tenant`; `ask` goes into the request."""
    client = client_of(flask_app, tenant, *scopes)
    basic = b64encode(":".join(client).encode()).decode()
    answer = flask_app.test_client().post(
        TOKEN,
        data={"grant_type": "client_credentials", **ask},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.status_code == 200, answer.text
    return f"Bearer {answer.json['access_token']}"


class Reader:
    """Asks one service, and knows what is in it."""

    def __init__(self, flask_app: Any, world: worlds.World) -> None:
        self.app = flask_app
        self.world = world
        self.http = flask_app.test_client()
        self.tokens: dict[Any, str] = {}
        self.whole = {
            collection: [full(collection, item) for item in items]
            for collection, items in world.items()
        }
        self.seen: dict[tuple[str, int, str], Object] = {}

    @property
    def service(self) -> Any:
        """The settings and the database."""
        return app.service.service_of(self.app)

    def token(self, tenant: int = 1, **ask: str) -> str:
        """A viewer's token for `tenant`."""
        key = (tenant, *sorted(ask.items()))
        if key not in self.tokens:
            self.tokens[key] = bearer(self.app, tenant, **ask)
        return self.tokens[key]

    def get(self, path: str, query: bytes | str = b"", tenant: int = 1, **options: Any) -> Any:
        """The answer to a GET below the base path; `query` goes out as it is."""
        raw = query if isinstance(query, bytes) else query.encode()
        headers = {"Authorization": self.token(tenant), **options.pop("headers", {})}
        environ = {"QUERY_STRING": raw.decode("latin-1")}
        return self.http.get(
            f"{BASE}/{path}", environ_overrides=environ, headers=headers, **options
        )

    def page(self, path: str, query: bytes | str = b"", tenant: int = 1) -> Any:
        """The body of a list's answer, whose envelope is checked."""
        answer = self.get(path, query, tenant)
        assert answer.status_code == 200, (query, answer.text)
        body = json.loads(answer.data)
        assert set(body) == {"items", "size", "timeStamp", "paging"}, query
        assert body["size"] == len(body["items"]), query
        assert set(body["paging"]) == {"cursors"}, query
        return body

    def walk(self, path: str, query: str, limit: int, tenant: int = 1) -> list[Object]:
        """All the items, page by page; each page but the last is full, no token comes twice."""
        body = self.page(path, f"{query}&limit={limit}".lstrip("&"), tenant)
        items, seen = body["items"], set()
        while after := body["paging"]["cursors"].get("after"):
            assert len(body["items"]) == limit, query
            assert after not in seen, query
            seen.add(after)
            body = self.page(path, f"limit={limit}&after={after}", tenant)
            assert body["items"], query
            items += body["items"]
        return items

    def expected(self, collection: str, ask: Ask, tenant: int = 1) -> list[Object]:
        """The items that the model shows for `ask`."""
        found = listed(self.whole[collection], ask, worlds.PATHS[tenant])
        return [self.shown(collection, item, ask.lod) for item in found]

    def shown(self, collection: str, item: Object, lod: str) -> Object:
        """What the model shows of a full object, remembered."""
        key = (collection, item["id"], lod)
        if key not in self.seen:
            self.seen[key] = shown(collection, item, lod)
        return self.seen[key]

    def errors(self, path: str, query: bytes | str, tenant: int = 1) -> list[dict[str, str]]:
        """The faults that a refused query is told, whose answer's shape is checked."""
        answer = self.get(path, query, tenant)
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json["code"] == "bad_request", (query, answer.text)
        return list(answer.json["errors"])


def faults(collection: str, raw: bytes) -> set[str | None]:
    """The parameters that the grammar finds at fault."""
    try:
        oracle_grammar.read(collection, raw)
    except Refused as refused:
        return refused.names
    return set()


def served(url: str, folder: Path, secret: str = "a secret of the tests, long enough") -> Any:
    """The application on the database at `url`."""
    return create_app(
        {
            "TASKS_DATABASE_URL": url,
            "TASKS_INSTANCE_PATH": str(folder),
            "TASKS_SECRET_KEY": secret,
            # What is right is asked here, by bad plans too, on machines that are busy.
            "TASKS_QUERY_SECONDS": 60,
        }
    )


def load(flask_app: Any, world: worlds.World, folder: Path) -> None:
    """Put a world into the service as an operator does; the root tenant takes its name there."""
    root, database = worlds.TENANTS[1], app.service.service_of(flask_app).database
    row = {Tenant.uuid: UUID(root["uuid"]).bytes, Tenant.name: root["name"]}
    database.change(Tenant.update(row).where(Tenant.id == 1))
    file = folder / "world.ndjson"
    lines = [json.dumps(item) for item in (*world["tasks"], *world["activities"])]
    file.write_text("\n".join(lines), encoding="utf-8")
    with flask_app.app_context():
        result = flask_app.test_cli_runner().invoke(args=["import", str(file), "--json"])
    assert result.exit_code == 0, (result.output, result.exception)


def own_database(engine: Any, name: str) -> str:
    """The address of a migrated database that no other test empties."""
    if isinstance(engine, engines.SqliteEngine):
        return engine.fresh()
    url = engine.recreate(f"{engine.name}_{name}")
    engines.migrate(url)
    return url


def reader_of(engine: Any, folder: Path) -> Iterator[Reader]:
    """A reader of a world on an engine's own database."""
    flask_app = served(own_database(engine, "world"), folder)
    load(flask_app, worlds.world(1), folder)
    yield Reader(flask_app, worlds.world(1))
    app.service.service_of(flask_app).database.close()


@pytest.fixture(scope="session")
def sqlite_reader(sqlite_engine: Any, tmp_path_factory: Any) -> Iterator[Reader]:
    """A reader of a world that every test of a process shares; on SQLite."""
    yield from reader_of(sqlite_engine, tmp_path_factory.mktemp("reading"))


@pytest.fixture(scope="session")
def mysql_reader(mysql_engine: Any, tmp_path_factory: Any) -> Iterator[Reader]:
    """The same on MySQL."""
    yield from reader_of(mysql_engine, tmp_path_factory.mktemp("reading"))


@pytest.fixture(scope="session", params=["sqlite", "mysql"])
def reader(request: pytest.FixtureRequest) -> Any:
    """The same on each engine."""
    return request.getfixturevalue(f"{request.param}_reader")
