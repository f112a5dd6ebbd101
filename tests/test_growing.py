"""A database that grows while it is used: newer migrations, indexes that are missing, waiting."""

import re
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from commands import Commands
from writers import Writer

from app import config, database, starting
from app.catalog.indexes import INDEXES
from app.errors import Unavailable
from app.failures import BEHIND, NO_INDEX
from app.repository import indexing
from app.repository.maintenance import schema
from app.repository.maintenance.importing import reindexing

OURS = schema.FOLDER
NEWER = "9999_add_something"
FOREIGN = "9999_something_else"
LOST = "tasks_completed_at"
SIMPLE = """
from migrations.growing import add_column, add_index, drop_index

atomic = False

def up(migrator, db):
    add_column(db, "tasks", "novelty", "INTEGER", "BIGINT")
    add_index(db, "tasks", "tasks_novelty", "novelty, id", "novelty IS NOT NULL")
    {between}
    add_index(db, "tasks", "tasks_novelty_state", "novelty, state")

def down(migrator, db):
    for name in ("tasks_novelty", "tasks_novelty_state"):
        drop_index(db, "tasks", name)
    db.execute_sql("ALTER TABLE tasks DROP COLUMN novelty")
"""
ADDING = re.compile(
    r"CREATE TABLE IF NOT EXISTS |CREATE INDEX |ALTER TABLE \w+ ADD (COLUMN|INDEX) |(?i:SELECT) "
    r"|(ALTER TABLE \w+ )?DROP INDEX (IF EXISTS )?(\w+),? (ADD|CREATE) INDEX \4 "
    r"|PRAGMA |SHOW |SET SESSION "
    r"|(DROP TRIGGER IF EXISTS|CREATE TRIGGER) \w+_tallied_|(DELETE FROM|INSERT INTO) \w+_tall"
    r"|(CREATE TEMPORARY TABLE|DROP TABLE( IF EXISTS)?) \w+_fresh|BEGIN|COMMIT"
    r"|(INSERT INTO|CREATE UNIQUE INDEX IF NOT EXISTS) .schema_migration"
)


def opened(url):
    return database.connect(config.load({"TASKS_DATABASE_URL": url}), patient=True)


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


@pytest.fixture
def cli(engine, tmp_path):
    return Commands(engine, tmp_path)


def applied(base, name):
    schema.runner(base).History.create(name=name)


def drop(base, name, table="tasks"):
    base.run(f"DROP INDEX {name}" + ("" if base.dialect == "sqlite" else f" ON {table}"))


def test_what_a_newer_version_has_added_is_said_and_does_no_harm(writer, cli, capsys):
    applied(writer.database, NEWER)
    answer = writer.http.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert answer.json["note"] == (
        f"the database has the newer migration {NEWER}, which only adds:"
        " this version of the program goes on"
    )
    starting.fit(writer.database)
    assert f"note: the database has the newer migration {NEWER}" in capsys.readouterr().err
    assert cli.run("tenants", "list").exit_code == 0
    status = cli.run("db", "status")
    assert (status.exit_code, NEWER in status.stderr) == (0, True)
    assert cli.json("db", "upgrade") == {"applied": []}


def test_what_a_newer_version_has_changed_otherwise_is_refused(writer, cli):
    applied(writer.database, FOREIGN)
    words = f"has the migration {FOREIGN}, which this version of the program does not know"
    answer = writer.http.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert words in answer.json["detail"]
    with pytest.raises(starting.CannotStart, match=words):
        starting.fit(writer.database)
    assert words in cli.refused("tenants", "list")
    assert cli.run("db", "status").exit_code == 1


def test_a_pending_migration_is_named(writer):
    newest = schema.status(writer.database)[-1].name
    schema.downgrade(writer.database)
    answer = writer.http.get("/readyz")
    schema.upgrade(writer.database)
    assert answer.status_code == 503
    assert f"not at the newest migration: {newest} is pending" in answer.json["detail"]


def test_calls_of_a_database_without_its_tables_say_so(writer):
    for _ in schema.status(writer.database):
        schema.downgrade(writer.database)
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    answer = writer.http.post("/api/2/idp/token", data=form)
    schema.upgrade(writer.database)
    assert answer.status_code == 503
    assert BEHIND in answer.json["error_description"]


def test_a_missing_index_is_named_and_a_rerun_builds_it(writer, cli):
    writer.enqueue()
    drop(writer.database, LOST)
    answer = writer.call("GET", "tasks?order=desc(completedAt)&limit=10", role="viewer")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert NO_INDEX in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    ready = writer.http.get("/readyz")
    assert (ready.status_code, f"lacks the index {LOST}" in ready.json["detail"]) == (503, True)
    status = cli.run("db", "status")
    assert (status.exit_code, f"The database lacks the index {LOST}." in status.stderr) == (1, True)
    told = cli.run("db", "upgrade")
    assert told.stdout == f"Built the index {LOST}, which was missing.\n"
    assert writer.http.get("/readyz").json == {"status": "ok"}
    assert writer.call("GET", "tasks?order=desc(completedAt)&limit=10").status_code == 200


def test_a_claim_without_its_index_is_refused_alike(writer):
    writer.enqueue()
    for index in (row for row in INDEXES if "ready" in row.columns):
        drop(writer.database, index.name)
    body = {"executor": {"id": "a"}, "limit": 1}
    answer = writer.call("POST", "tasks/claim", body, role="consumer")
    assert reindexing.recover(writer.database)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert NO_INDEX in answer.json["detail"]


