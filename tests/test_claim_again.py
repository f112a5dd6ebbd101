"""Claims with an Idempotency-Key: asked again, they get the same."""

import threading
import time

import identities
import pytest
from identities import CONSUMER
from writers import Writer

from app.api import claims
from app.api.waiting import room_of
from app.auth.callers import Caller
from app.repository import credentials, tenants
from app.repository.work import claiming
from app.vocabulary import Scope


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def keyed(writer, key, role="consumer", headers=None, **body):
    asked = {"executor": {"id": "a1"}, **body}
    headers = {"Idempotency-Key": key, **(headers or {})}
    return writer.call("POST", "tasks/claim", asked, role=role, headers=headers)


def test_the_same_key_gets_the_same_tasks_while_their_leases_live(writer):
    assert keyed(writer, "k", limit=2).json["items"] == []
    for _ in range(4):
        writer.enqueue()
    first = keyed(writer, "k", limit=2).json["items"]
    assert keyed(writer, "k", limit=2).json["items"] == first
    done = {"result": {"code": "ok"}}
    ended = writer.step(first[0]["id"], "completed", first[0]["lease"]["token"], done)
    assert ended.status_code == 200
    assert [item["id"] for item in keyed(writer, "k", limit=2).json["items"]] == [first[1]["id"]]
    writer.step(first[1]["id"], "enqueued", first[1]["lease"]["token"])
    assert keyed(writer, "k", limit=2).json["items"] == []
    assert len(keyed(writer, "other", limit=9).json["items"]) == 3


@pytest.mark.parametrize("told", [True, False], ids=["same-process", "other-process"])
def test_of_two_who_wait_under_one_key_both_get_the_same(writer, told, monkeypatch):
    room, answers = room_of(writer.app), []
    if not told:
        monkeypatch.setattr(room, "answered", lambda key: None)
    writer.bearer("consumer"), writer.bearer("issuer")

    def ask():
        answers.append(keyed(writer, "k", wait=1).json["items"])
        writer.database.rest()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 5
    while len(room.waiters) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    made = writer.enqueue()
    for thread in threads:
        thread.join(9)
    assert [item["id"] for item in answers[0]] == [made["id"]]
    assert answers[0] == answers[1]


def test_of_two_at_once_the_second_waits(writer, monkeypatch):
    """Each would take some of the tasks otherwise, and the first to end would decide for both."""
    answers, inside, most = [], [], []
    hold = claiming.hold

    def slow(*given):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.2)
        inside.pop()
        return hold(*given)

    monkeypatch.setattr(claiming, "hold", slow)
    writer.bearer("consumer")
    made = [writer.enqueue()["id"] for _ in range(4)]

    def ask():
        answers.append(keyed(writer, "k", limit=2).json["items"])
        writer.database.rest()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(9)
    assert most == [1]
    assert [[item["id"] for item in items] for items in answers] == [made[:2]] * 2


def test_a_key_that_got_nothing_in_the_end_is_not_remembered(writer, monkeypatch):
    made = writer.enqueue()["id"]
    with monkeypatch.context() as patch:
        patch.setattr(claiming, "hold", lambda *_: ([], []))
        assert keyed(writer, "k").json["items"] == []
    assert [item["id"] for item in keyed(writer, "k", limit=2).json["items"]] == [made]


def test_the_same_key_with_another_body_is_a_conflict_of_the_same_client_alone(writer):
    for _ in range(2):
        writer.enqueue()
    assert len(keyed(writer, "k").json["items"]) == 1
    answer = keyed(writer, "k", limit=2)
    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_conflict")
    assert len(keyed(writer, "k", "admin", limit=2).json["items"]) == 1


@pytest.mark.parametrize(
    "body",
    [b' {"limit" : 2, "executor": {"clusterId": "c", "id": "a"}}\n', b'{"executor": '
     b'{"id": "\\u0061", "clusterId": "c"}, "limit": 2, "wait": 0.0}'],
)  # fmt: skip
def test_a_body_is_the_same_however_it_is_written(writer, body):
    for _ in range(4):
        writer.enqueue()
    first = {"executor": {"id": "a", "clusterId": "c"}, "limit": 2}
    answers = [
        writer.call("POST", "tasks/claim", one, role="consumer", headers={"Idempotency-Key": "k"})
        for one in (first, body, {**first, "wait": 0})
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json == answers[1].json == answers[2].json


def test_a_key_hands_out_nothing_that_its_caller_may_not_see(writer):
    """One client may act in many subtrees and, the public one, for many users."""
    client = credentials.create_client(writer.database, "wide", 2, [CONSUMER], 1)
    below = f"urn:acronis.com:{identities.BELOW}:task_manager::consumer"
    tokens = [
        writer.http.post("/api/2/idp/token", data=asked, auth=client).json["access_token"]
        for asked in ({"grant_type": "client_credentials"},
                      {"grant_type": "client_credentials", "scope": below})
    ]  # fmt: skip
    made = writer.enqueue()
    answers = [
        keyed(writer, "k", headers={"Authorization": f"Bearer {token}"}).json["items"]
        for token in tokens
    ]
    assert [[item["id"] for item in items] for items in answers] == [[made["id"]], []]


@pytest.mark.parametrize("same", [("Ann", 2, "Bob", 2), ("Ann", 2, "Ann", 3)], ids=str)
def test_a_key_is_its_users_own(writer, same, monkeypatch):
    for _ in range(2):
        writer.enqueue(tenant={"uuid": str(identities.BELOW)})
    got = []
    for user, number in (same[:2], same[2:]):
        there = tenants.by_ids(writer.database, [number])[number]
        someone = Caller("public", user, frozenset((Scope.CONSUMER,)), there)
        monkeypatch.setattr(claims, "caller", lambda someone=someone: someone)
        got += keyed(writer, "k").json["items"]
    assert len({item["id"] for item in got}) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ü"])
def test_a_malformed_key_is_a_fault(writer, key):
    answer = keyed(writer, key, limit=0)
    assert answer.status_code == 400
    places = {row["parameter"] for row in answer.json["errors"]}
    assert places == {"Idempotency-Key", "limit"}
