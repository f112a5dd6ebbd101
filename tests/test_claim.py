"""POST /tasks/claim."""

import threading
import time
from heapq import heappush

import pytest
from commands import Commands
from test_import import task
from writers import Writer

from app.api import waiting as waiting_room
from app.api.waiting import AT_ONCE, room_of
from app.errors import Unavailable
from app.repository.work import arrivals, candidates, claiming
from app.turns import Turns

WAYS = (((128, 400),), ((0, 400),), ((0, 1),), ((0, 1), (1, 2)), ())
"""Ways to look for candidates: by lanes, by long and short walks, and by all lanes at last."""


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def test_it_works(writer):
    made = writer.enqueue(argument={"x": 1})
    body = {"executor": {"id": "a1", "clusterId": "c1"}}
    answer = writer.call("POST", "tasks/claim", body, role="consumer")
    [item] = answer.json["items"]
    lease = item.pop("lease")
    assert item == writer.task(made["id"], "full")
    assert (item["state"], item["executor"]) == ("assigned", {"id": "a1", "clusterId": "c1"})
    assert (item["assignCount"], item["assignedAt"]) == (1, item["updatedAt"])
    shown = writer.task(made["id"])
    assert shown["lease"] == {
        "executor": {"id": "a1", "clusterId": "c1"}, "fence": 1, "expiresAt": lease["expiresAt"]
    }  # fmt: skip
    assert shown["attempts"] == [
        {"number": 1, "executor": body["executor"], "assignedAt": item["assignedAt"]}
    ]
    assert lease["token"] not in str(shown)
    assert writer.claim() == []


@pytest.mark.parametrize("ways", WAYS)
def test_the_most_urgent_comes_first_whatever_the_queue(writer, ways, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ways)
    asked = [("low", "a"), ("high", "b"), ("normal", "a"), ("high", "a"), ("normal", "c")]
    ids = [writer.enqueue(priority=priority, queue=queue)["id"] for priority, queue in asked]
    order = [ids[place] for place in (1, 3, 2, 4, 0)]
    assert [item["id"] for item in writer.claim(2)] == order[:2]
    assert [item["id"] for item in writer.claim(queues=["c", "a"])] == order[2:3]
    assert [item["id"] for item in writer.claim(100)] == order[3:]


def test_what_was_imported_is_handed_out_in_order(writer, engine, tmp_path):
    """However much it is, and before upkeep has seen it."""
    objects = [
        task(number, tenant={"id": "2"}, priority=("low", "high")[number > 250],
             enqueuedAt=f"2026-01-01T00:00:{60 - number % 60 - 1:02}Z")
        for number in range(1, 301)
    ]  # fmt: skip
    Commands(engine, tmp_path).load(*objects)
    objects.sort(key=lambda one: (one["priority"] != "high", one["enqueuedAt"], one["id"]))
    got = [item["id"] for limit in (1, 2, 60) for item in writer.claim(limit)]
    assert got == [one["id"] for one in objects[:63]]


@pytest.mark.parametrize("ways", WAYS)
def test_a_claim_gets_what_it_may_have_and_nothing_else(writer, ways, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ways)
    for agent in ("", "a1", "a2"):
        for cluster in ("", "c1", "c2"):
            affinity = {"agentId": agent, "clusterId": cluster}
            writer.enqueue(type=f"{agent}/{cluster}", affinity=affinity)
    rights = {
        ("a1", "c1"): {"/", "a1/", "/c1", "a1/c1"},
        ("a2", None): {"a2/"},
        ("a3", "c2"): {"/c2"},
        ("a1", None): set(),
        ("a1", "c2"): {"a1/c2"},
    }
    for (agent, cluster), types in rights.items():
        executor = {"id": agent} | ({"clusterId": cluster} if cluster else {})
        assert {item["type"] for item in writer.claim(100, executor)} == types


@pytest.mark.parametrize("ways", WAYS)
def test_a_claim_sees_its_own_tenants_alone(writer, ways, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ways)
    made = {}
    for tenant in (1, 2, 3, 4):
        answer = writer.call("POST", "tasks", {"type": "t"}, role="issuer", tenant=tenant)
        made[tenant] = answer.json["id"]
    body = {"executor": {"id": "a"}, "limit": 100}
    for tenant, owners in ((3, [3]), (2, [2]), (4, [4]), (1, [1])):
        answer = writer.call("POST", "tasks/claim", body, role="consumer", tenant=tenant)
        assert [item["id"] for item in answer.json["items"]] == [made[one] for one in owners]


