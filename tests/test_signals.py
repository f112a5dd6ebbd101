"""Signals: what has happened has happened, whatever a listener makes of it."""

import pytest
from writers import Writer

from app import clock
from app.errors import Unavailable
from app.repository.timers import upkeep
from app.repository.timers.leading import Candidate
from app.signals import lease_lost, queued, turned


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("error", [Unavailable(reason="gone"), KeyError(7)], ids=["away", "bug"])
def test_a_write_that_is_committed_is_answered_as_done_when_a_listener_fails(writer, error, caplog):
    told = []

    def failing(**_):
        raise error

    queued.connect(failing)
    queued.connect(listening := lambda **facts: told.append(facts["arrivals"]))
    try:
        made = writer.enqueue()
    finally:
        queued.disconnect(failing)
        queued.disconnect(listening)
    assert len(told) == 1
    assert writer.task(made["id"])["state"] == "enqueued"
    assert "a listener failed" in caplog.text


def test_a_turn_tells_how_long_it_took(writer):
    writer.enqueue(lifeTime=0.001)
    told = []
    turned.connect(listening := lambda **facts: told.append(facts))
    try:
        began = clock.monotonic()
        upkeep.lead(writer.database, Candidate(upkeep.DUTY, "a"), clock.now() + 10**9, began)
        most = clock.monotonic() - began
    finally:
        turned.disconnect(listening)
    assert [facts["fired"] for facts in told] == [1]
    assert 0 < told[0]["seconds"] <= most


def test_a_void_lease_on_an_activity_tells_whose_task_it_is(writer):
    task, lease = writer.held()
    made = writer.call("POST", "activities", {"taskId": task, "type": "t"}, lease, "consumer").json
    writer.step(task, "enqueued", lease)
    told = []
    lease_lost.connect(listening := lambda **facts: told.append(facts["task"]))
    try:
        path = f"activities/{made['id']}/paused"
        assert writer.call("PUT", path, None, lease, "consumer").status_code == 409
    finally:
        lease_lost.disconnect(listening)
    assert told == [task]
