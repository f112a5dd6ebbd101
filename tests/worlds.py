"""Small, nasty sets of data, the same for the same seed: what lists and filters trip over.

A world is `{"tasks": [...], "activities": [...]}` of objects in the API's own shape, sparse:
members that have a default are often left out. It holds equal and missing times, single
nanoseconds, times against all order of life, text that only differs in case, accents or blanks,
ids beyond 2^53 and out of order of time, tenants four deep, deleted ones, and policies that share
an id under other names.
"""

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from oracle_grammar import PRIORITIES, RESULTS, STATES

Object = dict[str, Any]
World = dict[str, list[Object]]


def uuid(number: int) -> str:
    """A UUID that is the same for the same number."""
    return str(UUID(int=random.Random(f"{number}").getrandbits(128)))


def written(moment: int) -> str:
    """Epoch nanoseconds as answers write them."""
    seconds, fraction = divmod(moment, 10**9)
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{day:%Y-%m-%dT%H:%M:%S}.{fraction:09}Z"


PATHS = {
    1: "/1/", 15: "/1/15/", 150: "/1/150/", 210: "/1/15/210/", 211: "/1/15/211/",
    3000: "/1/15/210/3000/", 2**40: f"/1/150/{2**40}/",
}  # fmt: skip
NAMES = {15: "Müller & Söhne", 150: "株式会社", 210: 'O\'Brien "Ltd"', 3000: "عميل"}


def tenant(number: int) -> Object:
    """A tenant as objects name it."""
    name = NAMES.get(number, f"tenant {number}")
    return {"id": str(number), "uuid": uuid(number), "locator": PATHS[number], "name": name}


TENANTS = {number: tenant(number) for number in PATHS}

NOON = 1_774_958_400_000_000_000
MOMENTS = (
    *(NOON + step for step in (-86_400 * 10**9, -(10**9), -1, 0, 0, 0, 1, 999, 1000, 10**9)),
    NOON + 7_210_120_000_000,
    -1,
    0,
    1_587_553_443_290_396_913,
    -9_214_560_000_000_000_000,
    9_214_646_399_999_999_999,
)
"""Equal ones, neighbours in nanoseconds, one before 1970, the first and the last that are taken."""

TYPES = (
    "backup", "Backup", "backup ", "BACKUP", "bäckup", "ba\u0308ckup", "a_b", "a%b", "a\\b",
    "axb", "VM (1)", "like(", "0016750A-EE56-49E6-BF59-7C768C9869AC", "\U0001f600", "\uffee", "é",
    "e", "z",
)  # fmt: skip
"""\\uffee comes before the emoji by code point, after it in UTF-16."""
QUEUES = ("default", "Default", "slow ", "очередь")
TEXTS = (
    "Mail daily", "MAIL", "100%_mail", "100 mail", "Straße", "STRASSE", "strasse", "İstanbul",
    "ISTANBUL", "ıstanbul", "ΣΊΣΥΦΟΣ", "σίσυφος", "ſharp", "\u212aelvin", "a\\b", "a)b",
    "like(mail)", "ﬁle", "FILE", "\U0001f4be disk", "trailing ", "trailing", "two\nlines",
    "quo'te\"s", "a&b=c+d",
)  # fmt: skip
USERS = ("admin@example.com", "Admin@Example.com", "ådmin", "root", *TEXTS[:8])
AGENTS = ("agent-1", "Agent-1", "agent-1 ", "b56f2e4e-0000-4000-8000-000000000001")
CLUSTERS = ("cluster-1", "CLUSTER-1")
TAGS = ("nightly", "Nightly", "nightly ", "weekly", "тег", "a,b", "%")
DEBUG = {"stack": "trace", "nested": {"debug": 1}}
BODIES: tuple[Any, ...] = (
    {"z": 1, "a": {"m": [1, 2.5, None, True], "b": ""}, "": 0},
    {"big": 123456789012345678901234567890, "small": -1e-7, "huge": 1.5e300, "one": 1.0},
    {"text": 'quote" back\\slash \u2028 \U0001f600 \x7f', "persons": [{"id": None}]},
)
VALUES: tuple[Any, ...] = (*BODIES, {}, [], 0, False, "", [None], 2**70, "text")
IDS = (1, 2, 7, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**53 + 3, 2**62, 2**63 - 2, 2**63 - 1)


