r"""An issuer: it enqueues tasks, watches them to their end, and cancels them on Ctrl-C.

    TASKS_URL=http://127.0.0.1:8080 CLIENT_ID=... CLIENT_SECRET=... \
        python examples/issue.py --type backup --argument '{"seconds": 5}'

The UUID makes enqueueing safe to repeat: the same UUID with the same body is the same task.
"""

import argparse
import json
import sys
import time
from uuid import uuid4

from requests import RequestException
from session import API, Session


def enqueue(http, options):
    """The task, enqueued once however often this is sent."""
    task = {"uuid": options.uuid or str(uuid4()), "type": options.type, "queue": options.queue}
    task |= {"priority": options.priority, "argument": options.argument}
    return http.post(f"{API}/tasks", json=task).json()


def watch(http, task):
    """Print the task's state and progress whenever they change -> the task, completed."""
    shown = ""
    while True:
        progress = task.get("progress", {})
        done = f"{progress.get('current', 0)}/{progress.get('total', '?')}"
        told = f"{task['id']} {task['state']} {done}"
        if told != shown:
            print(shown := told, flush=True)
        if task["state"] == "completed":
            return task
        time.sleep(0.2)
        task = http.get(f"{API}/tasks/{task['id']}", params={"lod": "long"}).json()


def cancel(http, task):
    """Ask for the task to be cancelled -> the task then."""
    return http.put(f"{API}/tasks/{task['id']}/cancelRequested", json={}).json()


def issue(http, options):
    """Enqueue a task and, when asked, watch it -> its result's code, or its id."""
    task = enqueue(http, options)
    if options.no_watch:
        return task["id"]
    try:
        return watch(http, task)["result"]["code"]
    except KeyboardInterrupt:
        return watch(http, cancel(http, task))["result"]["code"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--type", default="example")
    parser.add_argument("--queue", default="default")
    parser.add_argument("--priority", default="normal")
    parser.add_argument(
        "--argument", type=json.loads, default='{"seconds": 5}', help="JSON for the executor"
    )
    parser.add_argument("--uuid", help="to enqueue again what may have been enqueued before")
    parser.add_argument("--no-watch", action="store_true", help="print the id and end")
    parser.add_argument("--every", type=float, help="seconds after which to enqueue another")
    options, http = parser.parse_args(), Session()
    try:
        print(issue(http, options), flush=True)
        while options.every:
            time.sleep(options.every)
            print(issue(http, options), flush=True)
    except RequestException as error:
        sys.exit(f"error: {error}")
