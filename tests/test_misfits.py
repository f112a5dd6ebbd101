"""Databases that cannot be used: each is one clear line, and nothing is changed."""

from contextlib import closing

import mariadb
import pytest
from services import SECRET, command, refused

from app import config, database

FUTURE = "0099_future"
INSERT = f"INSERT INTO schema_migration (name, applied) VALUES ('{FUTURE}', '2030-01-01')"
NEWER = f"has the migration {FUTURE}, which this version of the program does not know"
FLASK = (command("serve")[0], "-m", "flask", "--app", "wsgi:app")


@pytest.fixture
def newer(engine):
    """The address of a database that a later version has migrated; on each engine."""
    with closing(database.connect(config.load({"TASKS_DATABASE_URL": engine}))) as opened:
        opened.run(INSERT)
    return engine


@pytest.fixture
def damaged(tmp_path):
    file = tmp_path / "damaged.db"
    file.write_bytes(b"This was a database once. " * 500)
    return f"sqlite:///{file}"


@pytest.fixture
def unreachable():
    return f"mysql://root:hunter2@127.0.0.1:{mariadb.free_port()}/tasks"


@pytest.mark.parametrize("words", [("tenants", "list"), ("export",), ("db", "upgrade")])
def test_no_command_works_on_what_a_later_version_made(newer, cli, words):
    assert cli.refused(*words) == f"Error: The database {NEWER}.\n"


def test_where_it_stands_is_still_told(newer, cli):
    told = cli.run("db", "status")
    assert told.exit_code == 1
    assert FUTURE in told.stdout


@pytest.mark.parametrize("how", ["serve", "run"])
def test_no_server_starts_on_what_a_later_version_made(newer, tmp_path, how):
    settings = {"TASKS_DATABASE_URL": newer, "TASKS_INSTANCE_PATH": str(tmp_path)}
    status, said = refused(*command(how), **settings, TASKS_SECRET_KEY=SECRET)
    assert (status, said) == (1, [f"error: the database {NEWER}"])


@pytest.mark.parametrize("words", [("tenants", "list"), ("db", "upgrade"), ("import", "-")])
@pytest.mark.parametrize("kind", ["damaged", "unreachable"])
def test_a_command_says_in_one_line_what_the_database_said(request, tmp_path, kind, words):
    url = request.getfixturevalue(kind)
    settings = {"TASKS_DATABASE_URL": url, "TASKS_INSTANCE_PATH": str(tmp_path)}
    status, said = refused(*FLASK, *words, **settings)
    assert status == 1
    assert len(said) == 1
    assert said[0].startswith("Error: TASKS_DATABASE_URL: ")
    assert "hunter2" not in said[0]


NO_FOLDER = {
    ("db", "upgrade"): "Error: TASKS_DATABASE_URL: the database does not answer: ",
    ("tenants", "list"): "Error: There is no database ",
}


@pytest.mark.parametrize("words", NO_FOLDER)
def test_a_folder_that_cannot_be_made_is_named(tmp_path, words):
    folder = tmp_path / "file"
    folder.write_text("")
    status, said = refused(*FLASK, *words, TASKS_DATABASE_URL=f"sqlite:///{folder}/tasks.db")
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith(NO_FOLDER[words])
    assert str(folder) in said[0]


@pytest.mark.parametrize("how", ["serve", "run"])
def test_no_server_starts_that_could_not_sign(engine, tmp_path, how):
    folder = tmp_path / "file"
    folder.write_text("")
    settings = {"TASKS_DATABASE_URL": engine, "TASKS_INSTANCE_PATH": str(folder)}
    status, said = refused(*command(how), **settings)
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith("error: TASKS_SECRET_KEY is ")


@pytest.mark.parametrize("how", ["serve", "run"])
@pytest.mark.parametrize("kind", ["damaged", "unreachable"])
def test_a_start_says_in_one_line_what_the_database_said(request, tmp_path, kind, how):
    url = request.getfixturevalue(kind)
    settings = {"TASKS_DATABASE_URL": url, "TASKS_INSTANCE_PATH": str(tmp_path)}
    status, said = refused(*command(how), **settings, TASKS_SECRET_KEY=SECRET)
    assert status == 1
    assert len(said) == 1
    assert said[0].startswith("error: TASKS_DATABASE_URL: ")
