"""Figures that are made, set aside or restored while others fold, and by who dies in between."""

import threading

import pytest
from test_tallies import check
from writers import Writer

from app import database, upkeeping
from app.catalog.tallies import TALLIES
from app.errors import Unavailable
from app.repository import tenants
from app.repository.figures import hooking, refilling, tallying
from app.repository.maintenance import removing, schema
from app.repository.maintenance.importing import reindexing
from app.service import service_of

TASKS = TALLIES[0]


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    reindexing.recover(made.database)
    made.close()


def opened(writer):
    """Another process's connection, as commands have it."""
    return database.connect(service_of(writer.app).settings, patient=True)


class Killed(BaseException):
    """The process ends here."""


def dying(base, monkeypatch, words, times=1):
    """The process dies before it says its `times`th statement that begins with `words`."""
    run, left = base.run, [times]

    def fatal(sql, values=()):
        if sql.startswith(words):
            left[0] -= 1
            if not left[0]:
                raise Killed
        return run(sql, values)

    monkeypatch.setattr(base, "run", fatal)


def right(base):
    """There are figures, kept by triggers, and they are what counting says; or there are none."""
    for tally in TALLIES:
        if hooking.kept(base, tally):
            assert set(hooking.triggers(base, tally)) <= names(base)
    if all(hooking.kept(base, tally) for tally in TALLIES):
        check(base)


def names(base):
    """The triggers that are there."""
    text = {"sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
            "mysql": "SELECT trigger_name FROM information_schema.triggers"
                     " WHERE trigger_schema = DATABASE()"}  # fmt: skip
    return {row[0] for row in base.rows(text[base.dialect])}


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("words", ["DROP TRIGGER", "CREATE TRIGGER"])
@pytest.mark.parametrize("damage", ["nothing", "no trigger", "another trigger"])
def test_who_dies_while_figures_are_mended_leaves_none_that_are_wrong(
    writer, monkeypatch, damage, words, times
):
    base = opened(writer)
    writer.enqueue()
    name = hooking.trigger(TASKS, "insert")
    if damage != "nothing":
        base.run(f"DROP TRIGGER {name}")
    if damage == "another trigger":
        text = hooking.triggers(base, TASKS)[name]
        base.run(text.replace("NEW.priority", "NEW.priority + 1"))
    with monkeypatch.context() as patch:
        dying(base, patch, words, times)
        try:
            refilling.mend(base, TASKS)
        except Killed:
            base.discard()
            if base.dialect == "sqlite" and damage == "another trigger":
                refilling.mend(base, TASKS)  # nothing had happened
    writer.enqueue()
    reindexing.recover(base)
    assert not refilling.uncounted(base)
    check(base)
    base.close()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_who_dies_while_figures_step_aside_leaves_none_that_are_wrong(writer, monkeypatch, times):
    """As a load does on MySQL, which commits each statement by itself."""
    base = opened(writer)
    writer.enqueue()
    with monkeypatch.context() as patch:
        dying(base, patch, "DROP TRIGGER", times)
        with pytest.raises(Killed):
            refilling.step_aside(base, ["tasks"])
        base.discard()
    writer.enqueue()
    right(base)
    reindexing.recover(base)
    assert not refilling.uncounted(base)
    check(base)
    base.close()


def test_an_interrupted_downgrade_leaves_no_figures_that_are_wrong(writer, monkeypatch):
    base = opened(writer)
    writer.enqueue()
    said, told = base.engine.execute_sql, []

    def fatal(sql, *more):
        if told:
            raise Killed
        if sql.startswith("DROP TRIGGER"):
            told.append(sql)
        return said(sql, *more)

    with monkeypatch.context() as patch:
        patch.setattr(base.engine, "execute_sql", fatal)
        with pytest.raises(Killed):
            schema.downgrade(base, "0005_add_tallies")
        base.discard()
    writer.enqueue()
    schema.upgrade(base)
    reindexing.recover(base)
    assert not refilling.uncounted(base)
    check(base)
    base.close()


@pytest.mark.parametrize("event", hooking.EVENTS)
def test_figures_without_a_trigger_are_made_anew_by_the_next_start(writer, event):
    """A dump that was put back by hand may hold the figures alone."""
    base = writer.database
    base.run(f"DROP TRIGGER {hooking.trigger(TASKS, event)}")
    writer.enqueue()
    assert writer.claim()
    reindexing.recover(base)
    assert not refilling.uncounted(base)
    check(base)


