"""The MariaDB server of a test run: its own, on loopback and tmpfs, or one that was given.

It lives exactly as long as the run: a small shell process waits for the run's lock to be let go,
even by a SIGKILL, and then ends the server and removes its folder.
"""

import fcntl
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app import engines

GIVEN = "TASKS_TEST_MYSQL_URL"
MISSING = f"no MariaDB: install mariadb-server, or set {GIVEN} to an account that makes databases"
WATCH = """(
mariadbd --defaults-file="$1/my.cnf" --init-file="$1/init.sql" >>"$1/error.log" 2>&1 &
flock "$1/alive" true
kill -KILL $!
wait
rm -rf -- "$1"
) </dev/null >/dev/null 2>&1 &
"""
OPTIONS = """[mariadbd]
user={user}
datadir={room}/data
tmpdir={room}
socket={room}/socket
pid-file={room}/pid
bind-address=127.0.0.1
port={port}
skip-name-resolve
skip-log-bin
character-set-server=utf8mb4
innodb-buffer-pool-size=128M
innodb-flush-log-at-trx-commit=0
innodb-log-file-size=48M
innodb-lock-wait-timeout=5
max-connections=300
performance-schema=OFF
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time holds the lock at `path`."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def server(room: Path) -> str | None:
    """The address of the server, without a database's name; the first caller starts it.

    None where there is neither a mariadbd nor an address in the environment.
    """
    if given := os.environ.get(GIVEN):
        return given.rpartition("/")[0]
    if not shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return None
    with locked(room / "starting"):
        if not (room / "url").exists():
            (room / "url").write_text(start(room))
    return (room / "url").read_text()


def start(room: Path) -> str:
    """Install and start a server in `room` -> its address. Raises RuntimeError with its log."""
    port, password, user = free_port(), secrets.token_hex(16), getpass.getuser()
    (room / "my.cnf").write_text(OPTIONS.format(room=room, port=port, user=user))
    (room / "init.sql").write_text(
        f"CREATE USER tasks@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON *.* TO tasks@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={room}/data", f"--user={user}"]
    install += ["--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=socket"]
    subprocess.run(install, check=True, capture_output=True, env=environment)
    watch = ["sh", "-c", WATCH, "sh", str(room)]
    subprocess.run(watch, check=True, start_new_session=True, env=environment)
    url = f"mysql://tasks:{password}@127.0.0.1:{port}"
    wait(url, room)
    return url


def free_port() -> int:
    """A port on loopback that nobody uses just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(url: str, room: Path) -> None:
    """Return once the server answers. Raises RuntimeError with the end of its log after 60 s."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            raw(url).close()
        except engines.mysql_driver.Error:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError((room / "error.log").read_text()[-2000:])


def raw(url: str, name: str | None = None) -> Any:
    """A connection of the driver that the service uses, outside the service."""
    parts = urlsplit(url)
    more = {"database": name} if name else {}
    return engines.mysql_driver.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password,
        autocommit=True,
        **more,
    )


def version(url: str) -> str:
    """What the server says it is, and the driver that asked."""
    with closing(raw(url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT VERSION()")
        return f"{cursor.fetchone()[0]}, driver {engines.mysql_driver.__name__}"
