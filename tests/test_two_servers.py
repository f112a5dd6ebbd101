"""Two servers on one database: whatever one of them began, the other goes on with."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import identities
import pytest
import requests
import services
from writers import BASE, SECOND, Writer, uuid_of

from app import clock, config
from app.auth.keys import rotate
from app.repository import credentials, tenants
from app.repository.timers import upkeep
from app.repository.timers.leading import Candidate

HANDOVER_SECONDS = 12
"""How late a timer may fire when the one who leads dies."""


class Second(Writer):
    """Another server of the same deployment, with callers of its own."""

    def fill(self):
        """All is there already."""


@pytest.fixture
def both(engine, tmp_path):
    """Two applications that share nothing but the database and the settings."""
    made = [kind(engine, tmp_path) for kind in (Writer, Second)]
    made[1].tokens = made[0].tokens
    for role in ("issuer", "consumer", "viewer", "admin"):
        made[0].bearer(role)
    yield made
    for one in made:
        one.close()


def at_once(*acts):
    """What all acts answer, begun together, each in a thread of its own."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result() for one in [pool.submit(act) for act in acts]]


def test_a_page_token_continues_the_list_on_the_other_server(both):
    made = [both[0].enqueue()["id"] for _ in range(5)]
    seen, after = [], ""
    for place in range(3):
        page = both[place % 2].call("GET", f"tasks?limit=2{after}", role="viewer").json
        seen += [item["id"] for item in page["items"]]
        after = f"&after={page['paging']['cursors'].get('after')}"
    assert seen == made


def test_what_one_has_just_written_the_other_shows(both):
    for place in range(4):
        one, other = both[place % 2], both[(place + 1) % 2]
        body = {
            "type": f"type {place}",
            "queue": f"queue {place}",
            "startedByUser": f"user {place}",
            "tags": [f"tag {place}"],
            "resource": {"id": "r", "name": f"ä {place}"},
        }
        made = one.enqueue(**body)
        assert other.task(made["id"]) == made
        query = f"type=type%20{place}&tag=tag%20{place}&resourceName=like(Ä {place})&lod=debug"
        found = other.call("GET", f"tasks?{query}", role="viewer").json["items"]
        assert found == [made]


def test_a_lease_holds_on_either_server_and_is_void_on_both(both):
    first, second = both
    task, lease = first.held()
    assert second.step(task, "started", lease).status_code == 200
    assert first.step(task, "heartbeat", lease).status_code == 200
    assert second.step(task, "enqueued", lease).status_code == 200
    [item] = second.claim()
    late = first.step(task, "completed", lease, {"result": {"code": "ok"}})
    assert (late.status_code, late.json["code"]) == (409, "lease_lost")
    fresh = item["lease"]["token"]
    done = first.step(task, "completed", fresh, {"result": {"code": "ok"}})
    again = second.step(task, "completed", fresh, {"result": {"code": "ok"}})
    assert (done.status_code, again.json) == (200, done.json)


def test_of_claims_at_both_at_once_each_gets_tasks_of_its_own(both):
    for _ in range(20):
        both[0].enqueue()
    taken = at_once(*(lambda one=one: drained(one) for one in both))
    ids = [task for some in taken for task in some]
    assert len(ids) == len(set(ids)) == 20


def drained(one):
    """Numbers of all tasks that a server hands out, several at a time."""
    ids = []
    while items := one.claim(3):
        ids += [item["id"] for item in items]
    return ids


def test_a_uuid_sent_to_both_at_once_is_one_task(both):
    for number in range(1, 6):
        body = {"type": "t", "uuid": uuid_of(number)}
        answers = at_once(
            *(lambda one=one, body=body: one.call("POST", "tasks", body, role="issuer")
              for one in both)
        )  # fmt: skip
        assert sorted(answer.status_code for answer in answers) == [200, 201]
        assert answers[0].json["id"] == answers[1].json["id"]


def test_numbers_given_out_by_both_at_once_never_meet(both):
    body = {"items": [{"type": "t"}] * 50}
    answers = at_once(
        *(lambda one=one: one.call("POST", "tasks/bulk", body, role="issuer")
          for one in both * 4)
    )  # fmt: skip
    assert {answer.status_code for answer in answers} == {201}
    assert len({item["id"] for answer in answers for item in answer.json["items"]}) == 400


def claimed(one, key, limit=1):
    body = {"executor": {"id": "a1"}, "limit": limit, "wait": 0}
    headers = {"headers": {"Idempotency-Key": key}}
    return one.call("POST", "tasks/claim", body, role="consumer", **headers)


def test_an_idempotency_key_gets_the_same_tasks_from_either_server(both):
    for _ in range(4):
        both[0].enqueue()
    got = claimed(both[0], "key").json["items"]
    assert claimed(both[1], "key").json["items"] == got
    assert claimed(both[1], "key", limit=2).json["code"] == "idempotency_conflict"
    pair = at_once(*(lambda one=one: claimed(one, "other").json["items"] for one in both))
    assert len(pair[0]) == 1
    assert pair[0] == pair[1]


