"""What every step of a task changes, how it repeats, and whom it refuses."""

import random
import threading
from itertools import count, groupby

import pytest
from writers import Writer, uuid_of

from app import clock
from app.catalog.tasks import TASKS
from app.catalog.times import SECOND
from app.repository import invariants
from app.repository.work import facts, steps

OK = {"result": {"code": "ok"}}


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def code(answer):
    return answer.status_code, answer.json.get("code")


def test_a_whole_life(writer):
    task, lease = writer.held()
    started = writer.step(task, "started", lease)
    assert started.json["startedAt"] == started.json["updatedAt"]
    beat = writer.step(task, "heartbeat", lease)
    assert set(beat.json) == {"lease", "cancelRequested"}
    assert set(beat.json["lease"]) == {"expiresAt"}
    assert beat.json["cancelRequested"] is False
    assert writer.task(task, "full") == started.json
    told = {"progress": {"current": 1, "total": 2, "file": "ä"}, "context": {"at": 1}}
    assert set(writer.step(task, "progress", lease, told).json) == set(beat.json)
    seen = writer.task(task)
    assert (seen["progress"], seen["context"]) == (told["progress"], told["context"])
    assert seen["updatedAt"] > started.json["updatedAt"]
    assert writer.step(task, "paused", lease).json["state"] == "paused"
    again = writer.step(task, "started", lease).json
    assert again["startedAt"] == started.json["startedAt"]
    result = {
        "code": "warning",
        "payload": [0],
        "warnings": [{"code": "w"}],
        "error": {"code": "E", "message": "m", "debug": {"x": 1}, "context": {"y": None}},
    }
    done = writer.step(task, "completed?lod=debug", lease, {"result": result}).json
    assert done["result"] == result
    assert done["completedAt"] == done["updatedAt"]
    assert "lease" not in done
    assert done["executor"] == {"id": "a1", "clusterId": ""}
    [attempt] = done["attempts"]
    assert (attempt["outcome"], attempt["endedAt"]) == ("warning", done["completedAt"])
    assert attempt["startedAt"] == done["startedAt"]
    assert "debug" not in writer.task(task, "full")["result"]["error"]


@pytest.mark.parametrize("payload", [{}, [], 0, False, "", {"n": 10**30}])
def test_a_payload_comes_back_as_it_was(writer, payload):
    task, lease = writer.held()
    body = {"result": {"code": "ok", "payload": payload}}
    assert writer.step(task, "completed", lease, body).json["result"] == body["result"]


def test_only_the_start_ends_the_ack_timer(writer):
    writer.enqueue(ackTimeout=100, heartbeatInterval=7)
    [item] = writer.claim()
    task, lease = item["id"], item["lease"]["token"]
    beat = writer.step(task, "heartbeat", lease).json["lease"]
    assert beat["expiresAt"] == item["lease"]["expiresAt"]
    started = writer.step(task, "started?lod=debug", lease).json
    assert started["lease"]["expiresAt"] < beat["expiresAt"]
    renewed = writer.step(task, "heartbeat", lease).json["lease"]
    assert renewed["expiresAt"] > started["lease"]["expiresAt"]
    assert writer.task(task)["revision"] == started["revision"]


def test_a_return_clears_what_was_of_the_attempt_and_keeps_the_checkpoint(writer):
    task, lease = writer.held()
    before = writer.task(task)
    writer.step(task, "started", lease)
    writer.step(task, "progress", lease, {"progress": {"current": 1}, "context": {"at": 1}})
    body = {"reason": "disk", "delay": 30}
    back = writer.step(task, "enqueued?lod=debug", lease, body).json
    assert not {"assignedAt", "startedAt", "lease"} & back.keys()
    assert back["executor"] == {"id": "", "clusterId": ""}
    assert (back["progress"], back["context"]) == ({"current": 1}, {"at": 1})
    assert back["enqueuedAt"] == before["enqueuedAt"]
    assert (back["failCount"], back["assignCount"]) == (0, 1)
    [attempt] = back["attempts"]
    assert (attempt["outcome"], attempt["reason"]) == ("requeued", "disk")
    assert back["notBefore"] > back["updatedAt"]
    assert writer.claim() == []


