"""Activities as they are made and moved, and what becomes of them when their task leaves."""

import pytest
from writers import Writer, uuid_of

OK = {"result": {"code": "ok"}}


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def make(writer, task, lease, **body):
    return writer.call("POST", "activities?lod=debug", {"taskId": task, "type": "a", **body}, lease,
                       "consumer")  # fmt: skip


def move(writer, activity, step, lease, body=None):
    return writer.call("PUT", f"activities/{activity}/{step}", body, lease, "consumer")


def seen(writer, activity):
    return writer.call("GET", f"activities/{activity}?lod=debug", role="viewer").json


def test_it_works(writer):
    task, lease = writer.held(startedByUser="Ann", workflowId=7)
    body = {
        "uuid": uuid_of(1),
        "sustainable": True,
        "policy": {"id": "p"},
        "resource": {"name": "r"},
        "tags": ["x"],
        "context": {"a": 1},
        "argument": 0,
    }
    answer = make(writer, task, lease, **body)
    assert answer.status_code == 201
    made = answer.json
    assert {name: made[name] for name in body} == body
    assert (made["taskId"], made["state"]) == (task, "started")
    assert made["executor"] == {"id": "a1", "clusterId": ""}
    assert (made["startedByUser"], made["workflowId"]) == ("Ann", 7)
    assert made["tenant"]["locator"] == "/1/2/"
    assert made["createdAt"] == made["startedAt"] == made["updatedAt"]
    assert seen(writer, made["id"]) == made
    own = {"parentActivityId": made["id"], "startedByUser": "Bob", "workflowId": 8}
    child = make(writer, task, lease, **own).json
    assert {name: child[name] for name in own} == own
    told = {"progress": {"current": 1}, "context": {"b": 2}}
    answer = move(writer, made["id"], "progress", lease, told)
    assert set(answer.json) == {"cancelRequested", "lease"}
    result = {"code": "error", "error": {"code": "E"}, "payload": [1]}
    done = move(writer, made["id"], "completed?lod=debug", lease, {"result": result}).json
    assert (done["result"], done["progress"], done["context"]) == (result, *told.values())
    assert done["completedAt"] == done["updatedAt"]
    assert seen(writer, child["id"])["state"] == "started"
    again = move(writer, made["id"], "completed?lod=debug", lease, {"result": result})
    assert again.json == done
    answer = move(writer, made["id"], "completed", lease, OK)
    assert (answer.status_code, answer.json["code"]) == (409, "invalid_transition")


def test_a_policy_or_resource_of_which_nothing_is_told_is_not_set(writer):
    task, lease = writer.held()
    made = make(writer, task, lease, policy={"id": ""}, resource={"type": "", "name": ""}).json
    assert not {"policy", "resource"} & made.keys()
    assert not {"policy", "resource"} & seen(writer, made["id"]).keys()


@pytest.mark.parametrize("state", ["enqueued", "assigned", "started"])
def test_it_begins_where_it_is_told(writer, state):
    task, lease = writer.held()
    made = make(writer, task, lease, state=state).json
    assert made["state"] == state
    assert ("startedAt" in made) == (state == "started")
    agent = "" if state == "enqueued" else "a1"
    assert made["executor"]["id"] == agent
    if state != "enqueued":
        other = make(writer, task, lease, state=state, executor={"id": "b", "clusterId": "c"}).json
        assert other["executor"] == {"id": "b", "clusterId": "c"}


def test_assigning_names_the_executor_and_returning_clears_it(writer):
    task, lease = writer.held()
    made = make(writer, task, lease, state="enqueued").json["id"]
    body = {"executor": {"id": "b"}}
    assert move(writer, made, "assigned", lease, body).json["executor"]["id"] == "b"
    assert move(writer, made, "assigned", lease, body).status_code == 200
    answer = move(writer, made, "assigned", lease, {"executor": {"id": "c"}})
    assert (answer.status_code, answer.json["code"]) == (409, "invalid_transition")
    assert move(writer, made, "enqueued", lease).json["executor"]["id"] == ""
    begun = move(writer, made, "started", lease).json
    assert begun["executor"]["id"] == "a1"
    move(writer, made, "paused", lease)
    assert move(writer, made, "started", lease).json["startedAt"] == begun["startedAt"]


def test_the_same_uuid_with_the_same_body_is_the_same_activity(writer):
    task, lease = writer.held()
    first = make(writer, task, lease, uuid=uuid_of(1), sustainable=False)
    again = make(writer, task, lease, uuid=uuid_of(1), state="started")
    other = make(writer, task, lease, uuid=uuid_of(1), type="b")
    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 409]
    assert again.json == first.json
    assert other.json["code"] == "uuid_conflict"


