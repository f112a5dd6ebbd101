"""What `make run` and `make serve` do before the server starts, and what they tell a person."""

import argparse
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from app import config, logs
from app.config import BadSetting, Settings
from app.database import Database, connect
from app.demo.crew import Crew
from app.errors import Unavailable
from app.failures import BEHIND, cause, unlogged
from app.keyring import secret_of
from app.repository.maintenance import schema
from app.repository.maintenance.importing.reindexing import recover
from app.serving import Server, fail

FIRST_PORT = 8080
PORTS = 50
"""How many ports are tried, from the first one on."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
TOKEN = "/api/2/idp/token"
TASKS = "/api/task_manager/v2/tasks?limit=3&lod=short&order=desc(updatedAt)"
CREDENTIALS = (
    "client_id", "client_secret", "login", "password", "agent_client_id", "agent_client_secret",
)  # fmt: skip
AGENTS = 8
"""The most agents that work on the demonstration."""


class CannotStart(Exception):
    """The service cannot start; the text is the one line that says why."""


def free(host: str, port: int) -> bool:
    """Whether a server can listen there. Raises CannotStart where `host` is not ours."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise CannotStart(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    return True


def chosen_port(host: str, asked: str) -> int:
    """The port that was asked for, or else the first free one from 8080 on.

    Raises CannotStart when the one asked for is taken, or all are.
    """
    if asked:
        port = int(asked) if asked.isascii() and asked.isdigit() else 0
        if not 1 <= port <= 65_535:
            raise CannotStart(f"PORT must be a whole number from 1 to 65535, not '{asked}'")
        if not free(host, port):
            raise CannotStart(f"port {port} is taken; PORT=... chooses another")
        return port
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        if free(host, port):
            return port
    raise CannotStart(f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free")


def place(host: str, port: int) -> str:
    """Host and port as an address writes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def call_roll(database: Database) -> None:
    """At least one of the database's servers answers, and those that do are one cluster.

    Who does not answer is named. Raises CannotStart.
    """
    if database.dialect != "mysql":
        return
    called = database.engine.roll()
    absent = [f"{server} ({reason})" for server, _, reason in called if reason]
    if len(absent) == len(called):
        raise CannotStart(f"TASKS_DATABASE_URL: no server answers: {', '.join(absent)}")
    clusters = {cluster: server for server, cluster, reason in called if not reason}
    if len(clusters) > 1:
        strangers = " and ".join(str(server) for server in clusters.values())
        raise CannotStart(f"TASKS_DATABASE_URL: {strangers} do not belong to one cluster")
    for one in absent:
        print(f"warning: the database server {one} does not answer", file=sys.stderr)


def check(database: Database, settings: Settings) -> dict[str, str]:
    """The database, which is not changed, is as this code knows it, and there is a secret.

    Raises CannotStart, BadSetting.
    """
    if database.dialect == "mysql" and not settings.secret_key:
        raise CannotStart("TASKS_SECRET_KEY is needed with MySQL: all servers must have the same")
    if path := database.missing:
        raise CannotStart(f"there is no database {path}; `make migrate` makes it")
    call_roll(database)
    secret_of(settings)
    fit(database)
    return {}


def fit(database: Database) -> None:
    """The database is as this code needs it; what is newer is named. Raises CannotStart."""
    if words := schema.misfit(database):
        remedy = "; `make migrate` brings it" if words == BEHIND else ""
        raise CannotStart(f"the database {words}{remedy}")
    if words := schema.ahead(schema.status(database)):
        print(f"note: the database {words}", file=sys.stderr)


def prepare(database: Database, settings: Settings) -> dict[str, str]:
    """The database is current, and holds demonstration data when it was empty.

    -> the demonstration credentials, as the first start kept them; {} where there are none.
    Raises CannotStart, BadSetting.
    """
    call_roll(database)
    secret_of(settings)
    schema.upgrade(database)
    fit(database)
    mark = sha256(settings.database_url.encode()).hexdigest()[:12]
    kept = settings.instance / f"demo-{mark}.json"
    if schema.empty(database):
        demonstrate(database, kept)
    return json.loads(kept.read_text()) if kept.exists() else {}


def demonstrate(database: Database, kept: Path) -> None:
    """There is demonstration data, made once however many start at the same time, and its
    credentials are in `kept`. Raises CannotStart, Unavailable."""
    with schema.alone(database):
        if schema.empty(database):
            if database.dialect == "sqlite":
                database.close()  # a load is quicker where nobody else has the file open
            keep(kept, {})  # before it is made: else nobody would know them
            keep(kept, demonstration())


def demonstration() -> dict[str, str]:
    """Demonstration data is there -> its credentials. Raises CannotStart."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "demo", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CannotStart("the demonstration data could not be made")
    made: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return {name: made[name] for name in CREDENTIALS}


def keep(file: Path, credentials: dict[str, str]) -> None:
    """`credentials` are in `file`, which its owner alone can read. Raises CannotStart."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            json.dump(credentials, opened)
    except OSError as error:
        words = f"the demonstration's credentials cannot be kept in {file}: {error.strerror}"
        raise CannotStart(words) from None


def curl(at: str, client_id: str, client_secret: str) -> str:
    """One line for a shell that gets a token and lists tasks."""
    token = (
        f"$(curl -s -u '{client_id}:{client_secret}' -d grant_type=client_credentials {at}{TOKEN} "
        """| sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')"""
    )
    return f"""curl -s -H "Authorization: Bearer {token}" '{at}{TASKS}'"""


