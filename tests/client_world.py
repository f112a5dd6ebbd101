"""What a partner with two customers sees after forty days: the data that clients' calls are run on.

Ids are like a hosted service's, beyond 2^53. Some hundred tasks began at one and the same moment,
some wait in the queue, some failed, and another partner has rows that nobody here may see.
"""

import random

from oracle_grammar import PRIORITIES, RESULTS
from worlds import Object, World, uuid, written

DAY = 86_400 * 10**9
TASKS = 1_260
STRANGERS = 40
TYPES = (
    "backup", "UserMailboxBackup", "SPBackup", "ODBackup", "update",
    "0016750A-EE56-49E6-BF59-7C768C9869AC",
)  # fmt: skip
PLANS = ("Mail daily", "MAIL archive", "100%_mail", "Weekly disks", "E-mаil", "Servers")
STATES = ("started", "paused", "assigned", "enqueued")
PARTNER, FIRST, SECOND, STRANGER = 700, 701, 702, 900
RESOURCE = "9d1c6f2e-1111-4222-8333-944455556666"


def tenant(number: int) -> Object:
    """One of the four tenants."""
    below = "" if number in (PARTNER, STRANGER) else f"{number}/"
    top = number if number in (PARTNER, STRANGER) else PARTNER
    known = {"id": str(number), "uuid": uuid(number), "name": f"Client {number}"}
    return known | {"locator": f"/1/{top}/{below}"}


class Days:
    """Makes forty days of work that end `now` (epoch nanoseconds)."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.random = random.Random(40)
        self.same = now - 3 * DAY

    def core(self, number: int, begin: int, state: str) -> Object:
        """What tasks and activities have in common; `begin`: when it was made."""
        item = {"id": 2**53 + 5 + number, "uuid": uuid(10**7 + number), "state": state}
        started = self.same if number % 4 == 0 and begin < self.same else begin + 10**9
        if state not in ("enqueued", "assigned"):
            item["startedAt"] = written(started)
        item["updatedAt"] = written(started)
        if state == "completed":
            ended = started + self.random.randrange(10**9, DAY // 4)
            ended = min(ended - ended % 1000 if number % 20 else ended, self.now)
            code = RESULTS[0] if self.random.random() < 0.6 else self.random.choice(RESULTS)
            item |= {"completedAt": written(ended), "updatedAt": written(ended)}
            item["result"] = {"code": code}
            if code == "error":
                error = {"code": "io", "message": "disk is full", "context": {"free": None}}
                item["result"]["error"] = error
        return item

    def task(self, number: int, owner: int) -> Object:
        """One task; every thirteenth is not completed."""
        begin = self.now - self.random.randrange(DAY // 2, 40 * DAY)
        state = self.random.choice(STATES) if number % 13 == 0 else "completed"
        item = self.core(number, begin, state)
        item |= {"type": self.random.choice(TYPES), "enqueuedAt": written(begin)}
        item |= {"tenant": tenant(owner), "priority": self.random.choice(PRIORITIES)}
        if number % 10:
            plan = self.random.randrange(len(PLANS))
            kind = "backup" if self.random.random() < 0.78 else "update"
            item["policy"] = {"id": f"plan-{plan}", "type": kind, "name": PLANS[plan]}
        known = {"id": RESOURCE, "type": "vm", "name": "VM (1)"}
        other = {"id": uuid(number), "type": "vm", "name": f"vm {number}"}
        item["resource"] = known if number % 42 == 0 else other
        if state == "started":
            item["progress"] = {"current": 3, "total": 10}
        return item

    def activities(self, task: Object, first: int) -> list[Object]:
        """None to four activities of a task, one below the other up to three deep."""
        made: list[Object] = []
        count = 0 if task["state"] == "enqueued" else self.random.randrange(5)
        for number in range(first, first + count):
            begin = self.now - self.random.randrange(DAY // 2, 40 * DAY)
            item = self.core(
                number, begin, "completed" if task["state"] == "completed" else "started"
            )
            item |= {"type": f"step {number % 3}", "createdAt": written(begin)}
            item |= {
                "taskId": task["id"],
                "tenant": task["tenant"],
                "sustainable": number % 20 == 0,
            }
            item |= {name: task[name] for name in ("policy", "resource") if name in task}
            if 0 < len(made) < 3:
                item["parentActivityId"] = made[-1]["id"]
            made.append(item)
        return made


def world(now: int) -> World:
    """Everything, the stranger's rows last."""
    days = Days(now)
    owners = [days.random.choice((FIRST, FIRST, FIRST, SECOND, PARTNER)) for _ in range(TASKS)]
    tasks = [
        days.task(number, owner) for number, owner in enumerate([*owners, *[STRANGER] * STRANGERS])
    ]
    activities: list[Object] = []
    for task in tasks:
        activities += days.activities(task, len(activities))
    return {"tasks": tasks, "activities": activities}
