"""A connection ends at COMMIT, landed or not: the caller gets what he asked for, once."""

from urllib.parse import urlsplit

import pytest
from relay import Loss, Relay
from writers import ROLES, Writer, uuid_of

from app import clock
from app.repository.timers import upkeep

OK = {"result": {"code": "ok", "payload": 1}}


class Shaky(Writer):
    """A caller of a service that has two ways to its database."""

    def __init__(self, url, folder):
        parts = urlsplit(url)
        self.ways = [Relay(parts.hostname, parts.port) for _ in range(2)]
        listed = ",".join(f"127.0.0.1:{way.port}" for way in self.ways)
        super().__init__(url.replace(f"{parts.hostname}:{parts.port}", listed), folder)
        for role in ROLES:
            self.bearer(role)

    def losing(self, nth, arrives):
        """From now on the `nth` COMMIT gets no answer."""
        loss = Loss(nth, arrives)
        for way in self.ways:
            way.loss = loss
        return loss

    def close(self):
        super().close()
        for way in self.ways:
            way.cut()


@pytest.fixture
def writer(mysql_engine, tmp_path):
    made = Shaky(mysql_engine.fresh(), tmp_path)
    yield made
    made.close()


def new(writer):
    return writer.enqueue(type=f"type {clock.now()}")


def held(writer, *steps, **body):
    made = writer.enqueue(type=f"type {clock.now()}", **body)
    [item] = writer.claim(types=[made["type"]])
    task, lease = item["id"], item["lease"]["token"]
    for step in steps:
        assert writer.step(task, step, lease).status_code == 200
    return task, lease


def completed(writer):
    task, lease = held(writer)
    assert writer.step(task, "completed", lease, OK).status_code == 200
    return task


def activity(writer):
    task, lease = held(writer)
    body = {"taskId": task, "type": "a"}
    return writer.call("POST", "activities", body, lease).json["id"], lease


def enqueue(writer):
    made = new(writer)
    assert (made["state"], made["revision"]) == ("enqueued", 1)
    return 1


def enqueue_under_a_uuid(writer):
    writer.enqueue(uuid=uuid_of(clock.now()), tags=[str(clock.now())])
    return 1


def enqueue_many(writer):
    items = [{"type": "t"}, {"type": "t", "uuid": uuid_of(clock.now())}, {"type": "t"}]
    answer = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert answer.status_code in (200, 201)
    assert len({item["id"] for item in answer.json["items"]}) == 3
    return 3


def step(name, *before, role="consumer", body=None, state=None):
    def prepare(writer):
        return held(writer, *before)

    def act(writer, given):
        task, lease = given
        answer = writer.step(task, name, None if role == "issuer" else lease, body, role)
        assert answer.status_code == 200, answer.text
        seen = writer.task(task)
        assert seen["state"] == state
        assert len(seen["attempts"]) == 1
        assert ("endedAt" in seen["attempts"][0]) == (state in ("enqueued", "completed"))

    return prepare, act


def cancel_at_once(writer, made):
    answer = writer.step(made["id"], "cancelRequested", role="issuer")
    assert (answer.status_code, answer.json["state"]) == (200, "completed")


def delete(writer, task):
    assert writer.call("DELETE", f"tasks/{task}", role="issuer").status_code == 204
    assert "deletedAt" in writer.task(task)


def deleted(writer):
    task = completed(writer)
    delete(writer, task)
    return task


def restore(writer, task):
    assert writer.step(task, "restored", role="issuer").status_code == 200
    assert "deletedAt" not in writer.task(task)


def claim(**more):
    def act(writer, made):
        key = {"headers": {"Idempotency-Key": str(clock.now())}} if more else {}
        body = {"executor": {"id": f"a {clock.now()}"}, "types": [made["type"]]}
        answer = writer.call("POST", "tasks/claim", body, role="consumer", **key)
        assert [item["id"] for item in answer.json["items"]] == [made["id"]]
        lease = answer.json["items"][0]["lease"]["token"]
        assert writer.step(made["id"], "started", lease).status_code == 200
        assert len(writer.task(made["id"])["attempts"]) == 1

    return new, act


def make(**more):
    def act(writer, given):
        task, lease = given
        body = {"taskId": task, "type": f"type {clock.now()}"}
        if more:
            body["uuid"] = uuid_of(clock.now())
        answer = writer.call("POST", "activities", body, lease)
        assert answer.status_code in (200, 201), answer.text
        count = writer.call("GET", f"activities?taskId={task}&lod=count").json["count"]
        assert count == 1

    return held, act


def move(name, body=None):
    def act(writer, given):
        number, lease = given
        answer = writer.call("PUT", f"activities/{number}/{name}", body, lease)
        assert answer.status_code == 200, answer.text

    return activity, act


def overdue(writer):
    return held(writer, ackTimeout=0.001)[0]


def fire(writer, task):
    upkeep.once(writer.database, clock.now() + 10**9)
    seen = writer.task(task)
    assert (seen["state"], [one["outcome"] for one in seen["attempts"]]) == ("enqueued", ["ack"])


CALLS = {
    "started": step("started", state="started"),
    "heartbeat": step("heartbeat", "started", state="started"),
    "progress": step("progress", "started", body={"progress": {"current": 1}}, state="started"),
    "paused": step("paused", "started", state="paused"),
    "enqueued": step("enqueued", "started", body={"failed": True}, state="enqueued"),
    "completed": step("completed", "started", body=OK, state="completed"),
    "cancelRequested": step("cancelRequested", role="issuer", state="assigned"),
    "cancelRequested at once": (new, cancel_at_once),
    "deleted": (completed, delete),
    "restored": (deleted, restore),
    "claim": claim(),
    "claim under a key": claim(key=True),
    "activity": make(),
    "activity under a uuid": make(uuid=True),
    "activity started": move("started"),
    "activity paused": move("paused"),
    "activity completed": move("completed", OK),
    "timer": (overdue, fire),
}


@pytest.mark.parametrize("arrives", [True, False], ids=["landed", "not landed"])
@pytest.mark.parametrize("name", CALLS)
def test_a_step_is_taken_once_though_its_commit_gets_no_answer(writer, name, arrives):
    prepare, act = CALLS[name]
    for nth in range(1, 9):
        given = prepare(writer)
        loss = writer.losing(nth, arrives)
        act(writer, given)
        if not loss.happened:
            assert nth > 1
            return
    pytest.fail("a call commits more often than that")


@pytest.mark.parametrize("arrives", [True, False], ids=["landed", "not landed"])
@pytest.mark.parametrize("act", [enqueue, enqueue_under_a_uuid, enqueue_many])
def test_a_task_is_enqueued_once_though_its_commit_gets_no_answer(writer, act, arrives):
    there = 0
    for nth in range(1, 9):
        loss = writer.losing(nth, arrives)
        there += act(writer)
        assert writer.call("GET", "tasks?lod=count").json["count"] == there
        if not loss.happened:
            assert nth > 1
            return
    pytest.fail("a call commits more often than that")


def test_what_cannot_be_known_to_have_happened_is_503_with_a_time(writer):
    task, _ = held(writer)
    writer.losing(1, arrives=True)
    answer = writer.step(task, "completed", None, OK, role="admin")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert writer.task(task)["state"] == "completed"


def test_an_entry_whose_number_was_taken_gets_another(writer):
    writer.enqueue(queue="first")
    # As in a cluster whose servers have just changed: two give out the same number.
    writer.database.run("SET insert_id = 1")
    assert writer.enqueue(queue="second")["queue"] == "second"
