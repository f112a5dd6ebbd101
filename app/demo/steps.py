"""The activities of the demonstration's tasks: a step that holds the others, one after another."""

from collections.abc import Iterator
from random import Random
from typing import Any

from app.catalog.times import written
from app.demo.names import Work
from app.demo.world import uuid

Object = dict[str, Any]
SHARED = ("policy", "resource", "tenant", "startedByUser", "workflowId")
"""What an activity has in common with its task."""
KEPT = 20_000
"""Ids given lately among which a new one is looked for."""
EXAMPLE_UUID = "0016750a-ee56-49e6-bf59-7c768c9869ac"
"""UUID of the first activity, and of the first task: the one that the documentation shows."""


class Steps:
    """Makes activities whose ids are the microseconds at which they were made, each its own."""

    def __init__(self, random: Random, uuids: Random) -> None:
        """`random` decides what happens, `uuids` only makes UUIDs."""
        self.random, self.uuids = random, uuids
        self.given: set[int] = set()

    def number(self, created: int) -> int:
        """A free id for an activity made at `created`, epoch nanoseconds."""
        number = created // 1000
        while number in self.given:
            number += 1
        self.given.add(number)
        return number

    def forget(self, before: int) -> None:
        """Ids of times that will not come again are not needed any more."""
        if len(self.given) > KEPT:
            self.given = {number for number in self.given if number >= before // 1000}

    def of(self, task: Object, work: Work, life: Any, first: bool) -> Iterator[Object]:
        """The activities of `task`, the one that holds the others first."""
        self.forget(life.enqueued)
        top = self.activity(task, work.steps[0], life, life.started, life.ended)
        if first:
            top |= {"id": 1, "uuid": EXAMPLE_UUID, "tags": ["nightly"], "sustainable": True}
        yield top
        inner = work.steps[1:]
        length = max(1, life.ended - life.started) // (len(inner) + 1)
        for place, name in enumerate(inner):
            begin = life.started + place * length + self.random.randrange(1, length + 2)
            if begin > min(life.now, life.ended):
                return
            step = self.activity(task, name, life, begin, min(begin + length, life.ended))
            step["parentActivityId"] = top["id"]
            yield step

    def activity(self, task: Object, name: str, life: Any, begin: int, end: int) -> Object:
        """One activity that works from `begin` to `end`."""
        done = end <= life.now
        shown: Object = {
            "id": self.number(begin),
            "uuid": str(uuid(self.uuids)),
            "taskId": task["id"],
            "type": name,
            "state": "completed" if done else "started",
            "createdAt": written(begin),
            "startedAt": written(begin),
            "updatedAt": written(end if done else life.now),
            "executor": task["executor"],
            "sustainable": self.random.random() < 0.1,
            "tags": [tag for tag in task["tags"] if tag in ("nightly", "critical")],
            **{member: task[member] for member in SHARED if member in task},
        }
        if done:
            last = end == life.ended
            shown |= {"completedAt": shown["updatedAt"], "result": {"code": "ok"}}
            if last and "error" in task["result"]:
                shown["result"] = {"code": "error", "error": task["result"]["error"]}
            elif last and life.result in ("cancelled", "timedout", "abandoned"):
                shown["result"] = {"code": "abandoned"}
        if "deletedAt" in task:
            shown["deletedAt"] = shown["updatedAt"] = task["deletedAt"]
        return shown