@pytest.mark.parametrize(("step", "body"), [("enqueued", {"reason": "r"}), ("completed", OK)])
def test_what_ended_a_lease_may_be_repeated_under_it_whatever_came_since(writer, step, body):
    task, lease = writer.held()
    first = writer.step(task, step, lease, body)
    assert writer.step(task, step, lease, body).json == first.json
    if step == "enqueued":
        [item] = writer.claim()
        writer.step(task, "completed", item["lease"]["token"], OK)
    now = writer.task(task, "full")
    again = writer.step(task, step, lease, body)
    assert (again.status_code, again.json) == (200, now)
    other = {"reason": "s"} if step == "enqueued" else {"result": {"code": "error"}}
    for name, content in ((step, other), ("started", None), ("heartbeat", None)):
        assert code(writer.step(task, name, lease, content)) == (409, "lease_lost")
    assert writer.task(task, "full") == now


def test_repeats_under_a_living_lease_change_nothing(writer):
    task, lease = writer.held()
    body = {"progress": {"current": 1}}
    for step, content in (("started", None), ("progress", body), ("paused", None)):
        writer.step(task, step, lease, content)
        before = writer.task(task)
        assert writer.step(task, step, lease, content).status_code == 200
        after = writer.task(task)
        assert before.pop("lease")["expiresAt"] <= after.pop("lease")["expiresAt"]
        assert after == before


STEPS = [("started", None), ("heartbeat", None), ("progress", {"progress": {}}), ("paused", None),
         ("enqueued", None), ("completed", OK)]  # fmt: skip


@pytest.mark.parametrize(("step", "body"), STEPS)
def test_a_void_lease_changes_nothing(writer, step, body):
    task, lease = writer.held()
    _, other = writer.held()
    before = writer.task(task)
    forged = lease[:20] + ("B" if lease[20] == "A" else "A") + lease[21:]
    for wrong in (other, forged, "x", lease + "A", lease[:-4], "é", "A" * 48):
        answer = writer.step(task, step, wrong, body)
        assert code(answer) == (409, "lease_lost")
        assert code(writer.step(task, step, wrong, body, "admin")) == (409, "lease_lost")
    missing = writer.step(task, step, None, body)
    assert (missing.status_code, missing.json["errors"][0]["parameter"]) == (400, "Lease-Token")
    assert writer.task(task) == before
    writer.step(task, "enqueued", lease, {"reason": "mine"})
    [item] = writer.claim(1)
    held = writer.task(task)
    assert code(writer.step(task, step, lease, body)) == (409, "lease_lost")
    assert writer.task(task) == held
    assert item["id"] == task


def test_an_admin_needs_no_lease_to_return_and_complete(writer):
    task, lease = writer.held()
    assert writer.step(task, "enqueued", None, {"failed": True}, "admin").json["failCount"] == 1
    assert code(writer.step(task, "heartbeat", lease)) == (409, "lease_lost")
    done = writer.step(task, "completed?lod=debug", None, OK, "admin").json
    assert (done["state"], "startedAt" in done) == ("completed", False)
    assert [attempt["outcome"] for attempt in done["attempts"]] == ["failed"]


def test_an_admins_failed_return_counts_too(writer):
    task, _ = writer.held(maxFailCount=1)
    done = writer.step(task, "enqueued", None, {"failed": True}, "admin").json
    assert (done["state"], done["result"]) == ("completed", {"code": "error"})


def cancel(writer, task, **body):
    return writer.step(task, "cancelRequested", None, body or None, "issuer")


def test_what_waits_is_cancelled_at_once(writer):
    task = writer.enqueue()["id"]
    done = cancel(writer, task)
    assert done.json["result"] == {"code": "cancelled"}
    assert done.json["cancelRequested"] is True
    assert cancel(writer, task, grace=1).json == done.json
    assert writer.claim() == []


