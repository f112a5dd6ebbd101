"""What precedes the server: a port, a database that is current, and one line when it cannot be."""

import json
import os
import socket
import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import config, create_app, database, starting
from app.repository.maintenance import schema

ONE = {"id": 7, "uuid": "0016750a-ee56-49e6-bf59-7c768c9869ac", "type": "x", "state": "enqueued"}
NOWHERE = "mysql://a:b@127.0.0.1:1/c"


@pytest.fixture
def choose(monkeypatch, tmp_path):
    """Choose settings as a person does, by the environment; all others have their defaults."""
    for name in os.environ:
        if name.startswith("TASKS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TASKS_INSTANCE_PATH", str(tmp_path / "instance"))

    def chosen(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

    return chosen


@pytest.fixture
def taken():
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def said(*arguments):
    """The one line with which a start ends that cannot succeed."""
    with pytest.raises(SystemExit) as ended:
        starting.main(arguments)
    assert "\n" not in str(ended.value)
    return str(ended.value)


@pytest.mark.parametrize("how", ["serve", "run"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TASKS_DATABASE_URL", "postgres://x/y"),
        ("TASKS_LOG_LEVEL", "LOUD"),
        ("TASKS_SECRET_KEY", "short"),
        ("TASKS_WORKERS", "many"),
        ("TASKS_PUBLIC_URL", "somewhere"),
        ("TASKS_SECRET_KEY_FILE", "/nowhere/key"),
        ("TASKS_AUTH_ISSUER", "alone"),
    ],
)
def test_a_bad_setting_is_named(choose, how, name, value):
    choose(**{name: value})
    assert said(how).startswith(f"error: {name}")


def test_the_next_free_port_is_taken_and_said(taken, monkeypatch):
    monkeypatch.setattr(starting, "FIRST_PORT", taken)
    port = starting.chosen_port("127.0.0.1", "")
    assert port > taken
    told = starting.announcement(f"http://127.0.0.1:{port}", True, {}, 0)
    assert (
        told.splitlines()[0] == f"The service answers at http://127.0.0.1:{port} ({taken} is taken)"
    )


def test_no_free_port_is_an_error(taken, monkeypatch):
    monkeypatch.setattr(starting, "FIRST_PORT", taken)
    monkeypatch.setattr(starting, "PORTS", 1)
    assert said("serve") == f"error: no port from {taken} to {taken} is free"


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(taken):
    assert said("serve", "--port", str(taken)) == (
        f"error: port {taken} is taken; PORT=... chooses another"
    )


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "８０８０", "80 80"])
def test_a_port_that_is_none_is_an_error(port):
    assert said("serve", f"--port={port}") == (
        f"error: PORT must be a whole number from 1 to 65535, not '{port}'"
    )


def test_a_host_that_is_not_ours_is_an_error():
    assert said("serve", "--host", "192.0.2.1").startswith("error: cannot listen on 192.0.2.1")


@pytest.mark.parametrize(
    ("host", "place"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("box", "box:80")]
)
def test_an_address_is_written_as_browsers_take_it(host, place):
    assert starting.place(host, 80) == place


def test_serve_changes_nothing_in_a_database_that_is_not_current(choose, blank):
    choose(TASKS_DATABASE_URL=blank, TASKS_SECRET_KEY="x" * 32)
    connected = database.connect(config.load())
    if path := connected.missing:
        assert said("serve") == f"error: there is no database {path}; `make migrate` makes it"
        assert connected.missing
    assert not schema.current(connected)
    connected.row("SELECT 1")  # makes a SQLite file
    assert not schema.current(connected)
    words = "error: the database is not at the newest migration; `make migrate` brings it"
    assert said("serve") == words
    assert not schema.current(connected)
    connected.close()


def test_with_mysql_serve_needs_the_secret_of_all_servers(choose):
    choose(TASKS_DATABASE_URL=NOWHERE)
    assert said("serve") == (
        "error: TASKS_SECRET_KEY is needed with MySQL: all servers must have the same"
    )


@pytest.mark.parametrize("how", ["serve", "run"])
def test_an_unreachable_database_is_one_line(choose, how):
    choose(TASKS_DATABASE_URL=NOWHERE, TASKS_SECRET_KEY="x" * 32)
    assert said(how).startswith("error: TASKS_DATABASE_URL: no server answers: 127.0.0.1:1 (")


