"""A load is there whole or not at all, whatever stops it, and every index is back behind it."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from peewee import IntegrityError
from test_import import activity, ended, task

from app import config, database
from app.catalog.tasks import TASKS
from app.catalog.times import SECOND
from app.errors import Unavailable
from app.repository import invariants, tenants
from app.repository.figures import tallying
from app.repository.invariants import UNBOUND
from app.repository.maintenance import purging, removing, schema
from app.repository.maintenance.importing import intake, loading, reindexing
from app.repository.maintenance.importing.checking import Checker
from app.repository.maintenance.importing.loading import MANY

LATER = 1_900_000_000_000_000_000
"""Behind every time in these tests: what is born later than now is marked by itself."""
MANY_TASKS = [task(number) for number in range(1, MANY + 1)]


def opened(url, patient=False):
    """`patient`: as commands open it."""
    return database.connect(config.load({"TASKS_DATABASE_URL": url}), patient)


def indexes(base):
    if base.dialect == "sqlite":
        return sorted(base.rows("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))
    return sorted(
        base.rows(
            "SELECT table_name, index_name, seq_in_index, column_name"
            " FROM information_schema.statistics WHERE table_schema = DATABASE()"
        )
    )


def arrivals(objects):
    return [(None, item, ()) for item in objects]


class Stopped:
    """A watch that interrupts the load once the stage `label` has begun."""

    def __init__(self, label):
        self.label = label
        self.reached = False

    def begin(self, label, length):
        self.reached = label == self.label

    def at(self, done):
        if self.reached:
            raise KeyboardInterrupt


def test_a_large_load_leaves_every_index_in_place(engine):
    base = opened(engine)
    before = indexes(base)
    objects = [*MANY_TASKS, *(activity(number, of=1) for number in range(1, MANY + 1))]
    intake.take(base, arrivals(objects), tenants.root(base), 0)
    assert indexes(base) == before
    assert base.row("SELECT COUNT(*) FROM activities") == (MANY,)
    base.close()


def test_what_came_in_earlier_batches_is_remembered_in_any_order(engine, monkeypatch):
    monkeypatch.setattr(intake, "TOGETHER", 1)
    base, told = opened(engine), []
    numbers = (5, 3, 7, 3, 5, 6)
    objects = [*map(task, numbers), activity(4, of=3), activity(2, of=6, parentActivityId=4)]
    with pytest.raises(intake.NothingImported):
        intake.take(
            base, arrivals(objects), tenants.root(base), 0,
            report=lambda origin, faults: told.extend(faults),
        )  # fmt: skip
    assert [fault.message for fault in told] == ["is of another task"]
    tally = intake.take(base, arrivals(objects[:-1]), tenants.root(base), 0)
    assert (tally.tasks, tally.activities, tally.skipped) == (4, 1, 2)
    base.close()


def test_checking_takes_no_more_memory_for_more_objects(engine):
    base, held = opened(engine), []

    def many():
        for number in range(1, 5 * intake.TOGETHER + 1):
            if number % intake.TOGETHER == 0:
                held.append(sys.getallocatedblocks())
            yield None, task(number, tags=["a"], policy={"id": "p"}, context={"a": [number]}), ()

    intake.take(base, many(), tenants.root(base), 0)
    # One block kept of each object would be thrice as many.
    assert held[-1] < held[1] + 1.5 * intake.TOGETHER
    base.close()


def test_large_objects_are_checked_and_written_a_few_at_a_time(engine, monkeypatch):
    monkeypatch.setattr(intake, "HEAVY", 10_000)
    base, lengths = opened(engine), []
    take = Checker.take
    monkeypatch.setattr(
        Checker, "take", lambda self, some: lengths.append(len(some)) or take(self, some)
    )
    large = {"argument": "x" * 300, "result": {"code": "ok", "payload": "y" * 300}}
    objects = [*(ended(number, **large) for number in range(1, 131)), 5]
    intake.take(base, arrivals(objects), tenants.root(base), LATER, skip_bad=True)
    assert max(lengths) <= intake.FEW
    assert sum(lengths) == 131
    assert base.row("SELECT COUNT(*) FROM tasks") == (130,)
    base.close()


BORN = 1_000 * SECOND
SPANS = {
    "later": ([(BORN, None, BORN + 3 * SECOND)], {"started_at after": 4 * SECOND}),
    "earlier": ([(BORN, None, BORN - SECOND)], {"started_at before": SECOND}),
    "both": ([(BORN, None, BORN - 1), (BORN, None, BORN + 1)],
             {"started_at after": SECOND, "started_at before": SECOND}),
    "at once": ([(BORN, None, BORN)], {}),
    "unborn": ([(BORN, None, BORN), (None, None, BORN)],
               {"started_at after": UNBOUND, "started_at before": UNBOUND}),
    "never": ([(None, None, None)], {}),
    "no rows": ([], {}),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "bounds"), SPANS.values(), ids=SPANS)
def test_bounds_span_all_rows(rows, bounds):
    found = invariants.needed(TASKS, [(*row, None, None) for row in rows])
    assert found == {f"tasks.{name}": value for name, value in bounds.items()}


@pytest.mark.parametrize("label", ["Writing", "Building indexes"])
def test_an_interrupted_load_is_undone_or_finished_by_the_next(engine, label):
    base = opened(engine)
    before = indexes(base)
    with pytest.raises(KeyboardInterrupt):
        intake.take(base, arrivals(MANY_TASKS), tenants.root(base), 0, watch=Stopped(label))
    there = base.row("SELECT COUNT(*) FROM tasks")[0]
    assert there in (0, MANY)
    reindexing.recover(base)
    assert indexes(base) == before
    tally = intake.take(base, arrivals(MANY_TASKS), tenants.root(base), 0)
    assert (tally.tasks, tally.skipped) == ((0, MANY) if there else (MANY, 0))
    base.close()


KILLED = """
    import os, signal
    from app import config, database
    from app.repository import tenants
    from app.repository.maintenance.importing import intake
    from test_import import task

    class Killed:
        def begin(self, label, length):
            self.label = label
        def at(self, done):
            if self.label == {label!r}:
                os.kill(os.getpid(), signal.SIGKILL)

    base = database.connect(config.load())
    arrivals = ((None, task(number), ()) for number in range(1, {many} + 1))
    intake.take(base, arrivals, tenants.root(base), 0, watch=Killed())
