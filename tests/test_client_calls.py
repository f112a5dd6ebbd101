"""What published clients send, replayed over the wire against gunicorn, and what they rely on.

Every answer of every call is also looked at as a whole: one line, no nulls, times with nine digits,
ids with their twins, and exactly the rows in exactly the order that the model gives.
"""

import re
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import client_world
import oracle
import oracle_grammar
import pytest
import reading
import requests
from client_calls import CALLS, REFUSED
from services import SECRET, running
from test_answers import paths
from worlds import uuid

from app import service

pytestmark = pytest.mark.xdist_group("clients")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Wire:
    """A gunicorn with the clients' data behind it."""

    def __init__(self, url: str, service_url: str, folder: Any) -> None:
        """`url`: of the database, which is filled here."""
        self.url = service_url
        flask_app = reading.served(url, folder, SECRET)
        self.world = client_world.world(time.time_ns())
        reading.load(flask_app, self.world, folder)
        self.client = reading.client_of(flask_app, client_world.PARTNER)
        database = service.service_of(flask_app).database
        self.add_user(flask_app)
        database.close()
        self.bearer = f"Bearer {self.token('grant_type=client_credentials').json()['access_token']}"
        self.words = self.placeholders()
        self.whole = {
            name: [oracle.full(name, item) for item in items] for name, items in self.world.items()
        }

    def add_user(self, flask_app: Any) -> None:
        """Somebody with a password."""
        arguments = ["users", "create", "--login", "pat", "--password-stdin", "--scope", "viewer"]
        tenant = ["--tenant", uuid(client_world.PARTNER)]
        with flask_app.app_context():
            runner = flask_app.test_cli_runner()
            result = runner.invoke(args=[*arguments, *tenant], input="open the door\n")
        assert result.exit_code == 0, result.output

    def placeholders(self) -> dict[str, str]:
        """What stands in the queries for things that differ from day to day."""
        now = datetime.now(UTC)
        month = now.replace(day=1)
        following = (month + timedelta(days=32)).replace(day=1)
        midnights = {
            "week": now - timedelta(days=7), "yesterday": now - timedelta(days=1),
            "month": month, "next_month": following,
        }  # fmt: skip
        words = {name: f"{day:%Y-%m-%dT00:00:00Z}" for name, day in midnights.items()}
        done = next(item for item in self.world["tasks"] if item["state"] == "completed")
        steps = [item for item in self.world["activities"] if item["taskId"] == done["id"]]
        return words | {
            "week_enc": quote(words["week"], safe=""), "resource": client_world.RESOURCE,
            "task": str(done["id"]), "task_uuid": done["uuid"], "tenant": uuid(client_world.FIRST),
            "activity_uuid": (steps or self.world["activities"])[0]["uuid"],
        }  # fmt: skip

    def token(self, body: str, basic: bool = True) -> requests.Response:
        """The answer of the token endpoint."""
        proof = b64encode(":".join(self.client).encode()).decode()
        headers = FORM | ({"Authorization": f"Basic {proof}"} if basic else {})
        return requests.post(f"{self.url}{reading.TOKEN}", body, headers=headers, timeout=10)

    def get(self, path: str, query: str, **headers: str) -> requests.Response:
        """The answer to a GET, the query as it stands."""
        address = f"{self.url}{reading.BASE}/{path}" + (f"?{query}" if query else "")
        request = requests.Request("GET", address, headers={"Authorization": self.bearer} | headers)
        prepared = request.prepare()
        prepared.url = address
        with requests.Session() as session:
            return session.send(prepared, timeout=10)

    def expected(self, path: str, query: str) -> list[oracle.Object]:
        """What the model says the partner sees."""
        ask = oracle_grammar.read(path, query.encode())
        found = oracle.listed(self.whole[path], ask, f"/1/{client_world.PARTNER}/")
        return [oracle.shown(path, item, ask.lod) for item in found]


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def wire(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Wire]:
    engine = request.getfixturevalue(f"{request.param}_engine")
    url = reading.own_database(engine, "clients")
    folder = tmp_path_factory.mktemp("clients")
    with running(url, folder) as started:
        yield Wire(url, started.url, folder)


def sound(answer: requests.Response) -> dict[str, Any]:
    """The body of a list's answer, every member of which is as clients need it."""
    assert answer.status_code == 200, answer.text
    assert not {b"\n", b"\r"} & {bytes([byte]) for byte in answer.content}
    body = answer.json()
    assert not body.keys() & {"code", "domain"}
    assert body["size"] == len(body["items"])
    after = body["paging"]["cursors"].get("after", "A" * 16)
    assert TOKEN.fullmatch(after)
    for path, value in paths(body):
        assert value is not None, path
        assert not path.endswith("At") or TIME.fullmatch(value), path
    for item in body["items"]:
        assert str(item["id"]) == item["idString"]
        assert isinstance(item.get("progress", {}), dict)
    return dict(body)


def instant(value: Any) -> Any:
    """Times as moments, all else as it is."""
    try:
        return oracle_grammar.when(value)
    except (ValueError, TypeError):
        return value


