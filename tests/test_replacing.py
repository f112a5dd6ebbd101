"""What `flask import --replace` leaves of a task that somebody is at work on."""

import json

import pytest
from writers import Writer

from app.repository.work import steps

OK = {"result": {"code": "ok"}}
CLAIMS = 3


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


@pytest.fixture
def replaced(writer, tmp_path):
    """Put an older state of a task in place of what it is now."""

    def replace(task, **members):
        file = tmp_path / "older.ndjson"
        older = {name: task[name] for name in ("id", "uuid", "type", "tenant")}
        file.write_text(json.dumps({**older, "state": "enqueued", **members}))
        ended = writer.app.test_cli_runner().invoke(args=["import", "--replace", str(file)])
        assert ended.exit_code == 0, ended.stderr

    return replace


@pytest.fixture
def held(writer):
    """A task that was claimed three times, and the lease of the last claim."""
    task, lease = writer.held()
    for _ in range(CLAIMS - 1):
        writer.step(task, "enqueued", lease)
        [item] = writer.claim()
        lease = item["lease"]["token"]
    return writer.task(task), lease


def refused(writer, task, lease):
    answer = writer.step(task["id"], "heartbeat", lease)
    return (answer.status_code, answer.json["code"]) == (409, "lease_lost")


def test_a_lease_is_void_once_its_task_is_replaced(writer, held, replaced):
    task, lease = held
    replaced(task)
    assert refused(writer, task, lease)


def test_no_later_claim_makes_an_old_lease_good_again(writer, held, replaced):
    task, lease = held
    replaced(task)
    for _ in range(CLAIMS + 1):
        [item] = writer.claim()
        assert refused(writer, task, lease)
        assert writer.step(task["id"], "enqueued", item["lease"]["token"]).status_code == 200
    assert writer.step(task["id"], "completed", lease, OK).status_code == 409


def test_attempts_go_on_behind_all_that_there_were(writer, held, replaced):
    task, _ = held
    replaced(task, attempts=task["attempts"][:1])
    writer.claim()
    assert [attempt["number"] for attempt in writer.task(task["id"])["attempts"]] == [1, CLAIMS + 1]


def test_a_step_goes_by_what_replaced_the_task_it_had_read(writer, replaced, monkeypatch):
    """Else it would write what it made of the old one, and answer with that."""
    task, take = writer.enqueue(argument="old"), steps.take

    def late(database, seen, taking):
        monkeypatch.setattr(steps, "take", take)
        replaced(task, argument="new", cancellable=False)
        return take(database, seen, taking)

    monkeypatch.setattr(steps, "take", late)
    answer = writer.step(task["id"], "cancelRequested", None, {}, role="issuer")
    assert (answer.status_code, answer.json["code"]) == (409, "not_cancellable")
    done = writer.step(task["id"], "completed", None, OK, role="admin")
    assert done.json == writer.task(task["id"], "full")
    assert done.json["argument"] == "new"