"""


@pytest.mark.parametrize("label", ["Writing", "Building indexes"])
def test_a_killed_load_is_undone_or_finished_by_the_next(engine, label):
    base = opened(engine)
    before = indexes(base)
    base.close()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED.format(label=label, many=MANY))],
        env={**os.environ, "TASKS_DATABASE_URL": engine,
             "PYTHONPATH": f"{Path.cwd()}:{Path(__file__).parent}"},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    reindexing.recover(base)
    assert indexes(base) == before
    assert base.row("SELECT COUNT(*) FROM tasks")[0] in (0, MANY)
    assert base.row("SELECT COUNT(*) FROM tenants") == (1,)
    intake.take(base, arrivals(MANY_TASKS), tenants.root(base), 0)
    assert base.row("SELECT COUNT(*) FROM tasks") == (MANY,)
    base.close()


def test_one_load_at_a_time_on_a_server(mysql_engine, tmp_path):
    from commands import Commands

    url = mysql_engine.fresh()
    other = opened(url)
    assert reindexing.locked(other)
    cli = Commands(url, tmp_path)
    assert "another import is running" in cli.refused("import", cli.file("a.ndjson", [task(1)]))
    # What a running load has set aside is its own business.
    assert reindexing.recover(opened(url)) == []
    other.close()
    assert cli.load(task(1))["tasks"] == 1
    mysql_engine.forget(url)


def written(seconds):
    return f"2026-11-23T20:00:{seconds:02}.000000000Z"


@pytest.mark.parametrize("seed", range(40))
def test_ids_that_do_not_grow_with_time_are_noticed(tmp_path, monkeypatch, seed):
    """Whatever comes in two loads, in whatever order: the mark is there exactly when it must be."""
    monkeypatch.setattr(invariants, "PAGE", 3)
    random = Random(seed)
    base = opened(f"sqlite:///{tmp_path}/tasks.db")
    schema.upgrade(base)
    ids = random.sample(range(1, 60), 12)
    born = {number: written(number) for number in ids}
    for number in random.sample(ids, random.choice((0, 0, 1, 2))):
        born[number] = written(random.randrange(60))
    for number in random.sample(ids, 2):
        born[number] = None
    for some in (ids[:5], ids[5:]):
        objects = [task(number, enqueuedAt=born[number]) for number in some]
        intake.take(base, arrivals(objects), tenants.root(base), LATER)
    times = [born[number] for number in sorted(ids) if born[number]]
    marked = invariants.unordered(TASKS) in invariants.known(base)
    assert marked == (times != sorted(times))
    base.close()


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "beside a reader"])
def test_a_large_load_leaves_the_log_as_it_was(tmp_path, monkeypatch, shared):
    monkeypatch.setattr(loading, "ALONE", 1)
    url = f"sqlite:///{tmp_path}/tasks.db"
    base = opened(url)
    schema.upgrade(base)
    reader = opened(url)
    if shared:
        assert reader.row("SELECT COUNT(*) FROM tasks") == (0,)
    intake.take(base, arrivals(MANY_TASKS), tenants.root(base), LATER)
    assert reader.row("SELECT COUNT(*) FROM tasks") == (MANY,)
    assert reader.row("PRAGMA journal_mode") == ("wal",)
    assert base.row("PRAGMA foreign_keys") == (1,)
    reader.close()
    base.close()


def test_a_tenant_that_goes_between_check_and_load_refuses_it(engine, monkeypatch):
    base, other = opened(engine), opened(engine)
    node = tenants.create(base, "short-lived", tenants.root(base))

    def late(*given):
        removing.delete(other, node)
        loading.load(*given)

    monkeypatch.setattr(intake, "load", late)
    with pytest.raises(IntegrityError):
        intake.take(base, arrivals([{**task(1), "tenant": None}]), node, LATER)
    assert schema.empty(base)
    for one in (base, other):
        one.close()


GONE = {
    "a task": ([activity(2, of=1)], "task"),
    "a parent": ([activity(2, of=1, parentActivityId=1)], "activity"),
    "what is skipped": ([ended(1), activity(1, of=1), activity(2, of=1)], "task"),
}


@pytest.mark.parametrize(("objects", "gone"), GONE.values(), ids=GONE)
def test_what_is_purged_between_check_and_load_refuses_it(engine, monkeypatch, objects, gone):
    base, other = opened(engine, patient=True), opened(engine)
    there = [ended(1, completedAt="2020-01-01"), activity(1, of=1)]
    intake.take(base, arrivals(there), tenants.root(base), LATER)

    def late(*given):
        purge = purging.Purge(LATER)
        if gone == "task":
            assert sum(purge.run(other)) == 1
        else:  # it was interrupted in between
            assert purge.erase(other, purging.PARTS, [1]) == 1
        loading.load(*given)

    monkeypatch.setattr(intake, "load", late)
    with pytest.raises(IntegrityError):
        intake.take(base, arrivals(objects), tenants.root(base), LATER)
    assert base.row("SELECT COUNT(*) FROM activities") == (0,)
    for one in (base, other):
        one.close()


def test_a_purge_that_comes_during_a_load_takes_its_activities_too(engine, monkeypatch):
    base, other = opened(engine, patient=True), opened(engine)
    monkeypatch.setattr(purging, "BREATH", 0)
    intake.take(base, arrivals([ended(1, completedAt="2020-01-01")]), tenants.root(base), LATER)

    with ThreadPoolExecutor(1) as elsewhere:
        purge = []

        class Meanwhile:
            def begin(self, label, length):
                pass

            def at(self, done):
                if not purge:
                    purge.append(elsewhere.submit(lambda: sum(purging.Purge(LATER).run(other))))
                    with suppress(TimeoutError):
                        purge[0].result(0.3)

        intake.take(
            base, arrivals([activity(2, of=1)]), tenants.root(base), LATER, watch=Meanwhile()
        )
        assert purge[0].result(9) == 1
    assert schema.empty(base)
    assert base.row("SELECT COUNT(*) FROM activities") == (0,)
    base.close()


def test_a_load_keeps_nobody_from_the_tasks_that_are_at_work(engine):
    base, other = opened(engine, patient=True), opened(engine)
    intake.take(base, arrivals([task(1, state="started")]), tenants.root(base), LATER)
    changed = []

    class Meanwhile:
        def begin(self, label, length):
            pass

        def at(self, done):
            if other.dialect == "mysql":  # SQLite has one writer at a time
                changed.append(other.run("UPDATE tasks SET revision = 2 WHERE id = 1"))

    intake.take(base, arrivals([activity(2, of=1)]), tenants.root(base), LATER, watch=Meanwhile())
    assert changed == [1] * (other.dialect == "mysql")
    for one in (base, other):
        one.close()


def test_a_load_is_there_also_when_nobody_can_fold_it(engine, monkeypatch):
    def busy(_):
        raise Unavailable(reason="the database is busy")

    monkeypatch.setattr(tallying, "fold_all", busy)
    base = opened(engine)
    done = intake.take(base, arrivals([task(1)]), tenants.root(base), LATER)
    assert done.tasks == 1
    base.close()