def holds(item: dict[str, Any], path: str, comparison: str, value: Any) -> bool:
    """Whether what stands at `path` compares so."""
    found = oracle.at(item, path)
    return {
        "present": lambda: found is not None,
        "absent": lambda: found is None,
        "eq": lambda: found == value,
        "in": lambda: found in value,
        "gt": lambda: instant(found) > instant(value),
        "ge": lambda: instant(found) >= instant(value),
        "lt": lambda: instant(found) < instant(value),
        "icontains": lambda: value.casefold() in found.casefold(),
    }[comparison]()


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_client_gets_the_rows_that_it_asks_for(wire, call):
    query = call.query.format(**wire.words)
    bodies = [sound(wire.get(call.path, query, **call.sent))]
    while call.then and (after := bodies[-1]["paging"]["cursors"].get("after")):
        words = {"after": after, "after_enc": quote(after, safe="")}
        bodies.append(sound(wire.get(call.path, call.then.format(**words), **call.sent)))
    items = [item for body in bodies for item in body["items"]]
    expected = wire.expected(call.path, query)
    assert expected
    assert items == (expected if call.then else expected[: len(items)])
    ends = "after" not in bodies[-1]["paging"]["cursors"]
    assert ends == (len(items) == len(expected))
    assert [body["size"] for body in bodies[:-1]] == [call.page] * (len(bodies) - 1)
    for path, comparison, value in call.every:
        told = value.format(**wire.words) if isinstance(value, str) else value
        assert all(holds(item, path, comparison, told) for item in items), path
    assert any(item["id"] > 2**53 for item in items)


def test_pages_are_many_and_their_tokens_differ(wire):
    for path in ("tasks", "activities"):
        seen: list[str] = []
        cursors = sound(wire.get(path, "limit=200"))["paging"]["cursors"]
        while "after" in cursors:
            seen.append(cursors["after"])
            page = sound(wire.get(path, f"limit=200&after={cursors['after']}"))
            cursors = page["paging"]["cursors"]
        assert len(seen) == (len(wire.expected(path, "")) - 1) // 200
        assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(("path", "query", "named"), REFUSED)
def test_what_the_service_does_not_know_is_refused_and_named(wire, path, query, named):
    answer = wire.get(path, query.format(**wire.words))
    body = answer.json()
    assert answer.status_code == 400
    assert b"\n" not in answer.content
    assert body.keys() >= {"domain", "code", "message"}
    assert body["error"].keys() >= {"code", "message"}
    assert named in body["message"]
    assert "items" not in body


@pytest.mark.parametrize("path", ["tasks", "activities"])
@pytest.mark.parametrize("query", ["state=completed", "resultCode=error", "order=asc(id)"])
def test_a_count_is_exact(wire, path, query):
    body = wire.get(path, f"lod=count&{query}").json()
    expected = len(wire.expected(path, query))
    assert (body["count"], body["size"], body["items"]) == (expected, expected, [])


@pytest.mark.parametrize(
    ("path", "key"), [("tasks", "task"), ("tasks", "task_uuid"), ("activities", "activity_uuid")]
)
def test_one_object_stands_alone(wire, path, key):
    answer = wire.get(f"{path}/{wire.words[key]}", "")
    assert answer.status_code == 200
    assert b"\n" not in answer.content
    assert wire.words[key] in (answer.json()["idString"], answer.json()["uuid"])
    assert all(value is not None for _, value in paths(answer.json()))


def test_a_caller_with_a_spent_token_is_told_to_renew_it(wire):
    answer = wire.get("activities", "limit=200", Authorization="Bearer expired-or-garbage")
    assert answer.status_code == 401
    assert b"\n" not in answer.content


@pytest.mark.parametrize(
    ("body", "basic"),
    [
        ("grant_type=client_credentials", True),
        ("grant_type=client_credentials&scope=openid", True),
        ("grant_type=password&username=pat&password=open+the+door&scope=offline_access", False),
    ],
)  # fmt: skip
def test_a_token_is_got_without_naming_a_scope(wire, body, basic):
    answer = wire.token(body, basic)
    assert answer.status_code == 200, answer.text
    assert b"\n" not in answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    said = answer.json()
    assert said["token_type"].lower() == "bearer"
    assert said["expires_on"] >= time.time() + 901
    assert said["expires_in"] > 0
    listed = wire.get("tasks", "lod=count", Authorization=f"Bearer {said['access_token']}")
    assert listed.json()["count"] == len(wire.expected("tasks", ""))


def test_a_token_for_one_customer_sees_that_customer_alone(wire):
    scope = quote(f"urn:acronis.com:tenant-id:{wire.words['tenant']}", safe="")
    said = wire.token(f"grant_type=client_credentials&scope={scope}").json()
    page = wire.get("tasks", "", Authorization=f"Bearer {said['access_token']}").json()
    assert {item["tenant"]["uuid"] for item in page["items"]} == {wire.words["tenant"]}
    foreign = f"urn:acronis.com:tenant-id:{uuid(client_world.STRANGER)}"
    refused = wire.token(f"grant_type=client_credentials&scope={quote(foreign)}")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
