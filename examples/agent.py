"""An agent: it carries out tasks under their leases, obeys cancellation, and on SIGTERM hands back.

TASKS_URL=http://127.0.0.1:8080 CLIENT_ID=... CLIENT_SECRET=... python examples/agent.py NAME"""

import signal
import sys
from threading import Event, Thread
from uuid import uuid4

from requests import RequestException
from session import API, Session

STOPPING, CALLED = Event(), Event()  # the agent is to stop; somebody is to look up from his work


class Held:
    """A task that this agent holds; a thread keeps its lease alive until it is `over`."""

    def __init__(self, http, task):
        self.http, self.task, self.over = http, task, Event()
        CALLED.clear()
        Thread(target=self.keep, daemon=True).start()

    def step(self, name, **body):
        """Take a step -> the answer. Raises RequestException: 409 when the lease is lost."""
        url, lease = f"{API}/tasks/{self.task['id']}/{name}", self.task["lease"]["token"]
        told = self.told = self.http.put(url, json=body, headers={"Lease-Token": lease}).json()
        if told["cancelRequested"]:
            CALLED.set()
        return told

    def keep(self):
        """Send heartbeats until it is over, three in the time that one may take."""
        while not self.over.wait(self.task.get("heartbeatInterval", 60) / 3):
            try:
                self.step("heartbeat")
            except RequestException as error:
                print(f"{self.task['id']}: no heartbeat: {error}", flush=True)


def carry_out(held, steps=10):
    """Your own work goes here -> the task then. This rests for `argument.seconds` and reports."""
    held.step("started")
    for done in range(held.task.get("progress", {}).get("current", 0), steps):
        CALLED.wait(float(held.task.get("argument", {}).get("seconds", 5)) / steps)
        if STOPPING.is_set():
            return held.step("enqueued", reason="the agent was stopped")
        if held.told["cancelRequested"]:
            return held.step("completed", result={"code": "cancelled"})
        held.step("progress", progress={"current": done + 1, "total": steps})
    return held.step("completed", result={"code": "ok"})


def main(name, http, key=""):
    """Claim one task after the other until SIGTERM. `key`: of a claim that got no answer yet."""
    wish = {"executor": {"id": name}, "wait": 5}
    while not STOPPING.is_set():
        key = key or str(uuid4())  # under the same key the same task is handed out again
        try:
            answer = http.post(f"{API}/tasks/claim", json=wish, headers={"Idempotency-Key": key})
            key = ""
            for task in answer.json()["items"]:
                held = Held(http, task)
                try:
                    print(f"{task['id']}: {carry_out(held)['state']}", flush=True)
                except RequestException:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever your work raises
                    held.step("enqueued", reason=repr(error)[:256], failed=True)
                finally:
                    held.over.set()
        except RequestException as error:
            print(f"going on: {error}", flush=True)
            STOPPING.wait(1)  # what is lost is left alone: timers give it to somebody else


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: (STOPPING.set(), CALLED.set()))
    main(sys.argv[1] if len(sys.argv) > 1 else "agent-1", Session())
