"""What happens in the demonstration: tasks and their activities, seven days up to now."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from app.catalog.times import DAY, SECOND, written
from app.demo import names
from app.demo.steps import EXAMPLE_UUID, Steps
from app.demo.world import Policy, World, uuid

Object = dict[str, Any]
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAYS = 7
RHYTHM = (9, 10, 10, 9, 7, 5, 3, 3, 4, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 5, 6, 7, 8, 9)
"""How much begins in each hour of a day, from the hour of now on; nights are busy."""
ENDS = (
    ("ok", 800), ("warning", 80), ("error", 70), ("cancelled", 25), ("timedout", 15),
    ("abandoned", 10),
)  # fmt: skip
PRIORITIES = (("normal", 70), ("high", 10), ("low", 10), ("aboveNormal", 6), ("belowNormal", 4))
LATEST = 8
"""Tasks at the end of which two each are enqueued, assigned, started and paused."""
HOURS = list(accumulate(RHYTHM * DAYS))


def drawn(random: Random, table: Sequence[tuple[str, int]]) -> str:
    """A word of `table`, as often as its weight says."""
    return random.choices([word for word, _ in table], [weight for _, weight in table])[0]


def moment(share: float) -> int:
    """Nanoseconds since the week's beginning at which `share` of all its tasks have come."""
    reached = share * HOURS[-1]
    hour = min(bisect(HOURS, reached), len(HOURS) - 1)
    within = (reached - (HOURS[hour] - RHYTHM[hour % 24])) / RHYTHM[hour % 24]
    return int((hour + within) * HOUR)


@dataclass
class Life:
    """When a task came, was taken, begun and would end; epoch nanoseconds."""

    enqueued: int
    assigned: int
    started: int
    ended: int
    result: str
    now: int
    paused: bool = False

    @property
    def state(self) -> str:
        """Where it stands now."""
        if self.now < self.assigned:
            return "enqueued"
        if self.now < self.started:
            return "assigned"
        if self.now < self.ended:
            return "paused" if self.paused else "started"
        return "completed"

    @property
    def share(self) -> float:
        """How much of it is done now."""
        return min(1.0, max(0.0, (self.now - self.started) / max(1, self.ended - self.started)))


