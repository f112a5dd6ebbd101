"""An executor of the drill: claims, works, sometimes dawdles past its lease, until it is killed.

python executor.py NAME URL CLIENT_ID CLIENT_SECRET JOURNAL
"""

import os
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from calls import Caller, Journal

LIMIT = 4
"""Tasks of one claim: those that wait behind a slow one lose their leases too."""
DAWDLED_SECONDS = 30.0
"""How long an executor that dawdles waits at most for another to hold its task."""
HELD_SECONDS = 10.0
"""How long the next one holds it at most, for the late one to come meanwhile."""
BEAT_SECONDS = 0.4


class Executor:
    """One process, with a name that no other ever has."""

    def __init__(self, name: str, url: str, client: tuple[str, str], journal: str) -> None:
        self.name = name
        self.journal = Journal(journal)
        self.caller = Caller(url, client, self.journal)
        self.folder = Path(journal).parent

    def claim(self) -> list[Any]:
        """Some tasks, once for each key however often it is sent."""
        wish = {"executor": {"id": self.name}, "limit": LIMIT, "wait": 2}
        key = {"Idempotency-Key": str(uuid4())}
        status, said = self.caller.call("POST", "/tasks/claim", wish, **key)
        if status != 200:
            self.journal.write("refused", step="claim", status=status, said=said)
            return []
        for task in said["items"]:
            self.journal.write(
                "claimed", task=task["id"], who=self.name, lease=task["lease"]["token"]
            )
        return list(said["items"])

    def step(self, task: Any, name: str, **body: Any) -> bool:
        """Whether the step was accepted; both asking and answer are written down."""
        lease, sent = task["lease"]["token"], time.monotonic()
        facts = {"task": task["id"], "lease": lease, "step": name, "sent": sent, "body": body}
        self.journal.write("asked", **facts)
        where = f"/tasks/{task['id']}/{name}"
        status, said = self.caller.call("PUT", where, body, **{"Lease-Token": lease})
        if status == 200:
            self.journal.write("accepted", **facts)
        elif status == 409 and said["code"] == "lease_lost":
            self.journal.write("lost", **facts)
        else:
            self.journal.write("refused", **facts, status=status, said=said)
        return bool(status == 200)

    def carry_out(self, task: Any) -> None:
        """Start, work, complete; who loses the lease goes on to the next task."""
        if not self.step(task, "started"):
            return
        long = task.get("argument", {}).get("long")
        if long:
            if task.get("progress"):
                self.hold(task)
            else:
                self.step(task, "progress", progress={"current": 1})
                self.dawdle(task)
        mark = {"lease": task["lease"]["token"], "by": self.name}
        self.step(task, "completed", result={"code": "ok", "payload": mark})
        if long:
            self.sign("late", task).touch()

    def sign(self, word: str, task: Any) -> Path:
        """A file by which executors tell each other of a task: it is `held`, the `late` one came.

        How fast the machine is then decides nothing.
        """
        return self.folder / f"{word}-{task['id']}"

    def dawdle(self, task: Any) -> None:
        """Do nothing until another executor holds the task."""
        until = time.monotonic() + DAWDLED_SECONDS
        while time.monotonic() < until and not self.sign("held", task).exists():
            time.sleep(BEAT_SECONDS)

    def hold(self, task: Any) -> None:
        """Keep the lease alive until the late one has come."""
        until = time.monotonic() + HELD_SECONDS
        self.sign("held", task).touch()
        while not self.sign("late", task).exists() and time.monotonic() < until:
            if not self.step(task, "heartbeat"):
                break
            time.sleep(BEAT_SECONDS)

    def run(self) -> None:
        """Work until the drill is over."""
        parent = os.getppid()
        while os.getppid() == parent:
            for task in self.claim():
                self.carry_out(task)


if __name__ == "__main__":
    name, url, client_id, secret, journal = sys.argv[1:]
    Executor(name, url, (client_id, secret), journal).run()
