"""The engines of the tests themselves: every test begins with an empty database."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import config, database
from app.errors import Unavailable
from app.repository.maintenance import schema


@pytest.fixture
def connected(engine):
    opened = database.connect(config.load({"TASKS_DATABASE_URL": engine}))
    yield opened
    opened.close()


@pytest.mark.parametrize("turn", range(2))
def test_a_fresh_database_is_migrated_and_holds_the_root_tenant_alone(connected, turn):
    assert schema.current(connected)
    assert connected.rows("SELECT id, locator FROM tenants") == [(1, "/1/")]
    connected.run("INSERT INTO queues (name) VALUES ('left over')")
    assert connected.rows("SELECT name FROM queues") == [("left over",)]


def test_of_several_upgrades_at_once_each_migration_is_applied_by_one(blank):
    def upgraded(_):
        connected = database.connect(config.load({"TASKS_DATABASE_URL": blank}), patient=True)
        together.wait(9)
        try:
            return schema.upgrade(connected)
        finally:
            connected.close()

    together = threading.Barrier(3)
    with ThreadPoolExecutor(3) as several:
        applied = list(several.map(upgraded, range(3)))
    connected = database.connect(config.load({"TASKS_DATABASE_URL": blank}))
    assert sorted(applied) == [[], [], [row.name for row in schema.status(connected)]]
    connected.close()


def test_an_upgrade_does_not_wait_for_another_one_for_good(blank, monkeypatch):
    monkeypatch.setattr(schema, "PATIENCE_SECONDS", 0)
    one, other = (database.connect(config.load({"TASKS_DATABASE_URL": blank})) for _ in range(2))
    with schema.alone(one), pytest.raises(Unavailable, match="another upgrade is running"):
        schema.upgrade(other)
    assert schema.upgrade(other)
    for each in (one, other):
        each.close()


def test_an_upgrade_ends_where_the_server_gives_out_no_lock(mysql_engine, monkeypatch):
    """Asked for a lock without a name it answers what it does when a wait is ended: NULL."""
    monkeypatch.setattr(schema, "LOCK", None)
    blank = mysql_engine.blank()
    connected = database.connect(config.load({"TASKS_DATABASE_URL": blank}))
    began = time.monotonic()
    with pytest.raises(Unavailable, match="gives out no lock"):
        schema.upgrade(connected)
    assert time.monotonic() - began < 5
    connected.close()


def test_a_blank_database_has_no_migration_applied(blank):
    connected = database.connect(config.load({"TASKS_DATABASE_URL": blank}))
    assert not schema.current(connected)
    assert schema.upgrade(connected)
    assert schema.current(connected)
    connected.close()


def test_who_writes_keeps_more_pages_of_sqlite_s_than_each_thread(sqlite_engine):
    url = sqlite_engine.fresh()
    connected = database.connect(config.load({"TASKS_DATABASE_URL": url}))
    with connected.write_transaction():
        connected.run("INSERT INTO queues (name) VALUES ('first')")
    with connected.near_writes():
        assert connected.rows("PRAGMA cache_size") == [(-16_384,)]
    assert connected.rows("PRAGMA cache_size") == [(-4_096,)]
    connected.close()
    sqlite_engine.forget(url)