@pytest.mark.parametrize(
    ("asked", "got"),
    [({"types": ["x"]}, {"x"}), ({"types": ["y", "nothing"]}, {"y"}), ({"types": ["no"]}, set()),
     ({"queues": ["no"]}, set()), ({"queues": ["q"], "types": ["y"]}, set()), ({}, {"x", "y"})],
)  # fmt: skip
def test_queues_and_types_are_filters(writer, asked, got):
    writer.enqueue(type="x", queue="q")
    writer.enqueue(type="y")
    assert {item["type"] for item in writer.claim(9, **asked)} == got


def test_of_many_claimers_each_task_goes_to_one(writer):
    items = {"items": [{"type": "t"}] * 40}
    assert writer.call("POST", "tasks/bulk", items).status_code == 201
    writer.bearer("consumer")
    got, lock = [], threading.Lock()

    def work(number):
        while mine := writer.claim(3, {"id": f"a{number}"}):
            with lock:
                got.extend(item["id"] for item in mine)
        writer.database.rest()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 40


def waiting(writer, **body):
    """A claim in a thread of its own -> the thread, and where its answer and seconds will be."""
    answers, others = [], len(room_of(writer.app).waiters)

    def ask():
        began = time.monotonic()
        found = writer.claim(**body)
        answers.append((found, time.monotonic() - began))
        writer.database.rest()

    thread = threading.Thread(target=ask)
    thread.start()
    room = room_of(writer.app)
    deadline = time.monotonic() + 5
    while len(room.waiters) == others and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(room.waiters) > others
    return thread, answers


def test_a_waiting_claim_is_woken_by_an_enqueue(writer):
    writer.bearer("consumer"), writer.bearer("issuer")
    thread, answers = waiting(writer, wait=10)
    made = writer.enqueue()
    thread.join(9)
    assert [item["id"] for item in answers[0][0]] == [made["id"]]
    assert not room_of(writer.app).waiters


def test_who_is_woken_again_while_he_takes_something_wakes_the_next(writer, monkeypatch):
    """He may have no more, and nobody else has heard of it."""
    room, claim = room_of(writer.app), claiming.claim
    taking, taken = threading.Event(), threading.Event()
    monkeypatch.setattr(waiting_room, "ASKED_SECONDS", 60)
    room.asked = time.monotonic()

    def slow(*given):
        if found := claim(*given):
            taking.set()
            assert taken.wait(9)
        return found

    writer.bearer("consumer"), writer.bearer("issuer")
    crowd = [waiting(writer, wait=9) for _ in range(2)]
    monkeypatch.setattr(claiming, "claim", slow)
    made = [writer.enqueue()["id"]]
    assert taking.wait(9)
    made.append(writer.enqueue()["id"])
    taken.set()
    for thread, _ in crowd:
        thread.join(19)
    assert sorted(item["id"] for _, answers in crowd for item in answers[0][0]) == made
    assert max(answers[0][1] for _, answers in crowd) < 5


def test_a_crowd_waits_while_one_of_it_asks_for_all(writer, monkeypatch):
    room, looks = room_of(writer.app), []
    look = room.look
    writer.bearer("consumer")
    crowd = [waiting(writer, wait=20) for _ in range(4)]
    with room.asking:
        room.asked = time.monotonic() - 60
        monkeypatch.setattr(room, "look", lambda: looks.append(1) or look())
        time.sleep(waiting_room.ASKED_SECONDS + 0.2)
    room.dismiss()
    for thread, _ in crowd:
        thread.join(9)
    assert len(looks) <= 3 * len(crowd)


def test_what_has_come_of_time_while_the_database_is_away_is_not_to_blame(writer, monkeypatch):
    def away(*_):
        raise Unavailable(reason="away")

    room = room_of(writer.app)
    writer.bearer("consumer"), writer.bearer("issuer")
    thread, answers = waiting(writer, wait=10)
    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "described", away)
        patch.setattr(waiting_room, "ASKED_SECONDS", 0.02)
        heappush(room.later, (0, (1, 1, 1, 0)))
        deadline = time.monotonic() + 5
        while room.later and time.monotonic() < deadline:
            time.sleep(0.005)
        thread.join(0.1)
        assert (room.later, thread.is_alive()) == ([], True)
    made = writer.enqueue()
    thread.join(9)
    assert [item["id"] for item in answers[0][0]] == [made["id"]]