@pytest.mark.parametrize("call", ["make", "started", "progress", "paused"])
def test_every_call_renews_the_lease_of_a_started_task(writer, call):
    task, lease = writer.held()
    made = make(writer, task, lease).json["id"]
    before = writer.task(task)["lease"]
    move(writer, made, "progress", lease, {"progress": {}})
    assert writer.task(task)["lease"] == before
    writer.step(task, "started", lease)
    before = writer.task(task)
    if call == "make":
        make(writer, task, lease)
    else:
        move(writer, made, call, lease, {"progress": {"n": 1}} if call == "progress" else None)
    after = writer.task(task)
    assert after.pop("lease")["expiresAt"] > before.pop("lease")["expiresAt"]
    assert after == before


def test_what_it_addresses_must_be_there(writer):
    task, lease = writer.held()
    other, foreign = writer.held()
    mine = make(writer, other, foreign).json["id"]
    assert make(writer, 5, lease).status_code == 404
    outside = writer.call("POST", "tasks", {"type": "t"}, role="issuer", tenant=4).json["id"]
    assert make(writer, outside, lease).status_code == 404
    for parent in (mine, 77):
        answer = make(writer, task, lease, parentActivityId=parent)
        assert answer.status_code == 400
        assert answer.json["errors"][0]["parameter"] == "parentActivityId"
    assert make(writer, task, foreign).json["code"] == "lease_lost"
    assert make(writer, task, None).status_code == 400
    assert move(writer, 5, "started", lease).status_code == 404


def brood(writer, task, lease):
    """Activities of all kinds -> number to (state, sustainable)."""
    made = {}
    for sustainable in (True, False):
        for state in ("enqueued", "assigned", "started", "paused", "completed"):
            begin = state if state in ("enqueued", "assigned") else "started"
            one = make(writer, task, lease, state=begin, sustainable=sustainable).json["id"]
            if state in ("paused", "completed"):
                move(writer, one, state, lease, OK if state == "completed" else None)
            made[one] = (state, sustainable)
    return made


def leave(writer, task, lease, how):
    if how == "admin":
        writer.step(task, "enqueued", None, None, "admin")
    elif how == "executor":
        writer.step(task, "enqueued", lease)
    else:
        writer.database.run("UPDATE tasks SET due_at = 0, lease_until = 0")
        from app import clock
        from app.repository.timers import upkeep

        assert upkeep.turn(writer.database, clock.now()).fired == 1


@pytest.mark.parametrize("how", ["executor", "admin", "timer"])
def test_a_return_keeps_the_sustainable_and_abandons_the_others(writer, how):
    task, lease = writer.held()
    made = brood(writer, task, lease)
    before = {one: seen(writer, one) for one in made}
    leave(writer, task, lease, how)
    [item] = writer.claim()
    new = item["lease"]["token"]
    for one, (state, sustainable) in made.items():
        now = seen(writer, one)
        if state == "completed" or (state == "enqueued" and sustainable):
            assert now == before[one]
        elif sustainable:
            assert (now["state"], now["executor"]["id"]) == ("enqueued", "")
            assert "startedAt" not in now
            assert now["revision"] == before[one]["revision"] + 1
            assert move(writer, one, "started", lease).json["code"] == "lease_lost"
            assert move(writer, one, "started", new).json["state"] == "started"
        else:
            assert now["result"] == {"code": "abandoned"}
            assert now["completedAt"] == now["updatedAt"] >= before[one]["updatedAt"]


@pytest.mark.parametrize("how", ["executor", "cancel"])
def test_the_end_of_a_task_abandons_all_that_is_not_completed(writer, how):
    task, lease = writer.held()
    made = brood(writer, task, lease)
    if how == "executor":
        writer.step(task, "completed", lease, OK)
    else:
        writer.step(task, "enqueued", lease)
        writer.step(task, "cancelRequested", role="issuer")
    for one, (state, _) in made.items():
        now = seen(writer, one)
        assert now["state"] == "completed"
        assert now["result"]["code"] == ("ok" if state == "completed" else "abandoned")


def test_a_step_that_its_state_does_not_allow_is_refused_in_words(writer):
    task, lease = writer.held()
    activity = make(writer, task, lease, state="enqueued").json["id"]
    answer = move(writer, activity, "paused", lease)
    assert (answer.status_code, answer.json["message"]) == (
        409,
        "The activity is enqueued and cannot take the step 'paused'; it can take: assigned, "
        "started, completed.",
    )