class Maker:
    """Makes objects out of a stream of random numbers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.chance = self.random.random

    def maybe(self, item: Object, likely: float, **members: Any) -> None:
        """Put in each member with a probability: a value, or one of a tuple's."""
        for name, value in members.items():
            if self.chance() < likely:
                item[name] = self.random.choice(value) if isinstance(value, tuple) else value

    def ids(self, count: int) -> list[int]:
        """Distinct ids without order, the peculiar ones among them."""
        made = [*IDS, *(self.random.randrange(3, 2**52) for _ in range(count - len(IDS)))]
        self.random.shuffle(made)
        return made[:count]

    def subject(self, kind: str, texts: tuple[str, ...]) -> Object:
        """A policy or a resource of which not everything is known; ids are shared."""
        whole = {
            "id": f"{kind}-{self.random.randrange(4)}",
            "type": self.random.choice(("backup", "Backup", "vm", "вм")),
            "name": self.random.choice(texts),
        }
        kept = {name: value for name, value in whole.items() if self.chance() < 0.85}
        return kept or {"id": whole["id"]}

    def ends(self, state: str) -> Object:
        """The result of something completed; nothing for the rest."""
        if state != "completed":
            return {}
        result: Object = {"code": self.random.choice(RESULTS)}
        self.maybe(result, 0.3, payload=VALUES, warnings=([], [{"code": "w", "n": None}, "late"]))
        if result["code"] == "error":
            error = {"code": "disk", "message": "Full: 100%", "context": {"n": None, "k": [1]}}
            result["error"] = {**error, "debug": DEBUG} if self.chance() < 0.5 else error
        completed = {"completedAt": written(self.random.choice(MOMENTS))}
        return {"result": result} | (completed if self.chance() < 0.9 else {})

    def times(self, *names: str) -> Object:
        """Some of these times, in no sensible order."""
        return {name: written(self.random.choice(MOMENTS)) for name in names if self.chance() < 0.8}

    def core(self, number: int, key: int) -> Object:
        """What tasks and activities have in common."""
        state = self.random.choice((*STATES, "completed", "completed"))
        item = {"id": number, "uuid": uuid(key), "state": state} | self.ends(state)
        item |= {"type": self.random.choice(TYPES)} | self.times("updatedAt")
        self.maybe(item, 0.7, startedByUser=USERS)
        self.maybe(item, 0.7, policy=self.subject("policy", TEXTS), tags=[])
        self.maybe(item, 0.7, resource=self.subject("resource", TEXTS))
        self.maybe(item, 0.3, workflowId=IDS, context=BODIES, argument=VALUES)
        self.maybe(item, 0.3, progress=({"current": 1, "total": 3}, {"current": 0, "by": [None]}))
        self.maybe(item, 0.4, executor={"id": self.random.choice(AGENTS), "clusterId": ""})
        self.maybe(item, 0.5, tags=self.random.sample(TAGS, self.random.randrange(4)))
        self.maybe(item, 0.1, deletedAt=written(NOON), revision=(2, 17))
        return item

    def task(self, number: int) -> Object:
        """One task."""
        item = self.core(number, number)
        if item["state"] != "completed":
            item.pop("deletedAt", None)
        if item["state"] != "enqueued":
            item |= self.times("assignedAt", "startedAt")
        item |= {"tenant": TENANTS[self.random.choice(list(PATHS))]} | self.times("enqueuedAt")
        self.maybe(item, 0.5, queue=QUEUES, priority=tuple(PRIORITIES))
        self.maybe(item, 0.2, cancellable=False, cancelRequested=True)
        self.maybe(item, 0.2, issuer={"id": "console", "clusterId": self.random.choice(CLUSTERS)})
        self.maybe(item, 0.2, affinity=(
            {"agentId": AGENTS[0]}, {"clusterId": CLUSTERS[0]},
            {"agentId": AGENTS[1], "clusterId": CLUSTERS[1]}))  # fmt: skip
        self.maybe(item, 0.1, notBefore=written(NOON), queueTimeout=(5, 0.5), execTimeout=3600)
        self.maybe(item, 0.1, ackTimeout=1.25, heartbeatInterval=90, lifeTime=86400)
        self.maybe(item, 0.1, maxAssignCount=1, assignCount=3, maxFailCount=2, failCount=1)
        return item

    def activity(self, number: int, task: Object, parents: list[int]) -> Object:
        """One activity of `task`, perhaps below one of `parents`."""
        item = self.core(number, -number)
        item |= {"taskId": task["id"], "tenant": task["tenant"]} | self.times("createdAt")
        if item["state"] not in ("enqueued", "assigned"):
            item |= self.times("startedAt")
        self.maybe(item, 0.3, sustainable=True)
        if parents and self.chance() < 0.4:
            item["parentActivityId"] = self.random.choice(parents)
        return item


@cache
def world(seed: int, tasks: int = 150, activities: int = 300) -> World:
    """The world of `seed`: parents come before their children. Read it, never change it."""
    make = Maker(seed)
    made: World = {"tasks": [make.task(number) for number in make.ids(tasks)], "activities": []}
    below: dict[int, list[int]] = {}
    for number in make.ids(activities):
        task = make.random.choice(made["tasks"])
        parents = below.setdefault(task["id"], [])
        made["activities"].append(make.activity(number, task, parents))
        parents.append(number)
    return made
