"""Connections and transactions: what is waited for, what is refused, what may be run again."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

import mariadb
import pytest

from app import config, database
from app.catalog.tasks import TASKS
from app.errors import Unavailable
from app.repository import invariants
from app.repository.lists import sampling

BOUND = invariants.after(TASKS, "completed_at")


@pytest.fixture
def connected(engine):
    given = {"TASKS_DATABASE_URL": engine, "TASKS_DATABASE_TIMEOUT": 1}
    with closing(database.connect(config.load(given))) as opened:
        yield opened


def test_a_lock_that_is_not_let_go_is_waited_for_as_long_as_was_set(connected):
    def act():
        with closing(connected), connected.write_transaction():
            connected.run("UPDATE tenants SET name = 'theirs' WHERE id = 1")

    with ThreadPoolExecutor(1) as elsewhere, connected.write_transaction():
        connected.run("UPDATE tenants SET name = 'ours' WHERE id = 1")
        refusal = elsewhere.submit(act).exception(timeout=5)
        assert str(refusal) == str(Unavailable(reason="the database is busy"))
    assert connected.rows("SELECT name FROM tenants") == [("ours",)]


def test_two_writers_may_need_the_same_bound_for_the_first_time(connected):
    def act():
        with closing(connected), connected.write_transaction():
            invariants.widen(connected, {BOUND: 16})

    with ThreadPoolExecutor(1) as elsewhere:
        with connected.write_transaction():
            invariants.widen(connected, {BOUND: 8})
            other = elsewhere.submit(act)
            wait([other], timeout=0.2)  # for it to meet what is not committed yet
        assert other.exception() is None
    assert invariants.known(connected)[BOUND] == 16


def test_a_connection_that_is_lost_in_a_transaction_is_not_opened_again_to_undo_it(connected):
    def act():
        with connected.write_transaction():
            connected.engine.connection().close()
            connected.rows("SELECT 1")

    with pytest.raises(Unavailable):
        act()
    assert connected.engine.is_closed()


def test_a_connection_that_was_lost_while_it_lay_idle_is_replaced(mysql_engine):
    given = {"TASKS_DATABASE_URL": mysql_engine.fresh(), "TASKS_DATABASE_TIMEOUT": 1}
    with closing(database.connect(config.load(given))) as connected:

        def lose():
            (number,) = connected.row("SELECT CONNECTION_ID()")
            connected.release()
            with closing(mariadb.raw(mysql_engine.server)) as other:
                other.cursor().execute(f"KILL {number}")

        lose()
        assert connected.rows("SELECT name FROM tenants") == [("root",)]
        lose()
        with connected.write_transaction():
            connected.run("UPDATE tenants SET name = 'ours' WHERE id = 1")
        assert connected.rows("SELECT name FROM tenants") == [("ours",)]


def test_a_collection_that_is_believed_large_may_be_empty(connected):
    assert sampling.spots(connected, TASKS, 10**6) == [None]


def test_all_who_write_share_a_connection_and_who_reads_has_his_own(sqlite_engine):
    given = {"TASKS_DATABASE_URL": sqlite_engine.fresh()}
    with closing(database.connect(config.load(given))) as connected:

        def written(name):
            with connected.write_transaction():
                used = connected.engine.connection()
                connected.run("UPDATE tenants SET name = ? WHERE id = 1", (name,))
            assert connected.rows("SELECT name FROM tenants") == [(name,)]
            assert connected.engine.connection() is not used
            return used

        with ThreadPoolExecutor(1) as elsewhere:
            theirs = elsewhere.submit(written, "theirs").result()
        assert written("ours") is theirs


def test_after_a_write_that_failed_the_next_one_succeeds(connected):
    def fail(broken):
        with connected.write_transaction():
            connected.run("UPDATE tenants SET name = 'undone' WHERE id = 1")
            if broken and connected.dialect == "sqlite":
                connected.engine.connection().close()
            raise ZeroDivisionError

    for broken in (True, False):
        with pytest.raises(ZeroDivisionError):
            fail(broken)
        with connected.write_transaction():
            connected.run("UPDATE tenants SET name = 'done' WHERE id = 1")
        assert connected.rows("SELECT name FROM tenants") == [("done",)]