def announcement(at: str, moved: bool, known: dict[str, str], agents: int) -> str:
    """What a person wants to know once the service answers at `at`.

    `moved`: its usual port was taken; `agents`: how many work.
    """
    lines = [f"The service answers at {at}" + (f" ({FIRST_PORT} is taken)" if moved else "")]
    lines.append(f"  page        {at}/docs")
    if known:
        lines.append(f"  client      {known['client_id']}  secret {known['client_secret']}")
        lines.append(f"  user        {known['login']}  password {known['password']}")
        if agents:
            lines.append(f"  agents      {agents} at work on what is enqueued (AGENTS=0: none)")
        lines.append("Paste this to list tasks:")
        lines.append("  " + curl(at, known["client_id"], known["client_secret"]))
    lines.append("Ctrl-C stops it.")
    return "\n".join(lines)


def asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="app.starting")
    parser.add_argument("how", choices=("run", "serve"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default="")
    parser.add_argument("--agents", default="0")
    return parser.parse_args(arguments)


def chosen_agents(asked: str) -> int:
    """How many agents are to work. Raises CannotStart."""
    if not (asked.isascii() and asked.isdigit() and int(asked) <= AGENTS):
        raise CannotStart(f"AGENTS must be a whole number from 0 to {AGENTS}, not '{asked}'")
    return int(asked)


def ready(choice: argparse.Namespace) -> Server:
    """The server, with everything done that must precede it.

    Raises CannotStart, BadSetting, Unavailable.
    """
    settings = config.load()
    agents = chosen_agents(choice.agents)
    chosen_port(choice.host, choice.port)
    database = connect(settings, patient=True)
    known = (prepare if choice.how == "run" else check)(database, settings)
    recover(database)
    # Nothing open is carried into the workers: SQLite's files do not bear it.
    database.close()
    # Chosen now: another start may have taken the first while this one waited for it.
    port = chosen_port(choice.host, choice.port)
    at = f"http://{place(WILDCARDS.get(choice.host, choice.host), port)}"
    crew = Crew(at, agents, known)
    told = announcement(at, not choice.port and port != FIRST_PORT, known, crew.agents)

    def answering(_: Any) -> None:
        print(told, flush=True)
        crew.begin()

    given = {} if config.given("TASKS_PUBLIC_URL") else {"TASKS_PUBLIC_URL": at}
    return Server(
        given, bind=place(choice.host, port), when_ready=answering,
        on_exit=lambda _: crew.end(), **calm(choice),
    )  # fmt: skip


def calm(choice: argparse.Namespace) -> dict[str, Any]:
    """What keeps on the screen what `make run` tells: a line for each request would carry it away.

    Its agents ask all the time. An operator's logs are as the settings say.
    """
    if choice.how == "serve" or config.given("TASKS_LOG_LEVEL"):
        return {}
    return {"logconfig_dict": logs.configuration("WARNING")}


def main(arguments: Sequence[str] | None = None) -> Any:
    """Start the service and stay until it ends; one line says why it cannot start."""
    try:
        with unlogged():
            server = ready(asked(arguments))
    except Unavailable as refusal:
        fail(cause(refusal))
    except (CannotStart, BadSetting) as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    server.run()


if __name__ == "__main__":
    main()
