"""The engines of the tests themselves: every test begins with an empty database."""

import pytest

from app import config, database
from app.repository import schema


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


def test_a_blank_database_has_no_migration_applied(blank):
    connected = database.connect(config.load({"TASKS_DATABASE_URL": blank}))
    assert not schema.current(connected)
    assert schema.upgrade(connected)
    assert schema.current(connected)
    connected.close()