def test_run_adds_nothing_to_a_database_that_holds_tasks(choose, engine, tmp_path):
    choose(TASKS_DATABASE_URL=engine, TASKS_SECRET_KEY="x" * 32)
    file = tmp_path / "one.json"
    file.write_text(json.dumps(ONE))
    imported = create_app().test_cli_runner().invoke(args=["import", str(file)])
    assert imported.exit_code == 0, imported.output
    settings = config.load()
    connected = database.connect(settings)
    assert starting.prepare(connected, settings) == {}
    assert connected.rows("SELECT id FROM tasks") == [(7,)]
    connected.close()


def test_of_several_that_start_at_once_one_makes_the_demonstration(
    choose, engine, monkeypatch, tmp_path
):
    choose(TASKS_DATABASE_URL=engine, TASKS_SECRET_KEY="x" * 32)
    settings, empty, together = config.load(), schema.empty, threading.Barrier(2)
    file = tmp_path / "one.json"
    file.write_text(json.dumps(ONE))
    looked, made = set(), []

    def look(database):
        found, me = empty(database), threading.get_ident()
        if me not in looked:
            looked.add(me)
            together.wait(9)
        return found

    def demonstration():
        made.append(create_app().test_cli_runner().invoke(args=["import", str(file)]).exit_code)
        return {"login": "demo"}

    def prepared(_):
        connected = database.connect(settings, patient=True)
        try:
            return starting.prepare(connected, settings)
        finally:
            connected.close()

    monkeypatch.setattr(schema, "empty", look)
    monkeypatch.setattr(starting, "demonstration", demonstration)
    with ThreadPoolExecutor(2) as several:
        assert list(several.map(prepared, range(2))) == [{"login": "demo"}] * 2
    assert made == [0]


def test_a_port_that_was_taken_while_the_start_waited_is_not_bound(choose, engine, monkeypatch):
    choose(TASKS_DATABASE_URL=engine, TASKS_SECRET_KEY="x" * 32)
    others, made = [], []

    def prepare(*_):
        others.append(socket.create_server(("127.0.0.1", first)))
        return {}

    with socket.create_server(("127.0.0.1", 0)) as free:
        first = free.getsockname()[1]
    monkeypatch.setattr(starting, "FIRST_PORT", first)
    monkeypatch.setattr(starting, "prepare", prepare)
    monkeypatch.setattr(starting, "Server", lambda given, **options: made.append((given, options)))
    starting.ready(starting.asked(["run"]))
    others[0].close()
    [(given, options)] = made
    assert options["bind"] != f"127.0.0.1:{first}"
    assert given["TASKS_PUBLIC_URL"] == f"http://{options['bind']}"


def test_no_demonstration_is_made_whose_credentials_cannot_be_kept(choose, engine, tmp_path):
    """Nobody would know them, and a later start would make no others."""
    instance = tmp_path / "taken"
    instance.write_text("a file")
    choose(TASKS_DATABASE_URL=engine, TASKS_SECRET_KEY="x" * 32, TASKS_INSTANCE_PATH=str(instance))
    words = said("run")
    assert words.startswith(f"error: the demonstration's credentials cannot be kept in {instance}/")
    connected = database.connect(config.load())
    assert schema.empty(connected)
    connected.close()


def test_a_start_whose_demonstration_failed_leaves_it_to_the_next(choose, engine, monkeypatch):
    choose(TASKS_DATABASE_URL=engine, TASKS_SECRET_KEY="x" * 32)
    demonstrations = iter(
        (["false"], ["echo", json.dumps(dict.fromkeys(starting.CREDENTIALS, "c"))])
    )
    run = subprocess.run
    monkeypatch.setattr(
        starting.subprocess, "run", lambda _, **options: run(next(demonstrations), **options)
    )
    assert said("run") == "error: the demonstration data could not be made"
    settings = config.load()
    connected = database.connect(settings, patient=True)
    assert starting.prepare(connected, settings) == dict.fromkeys(starting.CREDENTIALS, "c")
    connected.close()


def test_credentials_are_kept_for_their_owner_alone(tmp_path):
    kept = tmp_path / "instance" / "demo.json"
    for secret in ("first", "second"):
        starting.keep(kept, {"client_secret": secret})
        assert json.loads(kept.read_text()) == {"client_secret": secret}
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_curl_survives_a_shell(tmp_path):
    """What the line does with an answer is tried in test_docs_page; here, that it is one line."""
    line = starting.curl("http://127.0.0.1:1", "a-b", "c_d-e")
    done = subprocess.run(["sh", "-n", "-c", line], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "\n" not in line
