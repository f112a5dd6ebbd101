"""The command line: everything can be made, listed, changed and removed, and failures are plain."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Commands

from app.config import SETTINGS
from app.vocabulary import Scope

HOUSE = Path(__file__).resolve().parents[1]
NOBODY = "0016750a-ee56-49e6-bf59-7c768c9869ac"


def flask(*arguments, folder=None, **options):
    """A real `flask` process in the checkout."""
    environment = {
        **os.environ, "TASKS_DATABASE_URL": f"sqlite:///{folder}/tasks.db",
        "TASKS_INSTANCE_PATH": str(folder),
    }  # fmt: skip
    environment |= options.pop("env", {})
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", *arguments]
    return subprocess.run(
        command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False, **options
    )


def token(cli, scope=None, **form):
    """The status and answer of a token request."""
    answer = cli.app.test_client().post("/api/2/idp/token", data=form)
    return answer.status_code, answer.json


def test_clients_are_made_and_get_tokens(cli):
    made = cli.json("clients", "create", "--name", "x", "--scope", "viewer", "--scope", "admin")
    assert set(made) == {"client_id", "client_secret", "tenant_id", "scope"}
    assert made["scope"] == f"{Scope.VIEWER.value} {Scope.ADMIN.value}"
    form = {"grant_type": "client_credentials", "client_id": made["client_id"],
            "client_secret": made["client_secret"]}  # fmt: skip
    status, answer = token(cli, **form)
    assert (status, answer["scope"]) == (200, made["scope"])

    cli.json("clients", "disable", made["client_id"])
    assert token(cli, **form)[0] == 401
    cli.json("clients", "enable", made["client_id"])
    fresh = cli.json("clients", "rotate-secret", made["client_id"])["client_secret"]
    assert token(cli, **form)[0] == 401
    assert token(cli, **{**form, "client_secret": fresh})[0] == 200

    cli.json("clients", "rename", made["client_id"], "--name", "y")
    (row,) = cli.json("clients", "list")
    assert (row["name"], row["client_id"]) == ("y", made["client_id"])
    assert fresh not in json.dumps(row)
    cli.json("clients", "delete", made["client_id"])
    assert cli.json("clients", "list") == []


def test_users_are_made_and_get_tokens(cli):
    made = cli.json("users", "create", "--login", "anna", "--password-stdin", "--scope",
                    Scope.VIEWER.value, stdin=b"secret words\n")  # fmt: skip
    assert set(made) == {"login", "tenant_id", "scope"}
    form = {"grant_type": "password", "username": "anna", "password": "secret words"}
    assert token(cli, **form)[0] == 200
    cli.json("users", "set-password", "anna", "--password-stdin", stdin="Пароль\r\n".encode())
    assert token(cli, **form)[0] == 400
    form["password"] = "Пароль"
    assert token(cli, **form)[0] == 200
    cli.json("users", "disable", "anna")
    assert token(cli, **form)[0] == 400
    cli.json("users", "enable", "anna")
    cli.json("users", "rename", "anna", "--login", "olga")
    assert token(cli, **{**form, "username": "olga"})[0] == 200
    (row,) = cli.json("users", "list")
    assert (row["login"], row["disabled_at"]) == ("olga", None)
    cli.json("users", "delete", "olga")
    assert cli.json("users", "list") == []


def test_a_disabled_tenant_keeps_its_whole_subtree_from_tokens(cli):
    above = cli.json("tenants", "create", "--name", "Partner")
    below = cli.json("tenants", "create", "--name", "Unit", "--parent", above["uuid"])
    other = cli.json("tenants", "create", "--name", "Other")
    asked = []
    for tenant in (above, below, other):
        known = ("--tenant", tenant["uuid"], "--scope", "viewer")
        made = cli.json("clients", "create", "--name", "x", *known)
        program = {name: made[name] for name in ("client_id", "client_secret")}
        asked.append({"grant_type": "client_credentials", **program})
        login = tenant["name"].lower()
        cli.json("users", "create", "--login", login, "--password-stdin", *known, stdin=b"pw")
        asked.append({"grant_type": "password", "username": login, "password": "pw"})

    def answers():
        return [token(cli, **form)[0] for form in asked]

    assert answers() == [200] * 6
    assert cli.json("tenants", "disable", above["uuid"]) == {**above, "disabled": True}
    assert answers() == [401, 400, 401, 400, 200, 200]
    assert token(cli, **asked[0])[1]["error"] == "invalid_client"
    assert token(cli, **asked[3])[1]["error"] == "invalid_grant"
    root, first, *rest = cli.json("tenants", "list")
    assert first.pop("disabled_at").endswith("Z")
    unset = {"disabled_at": None}
    assert [first, *rest] == [above, below | unset, other | unset]
    assert cli.json("tenants", "enable", above["uuid"]) == {**above, "disabled": False}
    assert answers() == [200] * 6
    listed = [root, *(one | unset for one in (above, below, other))]
    assert cli.json("tenants", "list") == listed
    assert "no tenant with the UUID" in cli.refused("tenants", "disable", NOBODY)


def test_tenants_are_made_renamed_and_removed(cli):
    root = cli.json("tenants", "list")[0]
    above = cli.json("tenants", "create", "--name", "Partner")
    below = cli.json("tenants", "create", "--name", "Unit", "--parent", above["uuid"])
    assert set(below) == {"id", "uuid", "locator", "name"}
    assert below["locator"] == f"{root['locator']}{above['id']}/{below['id']}/"
    listed = [one | {"disabled_at": None} for one in (above, below)]
    assert cli.json("tenants", "list") == [root, *listed]
    assert cli.json("tenants", "list", "--parent", above["uuid"]) == listed
    assert cli.json("tenants", "rename", below["uuid"], "--name", "Ünit")["name"] == "Ünit"
    assert "while it owns tenants below it" in cli.refused("tenants", "delete", above["uuid"])
    cli.json("clients", "create", "--name", "x", "--scope", "viewer", "--tenant", below["uuid"])
    assert "while it owns clients" in cli.refused("tenants", "delete", below["uuid"])
    assert "the root" in cli.refused("tenants", "delete", root["uuid"])
    cli.json("clients", "delete", cli.json("clients", "list")[0]["client_id"])
    cli.json("tenants", "delete", below["uuid"])
    cli.json("tenants", "delete", above["uuid"])
    assert cli.json("tenants", "list") == [root]


def test_keys_are_rotated(cli):
    assert cli.json("keys", "list") == []
    first, second = (cli.json("keys", "rotate")["kid"] for _ in range(2))
    new, old = cli.json("keys", "list")
    assert (new["kid"], old["kid"]) == (second, first)
    assert new["retired_at"] is None
    assert old["retired_at"] is not None


def test_settings_show_everything_but_secrets(tmp_path):
    given = {"TASKS_SECRET_KEY": "s3cret" * 8, "TASKS_DATABASE_URL": "mysql://u:pass@h:1/n",
             "TASKS_INSTANCE_PATH": str(tmp_path)}  # fmt: skip
    shown = flask("settings", env=given, folder=tmp_path).stdout
    assert all(row.name in shown and row.sentence in shown for row in SETTINGS)
    assert "s3cret" not in shown
    assert "mysql://u:(hidden)@h:1/n" in shown
    asked = json.loads(flask("settings", "--json", env=given, folder=tmp_path).stdout)
    assert list(asked) == [row.name for row in SETTINGS]


def test_the_database_goes_up_and_down(blank, tmp_path):
    cli = Commands(blank, tmp_path)
    assert cli.run("db", "status").exit_code == 1
    assert "`flask db upgrade`" in cli.refused("clients", "list")
    applied = cli.json("db", "upgrade")["applied"]
    assert applied[0] == "0001_initial"
    assert [row["migration"] for row in cli.json("db", "status")] == applied
    assert cli.json("db", "upgrade") == {"applied": []}
    assert cli.json("db", "downgrade", applied[0])["reverted"] == applied[::-1]
    assert (
        cli.refused("db", "upgrade", "9999_nothing") == 'Error: unknown migration "9999_nothing".\n'
    )


REFUSED = {
    "no such tenant": (("tenants", "create", "--name", "x", "--parent", NOBODY),
                       f"There is no tenant with the UUID {NOBODY}."),
    "no UUID": (("tenants", "delete", "5"), "'5' is not a UUID."),
    "no scope": (("clients", "create", "--name", "x"), "Missing option '--scope'"),
    "unknown scope": (("clients", "create", "--name", "x", "--scope", "boss"),
                      "'boss' is none of viewer, issuer, consumer, admin."),
    "no name": (("tenants", "create", "--name", " "), "the name must be 1 to 256"),
    "no such client": (("clients", "disable", "x"), "The client does not exist."),
    "no such user": (("users", "delete", "x"), "The user does not exist."),
    "no client name": (("clients", "create", "--name", " ", "--scope", "viewer"),
                       "the name must be 1 to 256"),
    "no new login": (("users", "rename", "x", "--login", "x "), "the login must be 1 to 256"),
    "no text as an id": (("clients", "delete", "\udcff"), "What was given is not UTF-8."),
    "no text as a query": (("explain", "type=\udcff"), "What was given is not UTF-8."),
    "no password": (("users", "create", "--login", "x", "--password-stdin", "--scope", "viewer"),
                    "A line with the password is expected"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_told_in_a_line(cli, arguments, message):
    told = cli.refused(*arguments, stdin=b"")
    assert message in told.splitlines()[-1]


def test_a_password_is_asked_for_on_a_terminal_alone(tmp_path):
    flask("db", "upgrade", folder=tmp_path)
    create = ("users", "create", "--login", "x", "--scope", "viewer")
    done = flask(*create, folder=tmp_path, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "Error: There is no terminal to ask for the password: use --password-stdin."
    )
    assert len(done.stderr.splitlines()) == 4  # with the usage


def test_a_login_is_taken_once(cli):
    create = ("users", "create", "--login", "x", "--password-stdin", "--scope", "viewer")
    cli.json(*create, stdin=b"secret\n")
    assert "called 'x' already" in cli.refused(*create, stdin=b"secret\n")


def test_ours_come_first_in_the_help(tmp_path):
    shown = flask("--help", folder=tmp_path).stdout
    ours, theirs = shown.index("\n  clients "), shown.index("Flask's own commands:")
    assert ours < shown.index("\n  users ") < theirs < shown.index("run ", theirs)
    assert "Examples:" in flask("import", "--help", folder=tmp_path).stdout


BROKEN = {
    "a wrong setting": {"TASKS_TOKEN_SECONDS": "soon"},
    "an unreachable server": {"TASKS_DATABASE_URL": "mysql://u:p@127.0.0.1:1/n"},
    "an unwritable folder": {"TASKS_DATABASE_URL": "sqlite:////proc/tasks.db"},
}


@pytest.mark.parametrize("env", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_ends_in_one_line(tmp_path, env):
    done = flask("clients", "list", folder=tmp_path, env=env)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == done.stderr.strip().split("\n")[-1] != ""
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_there_is_not_made_by_a_look(tmp_path):
    done = flask("tenants", "list", folder=tmp_path / "typo")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: There is no database {tmp_path}/typo/tasks.db: `flask db upgrade` makes it.\n"
    )
    assert not (tmp_path / "typo").exists()


def test_where_a_database_stands_that_is_not_there(tmp_path):
    done = flask("db", "status", "--json", folder=tmp_path / "typo")
    assert done.returncode == 1, done.stderr
    assert {row["applied"] for row in json.loads(done.stdout)} == {None}
    assert not (tmp_path / "typo").exists()


def test_a_damaged_database_is_told(tmp_path):
    (tmp_path / "tasks.db").write_bytes(b"this is no database, nor was it ever one" * 100)
    done = flask("export", folder=tmp_path)
    assert done.returncode == 1
    assert "file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_export_is_whole_or_not_there(tmp_path):
    assert flask("db", "upgrade", folder=tmp_path).returncode == 0
    told = flask("export", "--output", f"{tmp_path}/none/x.ndjson", folder=tmp_path)
    assert (told.returncode, "Traceback" in told.stderr) == (1, False)
    done = flask("export", "--output", f"{tmp_path}/x.ndjson", "--json", folder=tmp_path)
    assert json.loads(done.stdout) == {"tasks": 0, "activities": 0}
    assert sorted(path.name for path in tmp_path.glob("*ndjson*")) == ["x.ndjson"]


def test_a_reader_that_goes_away_is_no_failure_of_ours(tmp_path):
    assert flask("db", "upgrade", folder=tmp_path).returncode == 0
    assert flask("demo", "--tasks", "300", folder=tmp_path).returncode == 0
    line = f"{sys.executable} -m flask --app wsgi:app export | head -n 1"
    env = {**os.environ, "TASKS_DATABASE_URL": f"sqlite:///{tmp_path}/tasks.db"}
    done = subprocess.run(line, shell=True, cwd=HOUSE, env=env, capture_output=True, check=False)
    assert json.loads(done.stdout)["id"] == 1
    assert done.stderr == b""


def test_a_terminal_sees_how_far_it_is(tmp_path):
    assert flask("db", "upgrade", folder=tmp_path).returncode == 0
    script = f"{sys.executable} -m flask --app wsgi:app demo --tasks 2000"
    env = {**os.environ, "TASKS_DATABASE_URL": f"sqlite:///{tmp_path}/tasks.db", "TERM": "xterm"}
    done = subprocess.run(
        ["script", "-qec", script, "/dev/null"], cwd=HOUSE, env=env, capture_output=True, check=True
    )
    for stage in ("Making", "Writing", "Building indexes", "100%"):
        assert stage.encode() in done.stdout
