"""A Galera cluster of three servers on loopback, of the drill's own, and what can befall them."""

import getpass
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import mariadb
from servers import spawn

from app import engines

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb-backup", "socat")
PACKAGES = "mariadb-server galera-4 mariadb-backup socat"
NAME = "drill"
PATIENCE_SECONDS = 120
"""How long a server may take to be in step with the others."""
RECOVERED = re.compile(r"Recovered position:?\s*([0-9a-f-]{36}:-?[0-9]+)")
OPTIONS = """[mariadbd]
user={user}
datadir={room}/data
tmpdir={room}
socket={room}/socket
pid-file={room}/pid
bind-address=127.0.0.1
port={sql}
skip-name-resolve
character-set-server=utf8mb4
innodb-buffer-pool-size=64M
innodb-log-file-size=48M
innodb-flush-log-at-trx-commit=1
innodb-lock-wait-timeout=5
innodb-rollback-on-timeout=ON
innodb-autoinc-lock-mode=2
binlog-format=ROW
log-bin-trust-function-creators=ON
max-connections=300
performance-schema=OFF
wsrep-on=ON
wsrep-provider={provider}
wsrep-cluster-name=drill
wsrep-cluster-address=gcomm://{members}
wsrep-node-name=node{number}
wsrep-node-address=127.0.0.1:{group}
wsrep-node-incoming-address=127.0.0.1:{sql}
wsrep-sst-method=mariabackup
wsrep-sst-auth={user}:
wsrep-sst-receive-address=127.0.0.1:{sst}
wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{ist};\
gcache.size=64M;pc.wait_prim_timeout=PT60S"
"""


def lacking() -> list[str]:
    """What a cluster needs and is not here."""
    path = search_path()
    missing = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    return missing + ([] if provider() else ["libgalera_smm.so"])


def provider() -> str:
    """The library that makes a server a member; "" where there is none."""
    return next((path for path in PROVIDERS if Path(path).exists()), "")


def search_path() -> str:
    """Where programs are looked for: servers are not always on a user's own path."""
    return f"{os.environ['PATH']}:/usr/sbin"