def test_figures_are_mended_while_others_fold_all_the_time(writer, monkeypatch):
    base, other, writing = writer.database, opened(writer), hooking.writing

    def folding(of):
        writer.enqueue()
        tallying.fold(other, TASKS)
        return writing(of)

    third = opened(writer)
    monkeypatch.setattr(hooking, "writing", folding)
    refilling.mend(third, TASKS)
    monkeypatch.undo()
    check(base)
    assert not refilling.uncounted(base)
    third.close()
    other.close()


def test_two_who_make_figures_at_once_miss_nothing(writer):
    """What one has gathered is void once the other's figures were folded into."""
    base, other = opened(writer), opened(writer)
    hooking.unhook(base, TASKS)
    hooking.hook(base, TASKS)
    writer.enqueue()
    with refilling.gathered(base, TASKS) as folds:
        refilling.mend(other, TASKS)
        tallying.fold_all(other)
        with base.write_transaction():
            assert not refilling.replaced(base, TASKS, folds)
    check(base)
    for one in (base, other):
        one.close()


def test_figures_that_were_made_anew_are_not_those_of_before(writer):
    """However often they were folded: the counts may be the same."""
    base, other = opened(writer), opened(writer)
    writer.enqueue()
    refilling.mend(other, TASKS)
    with refilling.gathered(base, TASKS) as folds:
        tallying.fold_all(other)
        hooking.forget(other, TASKS)
        refilling.mend(other, TASKS)
        with base.write_transaction():
            assert not refilling.replaced(base, TASKS, folds)
    check(base)
    for one in (base, other):
        one.close()


def test_a_tenant_that_goes_while_figures_are_made_is_not_counted(writer):
    base, other = opened(writer), opened(writer)
    node = tenants.create(other, "short-lived", tenants.by_ids(other, [2])[2])
    task = writer.enqueue()["id"]
    tallying.fold_all(other)
    other.run(f"UPDATE tasks SET tenant_id = {node.id} WHERE id = {task}")
    other.run(f"UPDATE tasks SET tenant_id = 3 WHERE id = {task}")
    hooking.forget(other, TASKS)
    with refilling.gathered(base, TASKS) as folds:
        removing.delete(other, node)
        with base.write_transaction():
            assert not refilling.replaced(base, TASKS, folds)
    refilling.mend(base, TASKS)
    check(base)
    for one in (base, other):
        one.close()


def test_mending_waits_for_no_one_who_reads(mysql_engine, tmp_path):
    """Where the triggers are right they are left alone: to change them waits for all readers, and
    all others behind it."""
    writer = Writer(mysql_engine.fresh(), tmp_path)
    base, reader = opened(writer), opened(writer)
    writer.enqueue()
    done = threading.Event()

    def mend():
        refilling.mend(base, TASKS)
        done.set()
        base.close()

    with reader.read_transaction():
        reader.rows("SELECT COUNT(*) FROM tasks")
        thread = threading.Thread(target=mend)
        thread.start()
        assert done.wait(10)
    thread.join()
    reader.close()
    writer.close()


def test_the_process_that_leads_counts_forgotten_figures_anew(writer):
    """Whoever did so has given up, or died over it, and nobody starts anything."""
    base, loop = writer.database, upkeeping.Loop(service_of(writer.app))
    writer.enqueue()
    hooking.forget(base, TASKS)
    writer.enqueue()
    loop.turn()
    assert refilling.forgotten(base) == [TASKS]
    loop.refilling = 0
    assert loop.turn() is not None
    loop.refiller.join(30)
    assert not refilling.uncounted(base)
    check(base)


def test_figures_without_triggers_are_left_to_a_start(writer):
    """To make triggers waits for all who use the table."""
    base, loop = writer.database, upkeeping.Loop(service_of(writer.app))
    hooking.unhook(base, TASKS)
    loop.refilling = 0
    loop.turn()
    assert not loop.refiller.is_alive()
    assert refilling.uncounted(base) == [TASKS]


def test_figures_are_not_mended_while_a_load_is_under_way(mysql_engine, tmp_path, monkeypatch):
    """It has set the triggers aside: new figures would miss all its rows."""
    writer = Writer(mysql_engine.fresh(), tmp_path)
    base, loader = opened(writer), opened(writer)
    monkeypatch.setattr(reindexing, "PATIENCE", 0)
    assert reindexing.locked(loader)
    with pytest.raises(Unavailable):
        reindexing.mend(base)
    hooking.forget(base, TASKS)
    reindexing.refill(base)
    assert refilling.forgotten(base) == [TASKS]
    reindexing.unlock(loader)
    reindexing.mend(base)
    for one in (base, loader):
        one.close()
    writer.close()