def test_a_waiting_claim_sees_what_another_process_enqueues(writer, tmp_path):
    writer.bearer("consumer"), writer.bearer("issuer")
    thread, answers = waiting(writer, wait=10)
    writer.database.memory.clear()
    room_of(writer.app).on_queued = lambda *_: None
    made = writer.enqueue()
    thread.join(9)
    assert [item["id"] for item in answers[0][0]] == [made["id"]]


def test_a_crowd_that_another_process_enqueues_hides_no_other_task(writer):
    room = room_of(writer.app)
    writer.bearer("consumer"), writer.bearer("issuer")
    thread, answers = waiting(writer, wait=9, queues=["rare"])
    room.on_queued = lambda *_: None
    made = writer.enqueue(queue="rare")
    crowd = {"items": [{"type": "t", "queue": "many"}] * 900}
    assert writer.call("POST", "tasks/bulk", crowd, role="issuer").status_code == 201
    thread.join(15)
    assert [item["id"] for item in answers[0][0]] == [made["id"]]
    assert answers[0][1] < 4


def test_of_many_that_another_process_enqueues_all_who_wait_hear_at_once(writer, monkeypatch):
    room, recent, told = room_of(writer.app), arrivals.recent, []
    writer.bearer("consumer"), writer.bearer("issuer")
    monkeypatch.setattr(arrivals, "recent", lambda *given: told.append(1) or recent(*given))
    crowd = [waiting(writer, wait=9) for _ in range(6)]
    room.on_queued = lambda *_: None
    del told[:]
    items = {"items": [{"type": "t"}] * 6}
    assert writer.call("POST", "tasks/bulk", items, role="issuer").status_code == 201
    for thread, _ in crowd:
        thread.join(15)
    assert len({item["id"] for _, answers in crowd for item in answers[0][0]}) == 6
    assert len(told) <= 3


def test_what_came_while_the_database_was_away_is_heard_of_afterwards(writer, monkeypatch):
    """However long that was: nobody tells a second time."""
    room, asked, recent = room_of(writer.app), [], arrivals.recent
    monkeypatch.setattr(waiting_room, "ASKED_SECONDS", 0.02)

    def away(database, since, now):
        asked.append((since, now))
        if len(asked) < 4:
            raise Unavailable(reason="away")
        return recent(database, since, now)

    writer.bearer("consumer"), writer.bearer("issuer")
    thread, answers = waiting(writer, wait=10)
    monkeypatch.setattr(arrivals, "recent", away)
    room.on_queued = lambda *_: None
    made = writer.enqueue()
    thread.join(9)
    assert [item["id"] for item in answers[0][0]] == [made["id"]]
    first = asked[0][0]
    assert [since for since, _ in asked[:4]] == [first] * 4
    assert first <= asked[0][1]


def test_all_who_wait_hear_of_an_import(writer, engine, tmp_path):
    """Its tasks may be of any age, and no upkeep has looked at them yet."""
    writer.bearer("consumer")
    crowd = [waiting(writer, wait=9) for _ in range(3)]
    lines = [
        task(number, tenant={"id": "2", "locator": "/1/2/"}, updatedAt="2020-04-22")
        for number in (1, 2, 3)
    ]
    began = time.monotonic()
    assert Commands(engine, tmp_path).load(*lines)["tasks"] == 3
    spent = time.monotonic() - began
    for thread, _ in crowd:
        thread.join(15)
    assert len({item["id"] for _, answers in crowd for item in answers[0][0]}) == 3
    assert max(answers[0][1] for _, answers in crowd) < spent + 2


def test_who_has_heard_nothing_for_long_looks_nevertheless(writer, monkeypatch):
    monkeypatch.setattr(waiting_room, "ASKED_SECONDS", 0.02)
    monkeypatch.setattr(waiting_room, "ALONE_SECONDS", 0.1)
    monkeypatch.setattr(arrivals, "recent", lambda *_: [])
    writer.bearer("consumer"), writer.bearer("issuer")
    thread, answers = waiting(writer, wait=10)
    room_of(writer.app).on_queued = lambda *_: None
    made = writer.enqueue()
    thread.join(9)
    assert [item["id"] for item in answers[0][0]] == [made["id"]]
    assert answers[0][1] < 5


