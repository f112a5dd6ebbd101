"""`flask import` of many tasks with three activities each: rows a second, and its memory."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from app.catalog.times import written
from app.vocabulary import Priority, ResultCode, State
from benches import data
from benches.anchors import line
from benches.servers import ROOT, environment

MILLION = 4_000_000
"""Rows of 1,000,000 tasks with their activities."""
STATES, RESULTS, PRIORITIES = State.words(), ResultCode.words(), Priority.words()


def entry(word: str, number: int | None) -> dict[str, str] | None:
    """A policy or a resource as an object names it."""
    if number is None:
        return None
    return {"id": f"{word}-{number}", "type": f"{word} type {number % 7}",
            "name": f"{word} name {number:06}"}  # fmt: skip


def shown(members: dict[str, Any], times: dict[str, int | None]) -> bytes:
    """One line: `members` and `times`, without what is absent."""
    moments = {name: written(moment) for name, moment in times.items() if moment is not None}
    kept = {name: value for name, value in members.items() if value is not None}
    return orjson.dumps(kept | moments) + b"\n"


def tenants() -> dict[int, dict[str, str]]:
    """Tenants as objects name them, by number."""
    return {
        number: {"id": str(number), "uuid": str(UUID(bytes=uuid)), "locator": locator, "name": name}
        for number, uuid, _, _, locator, name in data.tenants()
    }


def common(row: Any, owners: dict[int, dict[str, str]], type_: int) -> dict[str, Any]:
    """What tasks and activities have in common; `type_`: the number of the row's type."""
    state, result = row[5:7]
    return {
        "id": row[0], "uuid": str(UUID(bytes=row[1])), "type": f"type {type_:06}",
        "state": STATES[state - 1], "result": result and {"code": RESULTS[result - 1]},
        "tenant": owners[row[7]], "startedByUser": f"user {row[9]:06}",
        "policy": entry("policy", row[10]), "resource": entry("resource", row[11]),
        "context": {"topic": "nightly", "window": "01:00-05:00"},
    }  # fmt: skip


def objects(count: int) -> Iterator[bytes]:
    """`count` tasks, each followed by its activities, a line each."""
    owners = tenants()
    for number, (row, tags) in enumerate(data.tasks(count, 1)):
        task = common(row, owners, row[2]) | {
            "queue": f"queue {row[3]:06}", "priority": PRIORITIES[row[4] - 1],
            "tags": [f"tag {tag:06}" for tag in tags], "workflowId": row[13],
            "executor": row[12] and {"id": f"agent-{row[12]}", "clusterId": ""},
        }  # fmt: skip
        names = ("enqueuedAt", "assignedAt", "startedAt", "updatedAt", "completedAt")
        yield shown(task, dict(zip(names, row[14:19], strict=True)))
        for step in data.activities(row, number):
            activity = common(step, owners, step[4]) | {
                "taskId": step[2],
                "parentActivityId": step[3],
            }
            names = ("createdAt", "startedAt", "updatedAt", "completedAt")
            yield shown(activity, dict(zip(names, step[14:18], strict=True)))


def most_memory(process: subprocess.Popen[bytes]) -> float:
    """The most MiB that `process` has had resident, once it has ended."""
    status, most = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        found = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
        most = max([most, *(int(row.split()[1]) for row in found)])
        time.sleep(0.05)
    return most / 1024


def processor() -> float:
    """Seconds of processor time that ended children have used: other work does not count."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def lines(url: str, room: Path, count: int) -> Iterator[str]:
    """How fast `count` tasks come in at the migrated, empty database at `url`."""
    file = room / "objects.ndjson"
    with file.open("wb") as output:
        output.writelines(objects(count))
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "import", str(file), "--json"]
    began, used = time.monotonic(), processor()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(url, room),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    memory = most_memory(process)
    seconds = time.monotonic() - began
    told, trouble = process.communicate()
    file.unlink()
    assert process.returncode == 0, trouble.decode()[-1000:]
    rows = orjson.loads(told)["tasks"] + orjson.loads(told)["activities"]
    assert rows == 4 * count, told
    name = "import" if url.startswith("sqlite") else "import mysql"
    note = f"{rows:,} rows in {seconds:.1f} s ({processor() - used:.1f} s CPU)"
    note += "" if rows == MILLION else "; extrapolated"
    yield line(name, seconds / rows * MILLION / 60, note)
    yield line("import rate", rows / seconds / 1000)
    yield line("import memory", memory)