class Week:
    """The demonstration's tasks and activities, one task after the other."""

    def __init__(self, world: World, tasks: int, seed: int, now: int, example: bool = True) -> None:
        """`now`: epoch nanoseconds at which the week ends; `example`: whether it begins with the
        task that the documentation shows."""
        self.world, self.tasks, self.now, self.example = world, tasks, now, example
        self.random = Random(f"week {seed}")
        # Of two runs with one seed each has UUIDs of its own.
        self.uuids = Random(f"uuids {seed} {now}")
        self.steps = Steps(self.random, self.uuids)
        self.last = 0

    def objects(self) -> Iterator[Object]:
        """Every task, followed by its activities."""
        begin = self.now - DAYS * DAY
        for number in range(self.tasks):
            share = (number + self.random.random()) / self.tasks
            enqueued = begin + int(moment(share))
            yield from self.task(number, enqueued)

    def life(self, number: int, policy: Policy, enqueued: int, first: bool) -> Life:
        """How it goes with task `number`, which came at `enqueued`."""
        random = self.random
        assigned = enqueued + int(random.lognormvariate(3.0, 1.2) * SECOND)
        started = assigned + int(random.uniform(0.2, 4) * SECOND)
        result = drawn(random, ENDS)
        length = policy.work.minutes * random.lognormvariate(0, 0.7)
        if result in ("error", "cancelled"):
            length *= random.random()
        life = Life(enqueued, assigned, started, started + int(length * MINUTE), result, self.now)
        return life if first else self.caught(life, number - self.tasks + LATEST)

    def caught(self, life: Life, place: int) -> Life:
        """`life`, of the latest few tasks one that now is in the state of its place."""
        since = self.now - life.enqueued
        if place < 0:
            return life
        life.assigned = life.enqueued + (since // 3 if place % 4 else since + MINUTE)
        life.started = life.enqueued + (since // 2 if place % 4 > 1 else since + 2 * MINUTE)
        life.ended = max(life.started, self.now) + 10 * MINUTE
        life.paused = place % 4 == 3
        return life

    def task(self, number: int, enqueued: int) -> Iterator[Object]:
        """Task `number` and its activities."""
        first = self.example and number == 0
        policy = self.world.works["backup"].things[0] if first else self.world.policy(self.random)
        life = self.life(number, policy, enqueued, first)
        if first:
            life.result = "ok"
        self.last = max(self.last + 1, enqueued // 1000)
        shown = self.outline(1 if first else self.last, policy, life)
        shown["uuid"] = EXAMPLE_UUID if first else str(uuid(self.uuids))
        if first or self.random.random() < 0.1:
            shown["workflowId"] = 1 if first else 1 + number // 10
        self.course(shown, policy, life, first)
        yield shown
        if life.started <= life.now:
            yield from self.steps.of(shown, policy.work, life, first)

    def outline(self, number: int, policy: Policy, life: Life) -> Object:
        """What is known of a task when it comes."""
        random, world = self.random, self.world
        shown: Object = {
            "id": number,
            "type": policy.work.type,
            "queue": policy.work.queue,
            "priority": drawn(random, PRIORITIES),
            "enqueuedAt": written(life.enqueued),
            "startedByUser": world.users.one(random),
            "policy": policy.shown,
            "resource": world.machine(random) if number > 1 else {
                "id": "resource-1", "type": "machine", "name": "vm-1"},
            "tenant": world.tenants.one(random),
            "issuer": {"id": "console", "clusterId": "cluster-1"},
            "tags": sorted(random.sample(names.TAGS, random.choice((0, 1, 1, 2, 3)))),
            "context": {"ticket": f"CHG-{random.randrange(10_000)}", "window": "02:00–06:00"},
            "argument": {
                "mode": random.choice(("full", "incremental")), "paths": ["/", "C:\\Users"]},
        }  # fmt: skip
        if random.random() < 0.15 or number == 1:
            shown["affinity"] = world.agents.things[0] if number == 1 else world.agents.one(random)
            agent = shown["affinity"]
            shown["affinity"] = {"agentId": agent["id"], "clusterId": agent["clusterId"]}
        if random.random() < 0.3:
            shown |= {"execTimeout": 6 * 3600, "maxAssignCount": 3}
        return shown

    def course(self, shown: Object, policy: Policy, life: Life, first: bool) -> None:
        """Add what has become of a task."""
        random = self.random
        state = life.state
        if state == "enqueued":
            shown |= {"state": state, "updatedAt": shown["enqueuedAt"]}
            if random.random() < 0.5:
                shown["notBefore"] = written(life.now + int(random.uniform(1, 180) * MINUTE))
            return
        agent = self.world.agents.one(random) if not first else self.world.agents.things[0]
        if "affinity" in shown:
            ids = ("agentId", "id"), ("clusterId", "clusterId")
            agent = {name: shown["affinity"][member] for member, name in ids}
        shown |= {"executor": agent, "assignedAt": written(life.assigned), "assignCount": 1}
        attempt = {"number": 1, "executor": agent, "assignedAt": shown["assignedAt"]}
        shown |= {"attempts": [attempt], "updatedAt": shown["assignedAt"], "state": state}
        if state == "assigned":
            return
        shown["startedAt"] = attempt["startedAt"] = written(life.started)
        total = random.randrange(1_000, 2_000_000)
        shown["progress"] = {"current": int(total * life.share), "total": total, "unit": "MB"}
        if state != "completed":
            reported = life.now - random.randrange(30 * SECOND)
            shown["updatedAt"] = written(max(life.started, reported))
            return
        self.end(shown, policy, life, attempt)

    def end(self, shown: Object, policy: Policy, life: Life, attempt: Object) -> None:
        """Add how a task ended."""
        random, ended = self.random, written(life.ended)
        attempt |= {"endedAt": ended, "outcome": life.result}
        shown |= {"completedAt": ended, "updatedAt": ended}
        result: Object = {"code": life.result}
        shown["result"] = result
        code, message = random.choice(policy.work.trouble)
        if life.result == "error":
            debug = {
                "host": shown["executor"]["id"],
                "trace": [f"{code} at step {random.randrange(9)}"],
            }
            result["error"] = {"code": code, "message": message, "debug": debug}
            shown |= {"failCount": 1}
        elif life.result == "warning":
            result["warnings"] = [{"code": code, "message": message}]
        elif life.result == "cancelled":
            shown["cancelRequested"] = True
        else:
            result["payload"] = {
                "bytes": random.randrange(10**11),
                "files": random.randrange(10**6),
            }
        deleted = life.ended + HOUR
        if random.random() < 0.01 and deleted < life.now and shown["id"] > 1:
            shown["deletedAt"] = shown["updatedAt"] = written(deleted)