def test_a_token_and_its_key_are_good_on_either_server(both):
    first, second = both
    settings = config.load({"TASKS_SECRET_KEY": identities.SECRET})
    old = first.bearer("viewer")
    rotate(first.database, settings, clock.now())
    second.tokens = {}
    fresh = second.bearer("viewer")
    published = [one.http.get("/api/2/idp/jwks").json for one in both]
    assert published[0] == published[1]
    assert len(published[0]["keys"]) == 2
    for one in both:
        for bearer in (old, fresh):
            answer = one.http.get(f"{BASE}/tasks", headers={"Authorization": bearer})
            assert answer.status_code == 200


def test_failures_are_counted_together(both):
    name, secret = credentials.create_client(
        both[0].database, "c", 2, [identities.VIEWER], clock.now()
    )

    def ask(one, word):
        form = {"grant_type": "client_credentials"}
        return one.http.post("/api/2/idp/token", data=form, auth=(name, word)).status_code

    assert [ask(both[place % 2], "wrong") for place in range(10)] == [401] * 10
    assert [ask(one, secret) for one in both] == [429, 429]


def test_a_client_that_one_disables_gets_no_token_of_the_other(both):
    name, secret = credentials.create_client(
        both[0].database, "c", 2, [identities.VIEWER], clock.now()
    )
    form = {"grant_type": "client_credentials"}
    ask = {"data": form, "auth": (name, secret)}
    assert both[1].http.post("/api/2/idp/token", **ask).status_code == 200
    credentials.disable_client(both[0].database, name, clock.now())
    assert both[1].http.post("/api/2/idp/token", **ask).status_code == 401


def test_a_tenant_that_one_renames_has_its_new_name_at_the_other(both):
    made = both[0].enqueue()
    assert both[1].task(made["id"])["tenant"]["name"] == "/1/2/"
    tenants.rename(both[0].database, tenants.by_ids(both[0].database, {2})[2], "new")
    for one in both:
        assert one.task(made["id"])["tenant"]["name"] == "new"


def test_one_of_both_leads_and_the_other_follows_it(both):
    candidates = [Candidate(upkeep.DUTY, name) for name in ("one", "two")]

    def turns(at, steady, who=(0, 1)):
        done = [upkeep.lead(both[place].database, candidates[place], at, steady) for place in who]
        return [turn is not None for turn in done]

    now = clock.now()
    assert turns(now, 0.0) == [True, False]
    assert turns(now + SECOND // 2, 0.5) == [True, False]
    # It dies; whoever has seen no beat for a while takes over, within ten seconds.
    leading = [turns(now + tenth * SECOND // 10, tenth / 10, (1,))[0] for tenth in range(10, 100)]
    assert leading.index(True) <= 90
    assert turns(now + 10 * SECOND, 10.0) == [False, True]


def test_a_timer_fires_once_though_both_look_at_the_same_time(both):
    ids = []
    for _ in range(10):
        both[0].enqueue(ackTimeout=1, maxAssignCount=9)
    ids = [item["id"] for item in both[0].claim(10)]
    later = clock.now() + 2 * SECOND
    turns = at_once(*(lambda one=one: upkeep.turn(one.database, later) for one in both))
    assert sum(turn.fired for turn in turns) == 10
    for task in ids:
        seen = both[1].task(task)
        assert [attempt["outcome"] for attempt in seen["attempts"]] == ["ack"]
        assert (seen["state"], seen["assignCount"]) == ("enqueued", 1)


def test_a_claim_that_waits_hears_of_what_comes_at_the_other_server(both):
    def wait():
        items = both[0].claim(wait=5)
        return [item["id"] for item in items], time.monotonic()

    def enqueue():
        time.sleep(0.5)
        return both[1].enqueue()["id"], time.monotonic()

    (got, at), (made, since) = at_once(wait, enqueue)
    assert got == [made]
    assert at - since < 1.5


@pytest.fixture
def deployment(engine, tmp_path):
    """Two servers as processes, and a caller beside them."""
    caller = Writer(engine, tmp_path)
    for role in ("issuer", "consumer", "viewer"):
        caller.bearer(role)
    with (
        services.running(engine, tmp_path, **settings()) as first,
        services.running(engine, tmp_path, **settings()) as second,
    ):
        yield (first, second), caller
    caller.close()


def settings():
    return {
        "TASKS_SECRET_KEY": identities.SECRET,
        "TASKS_WORKERS": "1",
        "TASKS_PUBLIC_URL": "http://127.0.0.1:8080",
    }


@pytest.mark.xdist_group("serving")
def test_when_the_server_that_leads_is_killed_the_other_fires_the_timers(deployment):
    (first, second), caller = deployment
    holder = until(lambda: leader(caller), 20)
    leads = int(holder.split("-")[0]) in services.family(first.process.pid)
    dying, living = (first, second) if leads else (second, first)
    headers = {"Authorization": caller.bearer("issuer")}
    body = {"type": "t", "queueTimeout": 1}
    url = f"{living.url}{BASE}/tasks"
    task = requests.post(url, json=body, headers=headers, timeout=10).json()["id"]
    for pid in services.family(dying.process.pid):
        os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: caller.task(task)["state"] == "completed", HANDOVER_SECONDS + 5)
    assert time.monotonic() - began < HANDOVER_SECONDS + 1
    assert caller.task(task)["result"]["code"] == "timedout"


def leader(caller):
    found = caller.database.rows("SELECT holder FROM leaders WHERE duty = 'reaper'")
    caller.database.close()
    return found[0][0] if found else None


def until(act, seconds):
    """What `act` answers, once that is something."""
    deadline = time.monotonic() + seconds
    while not (found := act()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found
