"""The service as real processes: started from the command line, asked over HTTP, stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mariadb

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret of the tests, long enough for use"


@dataclass
class Running:
    """A service that runs: its first process, its address, and the file with its log."""

    process: subprocess.Popen[str]
    url: str
    told: list[str]
    log: Path

    def logged(self) -> str:
        """All that it has written to stderr."""
        return self.log.read_text()


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, with no setting of the service but `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TASKS_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **settings}


def command(how: str, *more: str) -> list[str]:
    """What `make run` and `make serve` start."""
    return [sys.executable, "-m", "app.starting", how, *more]


def refused(*arguments: str, **settings: str) -> tuple[int, list[str]]:
    """How a start that cannot succeed ends -> exit status, the lines of stderr."""
    done = subprocess.run(
        arguments, cwd=ROOT, env=environment(**settings), capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr.splitlines()


@contextmanager
def running(url: str, folder: Path, how: str = "serve", **settings: str) -> Iterator[Running]:
    """A service on the database at `url`; `folder` takes its log and its instance folder."""
    log = folder / f"log-{mariadb.free_port()}"
    chosen = {
        "TASKS_DATABASE_URL": url,
        "TASKS_SECRET_KEY": SECRET,
        "TASKS_INSTANCE_PATH": str(folder / "instance"),
        # Many servers run at the same time.
        "TASKS_METRICS_ADDRESS": "",
        **settings,
    }
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command(how, "--port", str(mariadb.free_port())),
            cwd=ROOT,
            env=environment(**chosen),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
        try:
            told = announced(process.stdout)
            assert told, log.read_text()
            yield Running(process, told[0].split()[4], told, log)
        finally:
            stop(process)


def announced(stdout: Any) -> list[str]:
    """What the service says when it answers; empty when it ended instead."""
    lines = []
    for line in stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            return lines
    return []


def stop(process: subprocess.Popen[str]) -> None:
    """End the process and, should it have left any, its children."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert process.stdout
    process.stdout.close()
    for left in family(process.pid):
        os.kill(left, signal.SIGKILL)


def family(session: int) -> list[int]:
    """The processes that still live in the session that began with process `session`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = entry.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == session and state != "Z":
            found.append(int(entry.parent.name))
    return found
