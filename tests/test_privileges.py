"""A MySQL account that may not do all: what follows is said, and the service goes on."""

import json
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import mariadb
import pytest
import worlds
from commands import Commands

from app.catalog.tallies import TALLIES
from app.engines import mysql_driver
from app.repository.figures import hooking, refilling
from app.repository.maintenance.importing import loading, reindexing
from app.service import service_of

USUAL = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES"
SEEING = f"{USUAL}, CREATE TEMPORARY TABLES"
PASSWORD = "limited"


@contextmanager
def account(url, privileges):
    """An account with no more than these privileges on a database -> its address."""
    parts, name = urlsplit(url), url.rpartition("/")[2]
    user = f"limited_{name}@'127.0.0.1'"
    with closing(mariadb.raw(url)) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute(f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT {privileges} ON {name}.* TO {user}")
        except mysql_driver.Error as error:
            pytest.skip(f"the account of the tests makes no others: {error}")
        yield f"mysql://limited_{name}:{PASSWORD}@127.0.0.1:{parts.port}/{name}"
        cursor.execute(f"DROP USER {user}")


@pytest.fixture
def whole(mysql_engine, tmp_path):
    """Commands under an account that may do all; the triggers are there behind the test."""
    made = Commands(mysql_engine.fresh(), tmp_path)
    yield made
    base = service_of(made.app).database
    reindexing.recover(base)
    assert not refilling.uncounted(base)
    base.close()


@contextmanager
def limited(whole, privileges):
    """Commands under an account with no more than these privileges."""
    url = service_of(whole.app).settings.database_url
    with account(url, privileges) as own:
        made = Commands(own, whole.folder)
        yield made
        service_of(made.app).database.close()


def wrong(cli):
    """What the doctor finds wrong: check to words."""
    found = json.loads(cli.run("doctor", "--json").stdout)
    return {row["check"]: row["wrong"] for row in found if not row["ok"]}


FIGURES = [f"figures of {tally.table} are kept" for tally in TALLIES]


NOTHING = "SELECT name, name FROM queues WHERE 1 = 0"
"""What MySQL shows of triggers to who lacks the privilege; MariaDB shows their names."""


@pytest.mark.parametrize("kept", [True, False])
def test_who_lacks_the_privilege_trigger_is_told_so(whole, monkeypatch, kept):
    for tally in TALLIES if not kept else ():
        hooking.unhook(service_of(whole.app).database, tally)
    follows = "whether triggers keep them cannot be seen" if kept else "rows are counted instead"
    with limited(whole, SEEING) as cli:
        reindexing.recover(service_of(cli.app).database)
        assert set(wrong(cli)) == (set() if kept else set(FIGURES))
        monkeypatch.setitem(hooking.THERE, "mysql", NOTHING)
        found = wrong(cli)
        monkeypatch.undo()
    assert set(found) == set(FIGURES)
    assert {words.partition(";")[0] for words in found.values()} == {
        f"the account lacks the privilege TRIGGER: {follows}"
    }


def test_who_lacks_it_counts_anew_where_triggers_are(whole):
    """Whoever made them: what they do cannot be seen, and is believed."""
    for tally in TALLIES:
        hooking.forget(service_of(whole.app).database, tally)
    with limited(whole, SEEING) as cli:
        assert cli.run("doctor", "--mend").exit_code == 0
        assert not refilling.uncounted(service_of(cli.app).database)


def test_who_may_make_no_temporary_tables_counts_rows(whole, caplog):
    """And no trigger writes changes down that nobody would ever fold."""
    for tally in TALLIES:
        hooking.unhook(service_of(whole.app).database, tally)
    with limited(whole, f"{USUAL}, TRIGGER") as cli:
        base = service_of(cli.app).database
        reindexing.recover(base)
        assert all(len(hooking.lost(base, tally)) == len(hooking.EVENTS) for tally in TALLIES)
        assert set(wrong(cli)) == set(FIGURES)
        told = cli.refused("doctor", "--mend")
    assert caplog.text.count("no figures are kept, rows are counted") == len(TALLIES)
    assert "the database does not allow that to the account: 1044 Access denied" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("missing", ["TRIGGER", "CREATE TEMPORARY TABLES"])
def test_an_upgrade_without_a_privilege_makes_no_figures(mysql_engine, tmp_path, missing):
    url = mysql_engine.blank()
    others = {"TRIGGER", "CREATE TEMPORARY TABLES"} - {missing}
    with account(url, ", ".join((USUAL, *others))) as own:
        cli = Commands(own, tmp_path)
        assert cli.run("db", "upgrade").exit_code == 0
        base = service_of(cli.app).database
        assert all(len(hooking.lost(base, tally)) == len(hooking.EVENTS) for tally in TALLIES)
        assert set(wrong(cli)) == set(FIGURES)
        base.close()


def test_a_load_leaves_the_triggers_to_whom_they_belong(whole, monkeypatch):
    """Who may not drop them cannot set them aside; they note what it writes."""
    monkeypatch.setattr(loading, "MANY", 2)
    world = worlds.world(3)
    with limited(whole, SEEING) as cli:
        assert cli.load(*world["tasks"], *world["activities"])["tasks"] == len(world["tasks"])
        assert wrong(cli) == {}
