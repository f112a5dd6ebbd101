"""The demonstration's agents and issuer: the example programs, for as long as a server runs.

`python -m app.demo.crew` is the process that starts them. It ends them when its standard input
does: the server holds the other end of that pipe, so that however the server ends, they end too.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ENQUEUED_SECONDS = "20"
"""Between two tasks that the issuer enqueues."""
PARTING_SECONDS = 2
"""How long they may take to end. A server that has stopped takes nothing back: timers will."""
NEEDED = ("client_id", "client_secret", "agent_client_id", "agent_client_secret")


class Crew:
    """What a server knows of them: how to begin and how to end."""

    def __init__(self, at: str, agents: int, known: Mapping[str, str]) -> None:
        """`at`: the server's address; `known`: the demonstration's credentials, {} without one."""
        possible = EXAMPLES.exists() and all(name in known for name in NEEDED)
        self.agents = agents if possible else 0
        self.given = {"TASKS_URL": at, **{name.upper(): known.get(name, "") for name in NEEDED}}
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """They work, if there are to be any."""
        if self.agents:
            command = [sys.executable, "-m", "app.demo.crew", str(self.agents)]
            # Ctrl-C goes to the server's whole group, and would meet them while they start.
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, env={**os.environ, **self.given}, process_group=0
            )

    def end(self) -> None:
        """They are gone."""
        if self.process and self.process.stdin:
            self.process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(3 * PARTING_SECONDS)


def program(name: str, *arguments: str, client: str = "") -> subprocess.Popen[bytes]:
    """An example runs; `client` is the prefix of the variables that hold its credentials."""
    known = {name: os.environ[client + name] for name in ("CLIENT_ID", "CLIENT_SECRET")}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **known},
    )


def dismiss(programs: list[subprocess.Popen[bytes]]) -> None:
    """All of `programs` have ended, of themselves or not."""
    for one in programs:
        one.terminate()
    deadline = time.monotonic() + PARTING_SECONDS
    for one in programs:
        try:
            one.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


def main(agents: int) -> None:
    """Let them work until standard input ends."""
    names = [f"demo-agent-{number}" for number in range(1, agents + 1)]
    programs = [program("agent.py", name, client="AGENT_") for name in names]
    programs.append(program("issue.py", "--no-watch", "--every", ENQUEUED_SECONDS))
    try:
        sys.stdin.buffer.read()
    finally:
        dismiss(programs)


if __name__ == "__main__":
    main(int(sys.argv[1]))
