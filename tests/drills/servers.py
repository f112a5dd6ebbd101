"""What the drill kills: a database server, gunicorn, its workers, executors."""

import ctypes
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import mariadb
import services

DURABLE = "innodb-flush-log-at-trx-commit=1\n"
PR_SET_PDEATHSIG = 1
MARK = "DRILL_LOG"
"""The variable by which processes are known, and whatever they have started, as those of a room."""
LIBC = ctypes.CDLL(None)


def die_with_parent() -> None:
    """In a new process: it is killed when the drill ends, however that ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command: list[str], folder: Path, log: Path, **environment: str) -> subprocess.Popen[Any]:
    """A process in `folder`, with its output in `log`."""
    with log.open("a") as file:
        return subprocess.Popen(
            command, cwd=folder, env=services.environment(**environment, **{MARK: str(log)}),
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, preexec_fn=die_with_parent,
            start_new_session=True,
        )  # fmt: skip


def kill(process: subprocess.Popen[Any]) -> None:
    """`kill -9`, and wait."""
    process.kill()
    process.wait()


def living(place: Path) -> list[int]:
    """The processes whose output goes to the file at `place`, or into that folder, and theirs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        # A process that has ended says nothing.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            for variable in entry.read_bytes().decode(errors="replace").split("\0"):
                name, _, log = variable.partition("=")
                if name == MARK and Path(log).is_relative_to(place):
                    found.append(int(entry.parent.name))
    return found


def end(place: Path) -> None:
    """None of them lives any more: not the workers of one that was killed long ago, nor what one
    of them has just started."""
    while left := living(place):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def children(process: int) -> list[int]:
    """The processes that `process` has started."""
    return [
        int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


class Mariadb:
    """A server of the drill's own, on loopback and tmpfs, whose commits survive its death."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.log = room / "mariadb.log"
        port, password, user = mariadb.free_port(), secrets.token_hex(16), getpass.getuser()
        options = mariadb.OPTIONS.format(room=room, port=port, user=user) + DURABLE
        (room / "my.cnf").write_text(options)
        (room / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS tasks@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            "GRANT ALL ON *.* TO tasks@'127.0.0.1';\nCREATE DATABASE IF NOT EXISTS drill;\n"
        )
        self.path = f"{os.environ['PATH']}:/usr/sbin"
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={room}/data",
                   f"--user={user}", "--skip-test-db", "--skip-name-resolve",
                   "--auth-root-authentication-method=socket"]  # fmt: skip
        environment = {**os.environ, "PATH": self.path}
        subprocess.run(install, check=True, capture_output=True, env=environment)
        self.server = f"mysql://tasks:{password}@127.0.0.1:{port}"
        self.url = f"{self.server}/drill"
        self.start()

    def start(self) -> None:
        """It answers."""
        binary = shutil.which("mariadbd", path=self.path) or "mariadbd"
        command = [binary, f"--defaults-file={self.room}/my.cnf",
                   f"--init-file={self.room}/init.sql"]  # fmt: skip
        self.process = spawn(command, self.room, self.room / "error.log")
        mariadb.wait(self.server, self.room)

    def strike(self) -> None:
        """It was killed, and is there again."""
        kill(self.process)
        time.sleep(0.5)
        self.start()


class Gunicorn:
    """The service, from a checkout or a copy of one."""

    def __init__(self, code: Path, room: Path, url: str) -> None:
        self.code, self.log = code, room / "service.log"
        self.port = mariadb.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "TASKS_DATABASE_URL": url, "TASKS_SECRET_KEY": services.SECRET,
            "TASKS_INSTANCE_PATH": str(room / "instance"), "TASKS_METRICS_ADDRESS": "",
            "TASKS_LOG_LEVEL": "WARNING", "TASKS_WORKERS": "2",
        }  # fmt: skip
        self.flask("db", "upgrade")
        self.start()

    def flask(self, *arguments: str) -> str:
        """What a command prints."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi:app", *arguments]
        done = subprocess.run(
            command, cwd=self.code, env=services.environment(**self.settings), check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def start(self) -> None:
        """It answers: itself, and not a worker that has not yet noticed that it is an orphan."""
        command = [sys.executable, "-m", "app.starting", "serve", "--port", str(self.port)]
        deadline = time.monotonic() + 60
        while self.taken() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.process = spawn(command, self.code, self.log, **self.settings)
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(self.log.read_text()[-2000:])
            if self.process.poll() is not None:
                self.process = spawn(command, self.code, self.log, **self.settings)
            time.sleep(0.2)

    def taken(self) -> bool:
        """Whether somebody still listens at its port."""
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def answers(self) -> bool:
        """Whether it does."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200) and self.process.poll() is None
        except OSError:
            return False

    def strike(self) -> None:
        """Its first process was killed, and it was started again."""
        kill(self.process)
        self.start()

    def strike_worker(self, choice: Any) -> None:
        """One of its workers was killed; it starts another by itself."""
        if workers := children(self.process.pid):
            os.kill(choice(workers), signal.SIGKILL)

    def strike_all(self) -> None:
        """All its processes were killed at once, and it was started again."""
        self.end()
        self.start()

    def end(self) -> None:
        """All its processes were killed, workers of an earlier first process included."""
        end(self.log)
        self.process.wait()