class Node:
    """One server."""

    def __init__(self, number: int, room: Path) -> None:
        """Nothing runs yet; `room`: a folder of its own."""
        self.number, self.room = number, room
        self.sql, self.group, self.ist, self.sst = (mariadb.free_port() for _ in range(4))
        self.process: subprocess.Popen[Any] | None = None
        room.mkdir()

    def configure(self, members: list["Node"]) -> None:
        """It knows who belongs to the cluster."""
        listed = ",".join(f"127.0.0.1:{node.group}" for node in members)
        (self.room / "my.cnf").write_text(
            OPTIONS.format(
                user=getpass.getuser(), room=self.room, provider=provider(), members=listed,
                number=self.number, sql=self.sql, group=self.group, ist=self.ist, sst=self.sst,
            )
        )  # fmt: skip

    def install(self) -> None:
        """Its data folder is there, without data."""
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self.room}/data",
                   f"--user={getpass.getuser()}", "--skip-test-db", "--skip-name-resolve",
                   "--auth-root-authentication-method=socket"]  # fmt: skip
        environment = {**os.environ, "PATH": search_path()}
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert done.returncode == 0, done.stdout

    def begin(self, *more: str) -> None:
        """It is being started."""
        binary = shutil.which("mariadbd", path=search_path()) or "mariadbd"
        command = [binary, f"--defaults-file={self.room}/my.cnf", *more]
        self.process = spawn(command, self.room, self.room / "error.log", PATH=search_path())

    def start(self) -> None:
        """It is a member again, in step with the others."""
        position = self.recovered()
        self.begin(*([f"--wsrep-start-position={position}"] if position else []))
        self.wait()

    def recovered(self) -> str:
        """Where it stood when it ended, so that it needs only what it has missed; "": unknown."""
        binary = shutil.which("mariadbd", path=search_path()) or "mariadbd"
        log = self.room / "recovery.log"
        log.unlink(missing_ok=True)
        command = [binary, f"--defaults-file={self.room}/my.cnf", "--wsrep-recover",
                   f"--log-error={log}"]  # fmt: skip
        subprocess.run(command, capture_output=True, check=False)
        found = RECOVERED.findall(log.read_text()) if log.exists() else []
        return found[-1] if found else ""

    def wait(self) -> None:
        """It is in step. Raises RuntimeError with the end of its log when it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.synced():
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise RuntimeError((self.room / "error.log").read_text()[-3000:])
            time.sleep(0.1)

    def synced(self) -> bool:
        """Whether it answers and is in step."""
        return self.status("wsrep_local_state_comment") == "Synced" and (
            self.status("wsrep_ready") == "ON"
        )

    def status(self, name: str) -> str:
        """A status variable; "" when it does not answer."""
        try:
            return str(self.ask(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])
        except (engines.mysql_driver.Error, IndexError):
            return ""

    def ask(self, statement: str, timeout: int = 5) -> Any:
        """What its owner is answered, through its socket. Raises the driver's errors."""
        connection = engines.mysql_driver.connect(
            unix_socket=f"{self.room}/socket", user=getpass.getuser(), autocommit=True,
            connect_timeout=timeout, read_timeout=timeout,
        )  # fmt: skip
        with closing(connection), closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def send(self, number: int) -> None:
        """Send a signal."""
        assert self.process
        os.kill(self.process.pid, number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """It has ended."""
        if self.process:
            self.send(signal.SIGCONT)
            self.send(number)
            self.process.wait(60)
            self.process = None

    def isolate(self, alone: bool) -> None:
        """It hears nobody in the cluster any more, or all again."""
        self.ask(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={int(alone)}'")


class Cluster:
    """All of them."""

    def __init__(self, room: Path, size: int = 3, password: str = "") -> None:
        """They run, in step, with an empty database and an account for it."""
        self.nodes = [Node(number, room / f"node{number}") for number in range(1, size + 1)]
        self.password = password or secrets.token_hex(16)
        try:
            self.found()
        except BaseException:
            self.end()
            raise

    def found(self) -> None:
        """The first one begins the cluster; the others begin with copies of its data."""
        first, *others = self.nodes
        for node in self.nodes:
            node.configure(self.nodes)
        first.install()
        first.begin("--wsrep-new-cluster")
        first.wait()
        for statement in (
            f"CREATE DATABASE {NAME}",
            f"CREATE USER tasks@'127.0.0.1' IDENTIFIED BY '{self.password}'",
            f"GRANT ALL ON {NAME}.* TO tasks@'127.0.0.1'",
        ):
            first.ask(statement)
        first.end()
        for node in others:
            shutil.copytree(first.room / "data", node.room / "data", symlinks=True)
            for name in ("galera.cache", "gvwstate.dat", "grastate.dat"):
                (node.room / "data" / name).unlink(missing_ok=True)
            state = (first.room / "data" / "grastate.dat").read_text()
            (node.room / "data" / "grastate.dat").write_text(
                state.replace("safe_to_bootstrap: 1", "safe_to_bootstrap: 0")
            )
        first.begin("--wsrep-new-cluster")
        first.wait()
        for node in others:
            node.begin()
            node.wait()

    @property
    def url(self) -> str:
        """The address that lists all of them, in order."""
        listed = ",".join(f"127.0.0.1:{node.sql}" for node in self.nodes)
        return f"mysql://tasks:{quote(self.password)}@{listed}/{NAME}"

    def end(self) -> None:
        """Nothing runs any more."""
        for node in self.nodes:
            node.end(signal.SIGKILL)


if __name__ == "__main__":
    if missing := lacking():
        sys.exit(f"lacking: {', '.join(missing)} (Debian: apt install {PACKAGES})")