@pytest.mark.parametrize("code", ["cancelled", "ok"])
def test_what_is_held_is_flagged_and_told(writer, code):
    task, lease = writer.held()
    writer.step(task, "started", lease)
    assert cancel(writer, task).json["cancelRequested"] is True
    before = writer.task(task)
    assert cancel(writer, task, grace=0).status_code == 200
    assert writer.task(task) == before
    assert writer.step(task, "heartbeat", lease).json["cancelRequested"] is True
    body = {"result": {"code": code}}
    assert writer.step(task, "completed", lease, body).json["cancelRequested"] is True
    before = writer.task(task)
    assert cancel(writer, task).status_code == 200
    assert writer.task(task) == before


@pytest.mark.parametrize(
    ("body", "outcome"), [({"delay": 5}, "cancelled"), ({"failed": True}, "failed")]
)
def test_a_flagged_task_never_returns_to_the_queue(writer, body, outcome):
    task, lease = writer.held()
    cancel(writer, task)
    done = writer.step(task, "enqueued", lease, body).json
    assert (done["state"], done["result"]) == ("completed", {"code": "cancelled"})
    assert [attempt["outcome"] for attempt in writer.task(task)["attempts"]] == [outcome]


def test_what_ended_otherwise_cannot_be_cancelled(writer):
    task, lease = writer.held()
    writer.step(task, "completed", lease, OK)
    assert code(cancel(writer, task)) == (409, "invalid_transition")


@pytest.mark.parametrize("held", [False, True])
def test_of_two_who_cancel_at_once_both_did(writer, monkeypatch, held):
    """The other one was faster after this one had looked."""
    take = steps.take
    task = writer.held()[0] if held else writer.enqueue()["id"]

    def late(database, number, taking):
        take(database, number, taking)
        return take(database, number, taking)

    monkeypatch.setattr(steps, "take", late)
    assert cancel(writer, task).status_code == 200
    assert writer.task(task)["revision"] == (3 if held else 2)


ALL = {
    "policy": {"id": "p", "type": "backup", "name": "daily"}, "resource": {"id": "r"},
    "issuer": {"id": "i", "clusterId": "c"}, "affinity": {"agentId": "a1"}, "tags": ["b", "a"],
    "context": {"n": 1.5}, "argument": ["x", None], "startedByUser": "u", "workflowId": 7,
    "execTimeout": 100, "lifeTime": 1e6, "priority": "high",
}  # fmt: skip


@pytest.mark.parametrize("lod", ["tiny", "short", "long", "full", "debug"])
def test_a_steps_answer_is_the_task_as_it_is_then(writer, lod):
    task, lease = writer.held(**ALL)
    writer.step(task, "progress", lease, {"progress": {"at": 1}, "context": {"n": 2}})
    parts = {"payload": {"b": 1}, "warnings": [1], "error": {"code": "E", "debug": {"x": 1}}}
    for step, body in (
        ("started", None), ("paused", None), ("paused", {}), ("started", None),
        ("cancelRequested", {}), ("completed", {"result": {"code": "warning", **parts}}),
        ("completed", {"result": {"code": "warning", **parts}}),
    ):  # fmt: skip
        answer = writer.step(task, f"{step}?lod={lod}", lease, body, role="admin")
        assert (answer.status_code, answer.json) == (200, writer.task(task, lod))
    other, lease = writer.held(**ALL)
    back = writer.step(other, f"enqueued?lod={lod}", lease, {"delay": 9, "failed": True})
    assert back.json == writer.task(other, lod)


def test_a_steps_answer_shows_what_another_call_wrote_meanwhile(writer, monkeypatch):
    task, lease = writer.held()
    writer.step(task, "started", lease)
    take = steps.take

    def late(database, seen, taking):
        monkeypatch.setattr(steps, "take", take)
        steps.report(database, seen.id, clock.now(), 1, '{"at":9}', '{"x":1}')
        return take(database, seen, taking)

    monkeypatch.setattr(steps, "take", late)
    answer = writer.step(task, "paused", lease).json
    assert (answer["state"], answer["progress"]) == ("paused", {"at": 9})
    assert answer == writer.task(task, "full")


