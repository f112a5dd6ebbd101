"""Both transition tables and the timers, typed once more from the contract, on every cell."""

import pytest
from writers import SECOND, Writer

from app.lifecycle import ACTIVITY_STEPS, TASK_STEPS, TIMERS
from app.repository.timers import upkeep
from app.vocabulary import State

E, A, S, P, C = "enqueued", "assigned", "started", "paused", "completed"
NO, SAME = None, "repeat"
STEPS = ("claim", "started", "paused", "enqueued", "completed", "cancelRequested")
TABLE = {
    E: (A, NO, NO, NO, "admin", C),
    A: (NO, S, NO, E, C, "flagged"),
    S: (NO, SAME, P, E, C, "flagged"),
    P: (NO, S, SAME, E, C, "flagged"),
    C: (NO, NO, NO, NO, SAME, NO),
}
ACTIVITIES = {
    E: {"assigned": A, "started": S, "completed": C, "enqueued": SAME},
    A: {"started": S, "enqueued": E, "completed": C, "assigned": SAME},
    S: {"paused": P, "completed": C, "started": SAME},
    P: {"started": S, "completed": C, "paused": SAME},
    C: {"completed": SAME},
}
DEFAULTS = {"queue": None, "ack": 60, "heartbeat": 60, "exec": None, "life": None, "grace": 300}
BODIES = {"completed": {"result": {"code": "ok"}}, "assigned": {"executor": {"id": "a1"}}}


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def brought(writer, state):
    """A task in `state` -> its number and lease, which may be void."""
    if state == E:
        return writer.enqueue()["id"], None
    task, lease = writer.held()
    for step in {A: (), S: (S,), P: (S, P), C: (C,)}[state]:
        assert writer.step(task, step, lease, BODIES.get(step)).status_code == 200
    return task, lease


def test_the_rows_say_what_the_contract_says():
    cells = {
        (state.value, step.name): target.value
        for step in TASK_STEPS
        for state, target in {**step.leads, **step.leaseless}.items()
    }
    typed = {
        (state, step): {"admin": C, "flagged": state}.get(target, target)
        for state, row in TABLE.items()
        for step, target in zip(STEPS, row, strict=True)
        if target not in (NO, SAME)
    }
    typed |= {(state, "heartbeat"): state for state in (A, S, P)}
    typed |= {(state, "progress"): state for state in (S, P)}
    assert cells == typed


def test_the_rows_of_activities_say_what_the_contract_says():
    cells = {
        (state.value, step.name): target.value
        for step in ACTIVITY_STEPS
        for state, target in step.leads.items()
        if step.name != "progress"
    }
    typed = {(state, step): to for state, row in ACTIVITIES.items()
             for step, to in row.items() if to != SAME}  # fmt: skip
    assert cells == typed


def test_the_timers_have_the_contracts_defaults():
    assert {row.timer.value: row.seconds for row in TIMERS} == DEFAULTS


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("step", STEPS[1:5])
def test_a_holder_is_led_as_the_table_says(writer, state, step):
    task, lease = brought(writer, state)
    before = writer.task(task)
    answer = writer.step(task, step, lease or "x", BODIES.get(step))
    target = TABLE[state][STEPS.index(step)]
    if target == SAME:
        assert (answer.status_code, answer.json["state"]) == (200, state)
        assert writer.task(task)["revision"] == before["revision"]
    elif target in (S, P, E, C):
        assert (answer.status_code, answer.json["state"]) == (200, target)
        assert writer.task(task)["revision"] == before["revision"] + 1
        assert writer.task(task)["updatedAt"] > before["updatedAt"]
    else:
        void = state in (E, C)
        code = "lease_lost" if void else "invalid_transition"
        assert (answer.status_code, answer.json["code"]) == (409, code)
        assert void or (f"is {state}" in answer.json["detail"] and step in answer.json["detail"])
        assert writer.task(task) == before


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("step", ["enqueued", "completed", "cancelRequested"])
def test_who_needs_no_lease_is_led_as_the_table_says(writer, state, step):
    task, _ = brought(writer, state)
    before = writer.task(task)
    role = "issuer" if step == "cancelRequested" else "admin"
    answer = writer.step(task, step, None, BODIES.get(step), role)
    target = TABLE[state][STEPS.index(step)]
    if target in (NO, SAME):
        assert (answer.status_code, answer.json["code"]) == (409, "invalid_transition")
        assert f"is {state}" in answer.json["detail"]
        assert writer.task(task) == before
    else:
        expected = {"admin": C, "flagged": state}.get(target, target)
        assert (answer.status_code, answer.json["state"]) == (200, expected)
        assert answer.json["cancelRequested"] == (step == "cancelRequested")


def activity_in(writer, state):
    """An activity in `state` -> task, lease, activity."""
    task, lease = writer.held()
    begin = state if state in (E, A) else S
    body = {"taskId": task, "type": "t", "state": begin}
    made = writer.call("POST", "activities", body, lease, "consumer")
    assert made.status_code == 201, made.text
    assert made.headers["Location"].endswith(f"/activities/{made.json['id']}")
    for step in {P: (P,), C: (C,)}.get(state, ()):
        moved(writer, made.json["id"], step, lease)
    return task, lease, made.json["id"]


def moved(writer, activity, step, lease):
    return writer.call("PUT", f"activities/{activity}/{step}", BODIES.get(step), lease, "consumer")


@pytest.mark.parametrize("state", ACTIVITIES)
@pytest.mark.parametrize("step", [A, E, S, P, C])
def test_an_activity_is_led_as_the_table_says(writer, state, step):
    _, lease, activity = activity_in(writer, state)
    target = ACTIVITIES[state].get(step)
    answer = moved(writer, activity, step, lease)
    if target is NO:
        assert (answer.status_code, answer.json["code"]) == (409, "invalid_transition")
        assert f"The activity is {state} and cannot" in answer.json["detail"]
    else:
        assert answer.status_code == 200
        assert answer.json["state"] == (state if target == SAME else target)


@pytest.mark.parametrize("state", ACTIVITIES)
@pytest.mark.parametrize("step", [A, E, S, P, C, "progress"])
def test_an_activity_is_moved_under_the_lease_of_its_task_alone(writer, state, step):
    task, lease, activity = activity_in(writer, state)
    _other, foreign = writer.held()
    body = {"progress": {}} if step == "progress" else BODIES.get(step)
    path = f"activities/{activity}/{step}"
    for wrong in (foreign, "forged", lease[:-1] + ("A" if lease[-1] != "A" else "B")):
        answer = writer.call("PUT", path, body, wrong, "consumer")
        assert (answer.status_code, answer.json["code"]) == (409, "lease_lost")
    assert writer.call("PUT", path, body, None, "consumer").status_code == 400
    assert writer.step(task, "completed", lease, BODIES["completed"]).status_code == 200
    answer = writer.call("PUT", path, body, lease, "consumer")
    assert (answer.status_code, answer.json["code"]) == (409, "lease_lost")


def test_states_are_those_of_the_contract():
    assert State.words() == [E, A, S, P, C] == list(TABLE)
    assert upkeep.ABSENCE == SECOND