def test_a_waiting_claim_gets_what_becomes_ready(writer):
    writer.bearer("consumer"), writer.bearer("issuer")
    task, lease = writer.held()
    thread, answers = waiting(writer, wait=10)
    assert writer.step(task, "enqueued", lease, {"delay": 0.3}).status_code == 200
    thread.join(9)
    [item] = answers[0][0]
    assert item["id"] == task
    assert item["assignedAt"] >= item["notBefore"]


def test_waiting_ends_with_nothing(writer):
    began = time.monotonic()
    assert writer.claim(wait=0.2) == []
    assert 0.2 <= time.monotonic() - began < 3


def test_a_crowd_that_is_woken_together_looks_a_few_at_a_time(writer, monkeypatch):
    inside, most = [], []
    claim = claiming.claim

    def counted(*given):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        found = claim(*given)
        inside.pop()
        return found

    monkeypatch.setattr(claiming, "claim", counted)
    writer.bearer("consumer"), writer.bearer("issuer")
    crowd = [waiting(writer, wait=20) for _ in range(12)]
    items = {"items": [{"type": "t"}] * 12}
    assert writer.call("POST", "tasks/bulk", items, role="issuer").status_code == 201
    for thread, _ in crowd:
        thread.join(19)
    assert len({item["id"] for _, answers in crowd for item in answers[0][0]}) == 12
    assert max(most) <= AT_ONCE


def test_who_never_gets_his_turn_is_told_to_come_again(writer, monkeypatch):
    monkeypatch.setattr(writer.database, "timeout", 0.01)
    room = room_of(writer.app)
    turns = [room.turns.enter() for _ in range(AT_ONCE)]
    assert turns == [None] * AT_ONCE
    answer = writer.call("POST", "tasks/claim", {"executor": {"id": "a"}}, role="consumer")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    for _ in turns:
        room.turns.leave()
    assert writer.claim() == []


def test_a_turn_is_not_lost_where_the_wait_for_it_fails(writer, monkeypatch):
    room = room_of(writer.app)
    for _ in range(AT_ONCE):
        room.turns.enter()

    def broken():
        raise Unavailable(reason="away")

    with monkeypatch.context() as patch:
        patch.setattr(writer.database, "release", broken)
        with pytest.raises(Unavailable), room.turn():
            pass
    for _ in range(AT_ONCE):
        room.turns.leave()
    assert (room.turns.free, len(room.turns.line)) == (AT_ONCE, 0)


def test_turns_come_in_order():
    turns = Turns(1)
    assert turns.enter() is None
    first, second, third = (turns.enter() for _ in range(3))
    assert turns.give_up(second)
    turns.leave()
    assert (first.is_set(), third.is_set()) == (True, False)
    assert not turns.give_up(first)
    turns.leave()
    assert third.is_set()
    turns.leave()
    assert turns.enter() is None


def test_who_waits_is_sent_home_when_the_server_stops(writer):
    writer.bearer("consumer")
    thread, answers = waiting(writer, wait=30)
    room_of(writer.app).dismiss()
    thread.join(9)
    assert answers[0][0] == []
    assert writer.claim(wait=30) == []


def test_who_finds_no_place_to_wait_is_answered_at_once(engine, tmp_path):
    writer = Writer(engine, tmp_path, TASKS_WAITING_CLAIMS="0")
    assert writer.claim(wait=30) == []
    writer.close()


@pytest.mark.parametrize(
    ("body", "place"),
    [({}, "executor"), ({"executor": {}}, "executor.id"), ({"executor": {"id": ""}}, "executor.id"),
     ({"queues": []}, "queues"), ({"types": []}, "types"), ({"queues": [1]}, "queues[0]"),
     ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": True}, "limit"),
     ({"wait": 31}, "wait"), ({"wait": -1}, "wait"), ({"wait": "1"}, "wait"),
     ({"executor": {"id": "a", "x": 1}}, "executor.x"), ({"queue": "x"}, "queue")],
)  # fmt: skip
def test_a_malformed_claim_is_refused(writer, body, place):
    whole = body if "executor" in body or not body else {"executor": {"id": "a"}, **body}
    answer = writer.call("POST", "tasks/claim", whole, role="consumer")
    assert answer.status_code == 400
    assert [row["parameter"] for row in answer.json["errors"]] == [place]