def test_what_may_not_be_cancelled_is_not(writer):
    task = writer.enqueue(cancellable=False)["id"]
    assert code(cancel(writer, task)) == (409, "not_cancellable")
    assert writer.task(task)["cancelRequested"] is False


def test_a_completed_task_is_deleted_and_restored_with_its_activities(writer):
    task, lease = writer.held()
    made = writer.call("POST", "activities", {"taskId": task, "type": "a"}, lease, "consumer")
    activity = f"activities/{made.json['id']}"
    assert code(writer.call("DELETE", f"tasks/{task}", role="issuer")) == (409, "not_completed")
    assert writer.step(task, "restored", role="issuer").status_code == 200
    writer.step(task, "completed", lease, OK)
    before = writer.task(task)
    gone = writer.call("DELETE", f"tasks/{task}", role="issuer")
    assert (gone.status_code, gone.data) == (204, b"")
    hidden = [("DELETE", "", None), ("GET", "", None)]
    hidden += [("PUT", f"/{step}", body) for step, body in STEPS]
    hidden += [("PUT", "/cancelRequested", None)]
    for method, rest, body in hidden:
        assert code(writer.call(method, f"tasks/{task}{rest}", body, lease)) == (404, "not_found")
    assert writer.call("GET", activity).status_code == 404
    deleted = writer.call("GET", f"{activity}?allow_deleted=true").json
    shown = writer.task(task)
    assert shown["deletedAt"] == shown["updatedAt"] > before["updatedAt"]
    assert deleted["deletedAt"] == shown["deletedAt"]
    back = writer.step(shown["uuid"], "restored", role="issuer")
    assert back.status_code == 200
    assert "deletedAt" not in back.json
    assert back.json["updatedAt"] > shown["updatedAt"]
    assert "deletedAt" not in writer.call("GET", activity).json
    assert writer.step(task, "restored", role="issuer").json == back.json


@pytest.mark.parametrize("step", [0, -(10**9)], ids=["still", "back"])
def test_every_step_moves_updated_at_though_the_clock_stands_still(writer, monkeypatch, step):
    """Who follows by `updatedAt=gt(...)` misses nothing where servers' clocks differ a little."""
    task, lease = writer.held()
    body = {"taskId": task, "type": "a", "sustainable": True}
    activity = writer.call("POST", "activities", body, lease, "consumer").json["id"]
    begun, calls = clock.now(), count()
    monkeypatch.setattr(clock, "now", lambda: begun + step * next(calls))
    seen = [(writer.task(task)["updatedAt"], updated(writer, activity))]
    for path, given in (
        (f"activities/{activity}/paused", None), (f"activities/{activity}/started", None),
        (f"activities/{activity}/progress", {"progress": {"x": 1}}),
        (f"tasks/{task}/started", None), (f"tasks/{task}/progress", {"progress": {"x": 1}}),
        (f"tasks/{task}/paused", None), (f"tasks/{task}/cancelRequested", None),
        (f"tasks/{task}/completed", OK), (f"tasks/{task}", None), (f"tasks/{task}/restored", None),
    ):  # fmt: skip
        method = "PUT" if path.count("/") == 2 else "DELETE"
        assert writer.call(method, path, given, lease).status_code in (200, 204), path
        seen.append((writer.task(task)["updatedAt"], updated(writer, activity)))
    tasks, activities = ([one for one, _ in groupby(times)] for times in zip(*seen, strict=True))
    assert (len(tasks), len(activities)) == (8, 7)
    assert tasks == sorted(tasks)
    assert activities == sorted(activities)


def updated(writer, activity):
    path = f"activities/{activity}?allow_deleted=true"
    return writer.call("GET", path).json["updatedAt"]


DELETIONS = {
    413: {"data": b" " * (2**20 + 1)},
    415: {"data": b"{}", "content_type": "text/plain"},
    400: {"data": b'{"x": 1}', "content_type": "application/json"},
}


