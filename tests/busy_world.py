"""A world of some thousands of rows in good order, as our own service would have made them.

Here the planner walks indexes and relies on what times imply; frequencies are skewed.
"""

import random

from oracle_grammar import PRIORITIES, RESULTS, STATES
from worlds import NOON, PATHS, TAGS, TENANTS, TEXTS, TYPES, Object, World, uuid, written

SECOND = 10**9
STEP = 600 * SECOND
"""Between one task and the next."""


def skewed(chance: random.Random, choices: list[str]) -> str:
    """One of `choices`, the first far oftener than the last."""
    return choices[int(len(choices) * chance.random() ** 3)]


USERS = [f"user {number}@example.com" for number in range(60)]
PLANS = [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(300)]


def row(chance: random.Random, born: int, number: int) -> Object:
    """What tasks and activities have in common; `born`: epoch nanoseconds."""
    state = chance.choice(STATES) if chance.random() < 0.06 else "completed"
    begun = born + chance.randrange(STEP)
    if number % 13 == 0:
        begun = born - born % (500 * STEP) + 500 * STEP
    ended = begun + chance.randrange(40 * STEP)
    item: Object = {"id": born // 1000, "uuid": uuid(number), "state": state}
    item |= {"type": skewed(chance, list(TYPES)), "updatedAt": written(born)}
    if state not in ("enqueued", "assigned"):
        item |= {"startedAt": written(begun), "updatedAt": written(begun)}
    if state == "completed":
        code = "ok" if chance.random() < 0.8 else chance.choice(RESULTS)
        item |= {"completedAt": written(ended), "updatedAt": written(ended)}
        item["result"] = {"code": code}
        if number % 40 == 0:
            item["deletedAt"] = written(ended)
    if number % 3:
        plan = int(300 * chance.random() ** 2)
        item["policy"] = {"id": f"plan-{plan // 2}", "type": "backup", "name": PLANS[plan]}
        item["startedByUser"] = skewed(chance, USERS)
    item["resource"] = {"id": f"vm-{int(900 * chance.random() ** 2)}", "type": "vm"}
    if number % 4 == 0:
        item["tags"] = sorted({skewed(chance, list(TAGS)) for _ in range(2)})
    return item


def world(tasks: int = 3_000, activities: int = 4_500) -> World:
    """The world; tasks and activities each in order of birth."""
    chance = random.Random(7)
    made: World = {"tasks": [], "activities": []}
    for number in range(tasks):
        born = NOON + number * STEP + chance.randrange(STEP // 1000) * 1000
        item = row(chance, born, number) | {"enqueuedAt": written(born)}
        item |= {"tenant": TENANTS[chance.choice([*PATHS, 15, 15, 210, 210, 210])]}
        if item["state"] != "enqueued":
            item["assignedAt"] = written(born + 1)
        item["priority"] = "normal" if chance.random() < 0.7 else chance.choice(PRIORITIES)
        made["tasks"].append(item)
    for number in range(activities):
        born = NOON + number * STEP * tasks // activities
        item = row(chance, born, number) | {"createdAt": written(born)}
        task = chance.choice(made["tasks"])
        item |= {"taskId": task["id"], "tenant": task["tenant"], "sustainable": number % 20 == 0}
        made["activities"].append(item)
    return made
