"""Bounds that were too wide narrow again, whoever writes meanwhile."""

import pytest
from writers import Writer

from app import clock, config, database
from app.catalog.tasks import TASKS
from app.catalog.times import SECOND
from app.errors import Unavailable
from app.failures import BUSY, Fate
from app.repository import apart, invariants
from app.repository.maintenance import examining, remeasuring, schema
from app.repository.maintenance.importing import reindexing
from app.repository.work import facts
from app.repository.work.facts import GOOD_SECONDS

MONTHS = 100 * 86_400 * SECOND
WIDE = invariants.rounded(MONTHS)
ASSIGNED = invariants.after(TASKS, "assigned_at")


@pytest.fixture
def writer(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(remeasuring, "sleep", lambda seconds: None)
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def old(writer):
    """A task that was enqueued months ago."""
    task = writer.enqueue()["id"]
    writer.database.run(f"UPDATE tasks SET enqueued_at = enqueued_at - {MONTHS} WHERE id = {task}")
    return task


def widened(base):
    with base.write_transaction():
        invariants.widen(base, dict.fromkeys(remeasuring.names(), WIDE))


def right(base):
    """Whether all rows keep to the bounds, or are listed."""
    return examining.unbounded(TASKS)(base) == ""


def test_bounds_that_no_row_needs_narrow(writer):
    for _ in range(2):
        writer.enqueue()
    writer.claim()
    widened(writer.database)
    reindexing.mend(writer.database)
    known = invariants.known(writer.database)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (apart.FLOOR, ())
    assert invariants.measured(TASKS) not in known
    assert not remeasuring.remeasure(writer.database)


def test_the_few_rows_that_need_wide_bounds_are_listed(writer):
    task = old(writer)
    widened(writer.database)
    writer.claim()
    assert apart.ids(TASKS, invariants.known(writer.database)) == ()
    remeasuring.remeasure(writer.database)
    known = invariants.known(writer.database)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (apart.FLOOR, (task,))
    assert right(writer.database)


def test_where_many_rows_need_them_they_stay(writer, monkeypatch):
    monkeypatch.setattr(remeasuring, "FEW", 1)
    for _ in range(2):
        old(writer)
    widened(writer.database)
    writer.claim(2)
    assert not remeasuring.remeasure(writer.database)
    assert invariants.known(writer.database)[ASSIGNED] == WIDE


@pytest.mark.parametrize("late", [0, 2 * GOOD_SECONDS])
def test_who_remembers_wide_bounds_while_they_narrow_loses_nothing(
    writer, engine, tmp_path, monkeypatch, late
):
    """Its row is found, or it has read the bounds anew."""
    task = old(writer)
    widened(writer.database)
    facts.refresh_bounds(writer.database)
    now = clock.monotonic

    def meanwhile(seconds):
        monkeypatch.setattr(clock, "monotonic", lambda: now() + late)
        assert task in [item["id"] for item in writer.claim(2)]

    monkeypatch.setattr(remeasuring, "sleep", meanwhile)
    other = database.connect(config.load({"TASKS_DATABASE_URL": engine}), patient=True)
    remeasuring.remeasure(other)
    known = invariants.known(other)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (apart.FLOOR, (task,))
    assert right(other)
    other.close()


def interrupted(base, monkeypatch):
    """Measured anew, and killed half way."""

    def killed(seconds):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(remeasuring, "sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            remeasuring.remeasure(base)


def test_what_was_interrupted_is_made_good_by_a_rerun(writer, monkeypatch):
    task = old(writer)
    widened(writer.database)
    writer.claim()
    interrupted(writer.database, monkeypatch)
    assert invariants.measured(TASKS) in invariants.known(writer.database)
    assert remeasuring.remeasure(writer.database)
    known = invariants.known(writer.database)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (apart.FLOOR, (task,))
    assert invariants.measured(TASKS) not in known


def test_code_from_before_does_not_rely_on_bounds_that_were_half_narrowed(writer, monkeypatch):
    old(writer)
    widened(writer.database)
    writer.claim()
    interrupted(writer.database, monkeypatch)
    while "0007_rows_apart" not in schema.downgrade(writer.database):
        pass
    known = invariants.known(writer.database)
    schema.upgrade(writer.database)
    assert known[ASSIGNED] == invariants.UNBOUND
    assert invariants.measured(TASKS) not in known


def test_what_was_interrupted_is_told(writer, monkeypatch):
    old(writer)
    widened(writer.database)
    interrupted(writer.database, monkeypatch)
    assert "--mend" in examining.unbounded(TASKS)(writer.database)
    remeasuring.remeasure(writer.database)
    assert right(writer.database)


def test_when_a_writer_wants_the_same_rows_it_is_done_once_more(writer, monkeypatch):
    task, add = old(writer), apart.add
    widened(writer.database)
    writer.claim()
    deadlock = Unavailable(BUSY)
    deadlock.fate = Fate.UNDONE
    failures = [deadlock]

    def refused(*asked):
        if failures:
            raise failures.pop()
        add(*asked)

    monkeypatch.setattr(apart, "add", refused)
    remeasuring.remeasure(writer.database)
    known = invariants.known(writer.database)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (apart.FLOOR, (task,))
