"""Retention: what ended long ago is removed for good, in transactions that are short."""

import pytest
from writers import Writer

from app import clock, config, service, upkeeping
from app.repository.maintenance import purging

OK = {"result": {"code": "ok"}}
TABLES = (
    "tasks", "task_details", "task_tags", "attempts", "activities", "activity_details",
    "activity_tags",
)  # fmt: skip


@pytest.fixture
def writer(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(purging, "BREATH", 0)
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def ended(writer, activities=2):
    """A task that is completed, with everything that a task can have."""
    task, lease = writer.held(tags=["a", "b"])
    for _ in range(activities):
        body = {"taskId": task, "type": "a", "tags": ["a"]}
        assert writer.call("POST", "activities", body, lease, "consumer").status_code == 201
    assert writer.step(task, "completed", lease, OK).status_code == 200
    return task


def counts(writer):
    return [writer.database.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES]


def purged(writer, before, deleted=False):
    return sum(purging.Purge(before, deleted).run(writer.database))


def test_what_ended_before_is_removed_with_all_its_parts(writer):
    young = ended(writer)
    before, alone = clock.now(), counts(writer)
    writer.database.run(f"UPDATE tasks SET completed_at = {before}")
    for _ in range(3):
        ended(writer)
    writer.database.run(f"UPDATE tasks SET completed_at = 7 WHERE id <> {young}")
    waiting = writer.enqueue()["id"]
    assert purging.count(writer.database, before) == 3
    assert purged(writer, before) == 3
    writer.database.run(f"DELETE FROM tasks WHERE id = {waiting}")
    writer.database.run(f"DELETE FROM task_details WHERE task_id = {waiting}")
    assert counts(writer) == alone
    assert writer.task(young)["state"] == "completed"


def test_only_deleted_ones_may_be_meant(writer):
    kept, gone = ended(writer), ended(writer)
    assert writer.call("DELETE", f"tasks/{gone}", role="issuer").status_code == 204
    assert purging.count(writer.database, clock.now(), deleted=True) == 1
    assert purged(writer, clock.now(), deleted=True) == 1
    assert writer.task(kept)["state"] == "completed"
    assert writer.call("GET", f"tasks/{gone}?allow_deleted=true").status_code == 404


def test_each_transaction_is_small_and_told(writer, monkeypatch):
    monkeypatch.setattr(purging, "ACTIVITIES", 2)
    monkeypatch.setattr(purging, "BATCH", 1)
    ended(writer, 3), ended(writer, 0)
    asked = purging.Purge(clock.now(), activities=purging.Pace(1.0))
    assert list(asked.run(writer.database)) == [0, 0, 1, 1]
    assert 0 < asked.longest < 5


def test_what_is_purged_beside_other_work_stops_in_time(writer, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 1)
    for _ in range(3):
        ended(writer, 0)
    assert purging.some(writer.database, clock.now(), clock.monotonic() - 1)
    assert purging.count(writer.database, clock.now()) == 2
    assert not purging.some(writer.database, clock.now(), clock.monotonic() + 60)
    assert purging.count(writer.database, clock.now()) == 0


def test_transactions_shrink_while_they_take_long_and_grow_again():
    pace = purging.Pace(1.0)
    assert pace.of(50) == 50
    for _ in range(20):
        pace.took(purging.LONG * 2)
    assert pace.of(50) == 1
    for _ in range(20):
        pace.took(0.0)
    assert pace.of(50) == 50


def test_the_first_transaction_is_small_and_a_long_one_of_activities_slows_no_tasks(writer):
    for _ in range(30):
        ended(writer, 0)
    asked = purging.Purge(clock.now())
    first = next(asked.run(writer.database))
    assert first == int(purging.BATCH * purging.FIRST)
    asked.activities.took(10)
    assert asked.tasks.share > purging.FIRST > asked.activities.share


def test_an_interrupted_purge_is_finished_by_the_next(writer):
    for _ in range(7):
        ended(writer, 1)
    for _ in purging.Purge(clock.now()).run(writer.database):
        break
    assert purging.count(writer.database, clock.now()) > 0
    purged(writer, clock.now())
    assert purging.count(writer.database, clock.now()) == 0


def test_retention_comes_again_soon_while_there_is_more(writer, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 1)
    monkeypatch.setattr(upkeeping, "PURGING_SECONDS", 0)
    for _ in range(3):
        ended(writer, 0)
    writer.database.run("UPDATE tasks SET completed_at = 7")
    loop = upkeeping.Loop(
        service.Service(config.load({"TASKS_RETENTION_DAYS": "1"}), writer.database)
    )
    waits = []
    while purging.count(writer.database, clock.now()):
        loop.purging = 0.0
        loop.purge()
        waits.append(loop.purging - clock.monotonic())
    loop.purging = 0.0
    loop.purge()
    assert max(waits) <= upkeeping.PURGING_AGAIN_SECONDS
    assert loop.purging - clock.monotonic() > upkeeping.PURGING_AGAIN_SECONDS * 10


@pytest.mark.parametrize("age", ["0s", "150000d", "999999999d"])
def test_any_age_that_can_be_written_can_be_meant(cli, age):
    assert cli.json("purge", "--completed-before", age)["purged"] == 0


@pytest.mark.parametrize("again", ["restored", "replaced"])
def test_what_is_meant_no_longer_stays(writer, monkeypatch, again):
    """Somebody restores or replaces a task between its choice and its removal."""
    stays, goes = ended(writer), ended(writer)
    for task in (stays, goes):
        assert writer.call("DELETE", f"tasks/{task}", role="issuer").status_code == 204
    writer.database.run("UPDATE tasks SET completed_at = 7")
    changed = {"restored": "deleted_at = NULL", "replaced": "completed_at = 9"}[again]
    found = purging.rows

    def meanwhile(*given):
        answer = found(*given)
        if "completed_at >=" in given[1]:
            writer.database.run(f"UPDATE tasks SET {changed} WHERE id = {stays}")
        return answer

    monkeypatch.setattr(purging, "rows", meanwhile)
    assert purged(writer, 8, deleted=True) == 1
    assert writer.database.rows("SELECT id FROM tasks") == [(stays,)]
    assert counts(writer)[4] == 2