@pytest.mark.parametrize("status", DELETIONS)
def test_a_deletion_takes_no_body_and_no_parameters(writer, status):
    task = writer.enqueue()["id"]
    writer.step(task, "cancelRequested", role="issuer")
    answer = writer.call("DELETE", f"tasks/{task}?force=1", role="issuer", **DELETIONS[status])
    assert answer.status_code == status, answer.text
    if status == 400:
        assert {row["parameter"] for row in answer.json["errors"]} == {"x", "force"}
    assert "deletedAt" not in writer.task(task)
    empty = {"data": b"", "content_type": "application/json"}
    assert writer.call("DELETE", f"tasks/{task}", role="issuer", **empty).status_code == 204


ROUTES = [("POST", "tasks", "issuer"), ("POST", "tasks/bulk", "issuer"),
          ("POST", "tasks/claim", "consumer"), ("POST", "activities", "consumer"),
          ("DELETE", "tasks/1", "issuer"), ("PUT", "tasks/1/restored", "issuer"),
          ("PUT", "tasks/1/cancelRequested", "issuer"),
          *(("PUT", f"tasks/1/{step}", "consumer") for step, _ in STEPS),
          *(("PUT", f"activities/1/{step}", "consumer") for step in
            ("assigned", "enqueued", "started", "paused", "progress", "completed"))]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "role"), ROUTES)
def test_a_call_needs_its_scope_before_its_body_is_looked_at(writer, method, path, role):
    bad = {"data": b"x" * 17_000_000, "content_type": "text/plain"}
    for other in {"viewer", "issuer", "consumer"} - {role}:
        answer = writer.call(method, path, role=other, **bad)
        assert answer.status_code == 403
        assert f"::{role}" in answer.headers["WWW-Authenticate"]
    url = f"/api/task_manager/v2/{path}"
    assert writer.http.open(url, method=method, **bad).status_code == 401


@pytest.mark.parametrize("key", ["4", "x", "0", "-1", "9" * 19, "9" * 40, uuid_of(9)])
def test_a_task_that_is_not_there_is_not_found(writer, key):
    for method, rest, body in (("PUT", "/started", None), ("DELETE", "", None),
                               ("PUT", "/completed", OK)):  # fmt: skip
        assert code(writer.call(method, f"tasks/{key}{rest}", body, "x")) == (404, "not_found")


def test_a_task_of_another_tenant_is_not_found(writer):
    task, lease = writer.held()
    for step, body in STEPS:
        answer = writer.step(task, step, lease, body, "admin", tenant=4)
        assert code(answer) == (404, "not_found")


@pytest.mark.parametrize(
    ("step", "body"), [("started", None), ("enqueued", {"reason": "r"}), ("completed", OK)]
)
def test_of_two_that_race_one_wins_and_both_are_told_the_same(writer, step, body):
    task, lease = writer.held()
    answers = []

    def take():
        answers.append(writer.step(task, step, lease, body))
        writer.database.rest()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert writer.task(task)["revision"] == 3


def test_a_crowd_that_changes_one_task_gets_its_turns(writer, monkeypatch):
    """Whoever was overtaken once is not overtaken again."""
    monkeypatch.setattr(facts, "TRIES", 2)
    task, lease = writer.held()
    writer.step(task, "started", lease)
    answers = []

    def report(number):
        for turn in range(6):
            body = {"progress": {"report": [number, turn]}}
            answers.append(writer.step(task, "progress", lease, body).status_code)
        writer.database.rest()

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 48
    assert writer.task(task)["revision"] == 3 + 48


def test_bounds_that_hold_need_no_other():
    chance = random.Random(4)
    moments = [None, *(SECOND * 1_000 + chance.randrange(-40, 40) * SECOND // 4 for _ in range(30))]
    for _ in range(2_000):
        rows = [[chance.choice(moments) for _ in range(5)] for _ in range(chance.randint(1, 2))]
        names = [name for pair in invariants.names(TASKS) for name in pair]
        distances = (0, SECOND, 8 * SECOND, invariants.UNBOUND)
        bounds = {name: chance.choice(distances) for name in names}
        needed = invariants.needed(TASKS, rows)
        held = all(bounds.get(name, 0) >= value for name, value in needed.items())
        told = invariants.hold(TASKS, bounds, rows)
        assert held or not told
        if all(row[0] is not None for row in rows):
            assert told == held
