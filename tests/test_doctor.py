"""`flask doctor` finds what is not as promised, and counts anew what it may."""

import json

import pytest
import worlds

from app import config, database
from app.catalog.tallies import TALLIES
from app.repository.figures import refilling


@pytest.fixture
def base(engine):
    made = database.connect(config.load({"TASKS_DATABASE_URL": engine}))
    yield made
    made.close()


@pytest.fixture
def filled(cli):
    world = worlds.world(3)
    cli.load(*world["tasks"], *world["activities"])
    return cli


def wrong(cli, *options):
    """What the doctor finds wrong: check to words."""
    result = cli.run("doctor", "--json", *options)
    found = {row["check"]: row["wrong"] for row in json.loads(result.stdout) if not row["ok"]}
    assert result.exit_code == (1 if found else 0), result.stderr
    return found


def test_a_sound_database_passes(filled):
    assert wrong(filled) == {}
    result = filled.run("doctor")
    assert result.exit_code == 0
    assert all(line.startswith("ok     ") for line in result.stdout.splitlines())
    filled.run("reap", "--once")
    assert wrong(filled) == {}


def test_an_empty_one_passes(cli):
    assert wrong(cli) == {}


DAMAGE = {
    "figures of tasks say what counting says": "UPDATE task_tallies SET n = n + 1 WHERE node = 1",
    "figures of activities say what counting says": "DELETE FROM activity_tallies",
    "figures of tasks are kept": "DROP TRIGGER tasks_tallied_update",
    "figures of activities are kept": "DELETE FROM activity_tally_nodes",
    "indexes are there": "DROP INDEX tasks_due_at{on}",
    "tenants are where their locators say": "UPDATE tenants SET branch_id = 150 WHERE id = 210",
    "tasks name what is there": "UPDATE tasks SET queue_id = 999 WHERE state = 5",
    "activities name what is there": "DELETE FROM activity_details",
    "remembered bounds hold for tasks": "DELETE FROM invariants WHERE name LIKE 'tasks.%'",
    "tags of tasks are those of their details": "DELETE FROM task_tags",
    "tags of activities are those of their details": "UPDATE activity_details SET tags = NULL",
    "tags of tasks have their times": "UPDATE task_tags SET completed_at = 7",
    "enqueued tasks can be claimed or will be":
        "UPDATE tasks SET ready = 0, due_at = NULL WHERE state = 1",
}  # fmt: skip
"""The check that fails, and what makes it."""


@pytest.mark.parametrize("check", DAMAGE)
def test_what_is_damaged_is_found(filled, base, check):
    text = DAMAGE[check].format(on=" ON tasks" if base.dialect == "mysql" else "")
    base.run(text.replace("%", "%%") if base.dialect == "mysql" else text)
    try:
        found = wrong(filled)
        assert check in found, found
        line = next(line for line in filled.run("doctor").stdout.splitlines() if check in line)
        assert line.startswith("WRONG  ")
    finally:
        if "INDEX" in text:
            base.run("CREATE INDEX tasks_due_at ON tasks (due_at)")
        for tally in TALLIES:
            refilling.mend(base, tally)


@pytest.mark.parametrize("check", [name for name in DAMAGE if name.startswith("figures")])
def test_figures_are_counted_anew(filled, base, check):
    base.run(DAMAGE[check])
    assert check in wrong(filled)
    assert wrong(filled, "--mend") == {}


def test_nothing_is_looked_at_before_it_is_migrated(filled, base):
    filled.run("db", "downgrade")
    assert list(wrong(filled, "--mend")) == ["the database is at the newest migration"]
    filled.run("db", "upgrade")
    assert wrong(filled) == {}


def test_an_index_that_an_older_version_has_built_is_found(filled, base):
    on = " ON tasks" if base.dialect == "mysql" else ""
    base.run(f"DROP INDEX tasks_user_id{on}")
    base.run("CREATE INDEX tasks_user_id ON tasks (user_id)")
    found = wrong(filled)["indexes are there"]
    assert found.startswith("tasks_user_id (it has other columns")
    base.run(f"DROP INDEX tasks_user_id{on}")
    filled.run("db", "upgrade")
    assert wrong(filled) == {}