def test_each_index_has_the_columns_of_the_catalog_also_when_some_were_put_back(engine):
    base = opened(engine)
    while schema.downgrade(base) != ["0006_add_tails"]:
        pass
    assert of_catalog(base) == {index for index in INDEXES if not index.tail}
    schema.upgrade(base)
    assert of_catalog(base) == set(INDEXES)
    base.close()


def of_catalog(base):
    """The indexes that have exactly the columns that the catalog says."""
    there = {
        (table, index.name): tuple(index.columns)
        for table in {index.table for index in INDEXES}
        for index in base.engine.get_indexes(table)
    }
    return {
        index for index in INDEXES
        if there[index.table, index.name] == tuple(column.split()[0] for column in index.whole)
    }  # fmt: skip


def test_many_missing_indexes_are_one_sentence():
    some = INDEXES[:7]
    words = schema.lacks(some)
    assert words.endswith(f"{some[4].name}, 2 more")
    assert schema.lacks(()) == ""


def test_while_a_load_builds_its_indexes_the_service_stays_ready(mysql_engine, tmp_path):
    url = mysql_engine.fresh()
    writer = Writer(url, tmp_path)
    other = opened(url)
    assert reindexing.locked(other)
    drop(other, LOST)
    answer = writer.http.get("/readyz")
    reindexing.unlock(other)
    assert answer.status_code == 200
    assert answer.json["note"] == f"the database lacks the index {LOST} while a load is under way"
    assert writer.http.get("/readyz").status_code == 503
    assert reindexing.recover(other) == [LOST]
    other.close()
    writer.close()


@pytest.fixture
def growing(monkeypatch, tmp_path):
    """Make the folder of migrations one with a newer one, which adds."""
    monkeypatch.setattr(indexing, "PAUSE_SECONDS", (0, 0.1))

    def grow(between=""):
        folder = tmp_path / "migrations"
        shutil.copytree(OURS, folder, dirs_exist_ok=True)
        (folder / f"{NEWER}.py").write_text(SIMPLE.format(between=between))
        monkeypatch.setattr(schema, "FOLDER", folder)

    return grow


def test_an_interrupted_migration_is_named_and_a_rerun_mends_it(writer, growing):
    growing("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        schema.upgrade(writer.database)
    assert f"{NEWER} is pending" in writer.http.get("/readyz").json["detail"]
    growing()
    assert schema.upgrade(writer.database) == [NEWER]
    assert writer.http.get("/readyz").status_code == 200
    schema.downgrade(writer.database)


@contextmanager
def used(url):
    """A transaction that has changed a task lasts meanwhile."""
    other = opened(url)
    other.run("START TRANSACTION" if other.dialect == "mysql" else "BEGIN IMMEDIATE")
    other.run("UPDATE tasks SET revision = revision")
    yield lambda: other.run("COMMIT")
    other.close()


def test_a_migration_waits_for_others_without_making_them_wait(writer, engine, growing):
    """Whoever comes behind it on MySQL waits for a second; on SQLite reading never waits."""
    growing()
    writer.enqueue()
    writer.bearer("viewer")
    done = []
    base = opened(engine)
    with used(engine) as end:
        thread = threading.Thread(target=lambda: done.append(schema.upgrade(base)))
        thread.start()
        for _ in range(3):
            assert writer.call("GET", "tasks?limit=1", role="viewer").status_code == 200
        assert done == []
        end()
        thread.join(30)
    assert done == [[NEWER]]
    schema.downgrade(base)
    base.close()


def test_what_waits_too_long_is_given_up_in_words(writer, engine, growing, monkeypatch):
    growing()
    monkeypatch.setattr(indexing, "PATIENCE_SECONDS", 0)
    base = database.connect(
        config.load({"TASKS_DATABASE_URL": engine, "TASKS_DATABASE_TIMEOUT": "1"}), patient=True
    )
    writer.enqueue()
    with used(engine), pytest.raises(Unavailable, match="the database is busy"):
        schema.upgrade(base)
    base.close()
    assert schema.upgrade(writer.database) == [NEWER]
    schema.downgrade(writer.database)


def said(base, act):
    """All statements that `act` says to the database."""
    told = []
    plain = base.engine.execute_sql
    base.engine.execute_sql = lambda sql, *more: (told.append(sql), plain(sql, *more))[1]
    try:
        act()
    finally:
        del base.engine.execute_sql
    return told


def test_what_is_named_as_adding_only_adds(engine, growing):
    """Old code goes on beside it: no row is changed, and no statement keeps others from writing."""
    growing()
    base = opened(engine)
    for path in sorted(Path(schema.FOLDER).glob("[0-9]*_add_*.py")):
        if any(row.name == path.stem and row.applied for row in schema.status(base)):
            while schema.downgrade(base) != [path.stem]:
                pass
        told = said(base, partial(schema.upgrade, base, path.stem))
        for text, later in zip(told, [*told[1:], ""], strict=True):
            # An index is dropped only for another of its name, by the same transaction.
            whole = f"{text} {later}" if text.startswith("DROP INDEX") else text
            assert ADDING.match(whole.strip()), text
            online = "ALGORITHM=IN" in text or base.dialect == "sqlite"
            assert online or not text.startswith("ALTER TABLE"), text
    schema.downgrade(base)
    base.close()
