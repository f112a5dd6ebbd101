"""List requests that tell good plans from bad ones, over the data of `benches.data`.

Each is a function of a source of chance: the values differ in every request, the shape does not.
They are asked by the root, by partners (hundreds of customers), by a large customer, a small one.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from benches.data import DAY, DAYS, NOW

ROOT, PARTNER, MIDDLE, LARGE, SMALL = "root", "partner", "middle partner", "customer", "small"


@dataclass(frozen=True)
class Request:
    """A request's words, the tenant that asks, and the query string drawn by chance."""

    words: str
    tenant: str
    draw: Callable[[random.Random], str]
    filters: int
    """How many filters it has, the tenant aside."""


def common(chance: random.Random, word: str) -> str:
    """One of the three most frequent values."""
    return f"{word} {chance.randint(1, 3):06}"


def middling(chance: random.Random, word: str, low: int, high: int) -> str:
    """A value between two ranks."""
    return f"{word} {chance.randint(low, high):06}"


def moment(chance: random.Random, low: float, high: float) -> int:
    """A time between two shares of the ninety days."""
    return NOW - DAYS * DAY + int(DAYS * DAY * chance.uniform(low, high))


Draw = Callable[[random.Random], str]


def type_common(chance: random.Random) -> str:
    return f"type={common(chance, 'type')}"


def type_middle(chance: random.Random) -> str:
    return f"type={middling(chance, 'type', 8, 14)}"


def type_rare(chance: random.Random) -> str:
    return f"type={middling(chance, 'type', 25, 30)}"


def tag(low: int, high: int) -> Draw:
    return lambda chance: f"tag={middling(chance, 'tag', low, high)}"


def user(low: int, high: int) -> Draw:
    return lambda chance: f"startedBy={middling(chance, 'user', low, high)}"


def said(text: str) -> Draw:
    return lambda chance: text


def after(low: float, high: float, column: str = "completedAt") -> Draw:
    return lambda chance: f"{column}=gt({moment(chance, low, high)}ns)"


def before(low: float, high: float, column: str = "completedAt") -> Draw:
    return lambda chance: f"{column}=lt({moment(chance, low, high)}ns)"


def between(column: str, days: int) -> Draw:
    def draw(chance: random.Random) -> str:
        begin = moment(chance, 0.1, 0.9)
        return f"{column}=between({begin}ns,{begin + days * DAY}ns)"

    return draw


def row(tenant: str, order: str, *parts: Draw) -> Request:
    """A request of these parts in this order."""
    orders = "".join(f"&order={term}" for term in order.split())

    def draw(chance: random.Random) -> str:
        return "&".join(part(chance) for part in parts) + orders

    words = f"{tenant}: {' + '.join(draw(random.Random(1)).split('&')) or 'all'}"
    return Request(words, tenant, draw, len(parts))


ID, DONE, BEGUN, MOVED = "desc(id)", "desc(completedAt)", "desc(startedAt)", "desc(updatedAt)"
FIVE_TYPES: Draw = lambda chance: "&".join(  # noqa: E731
    f"type=type {n:06}" for n in chance.sample(range(3, 20), 5)
)

REQUESTS = (
    *(row(ROOT, order) for order in (
        ID, DONE, BEGUN, MOVED, "asc(id)", "asc(completedAt)", "asc(uuid)", "desc(priority)",
        "asc(type)", "asc(startedByUser)", "asc(state)", "asc(state) desc(updatedAt)",
        "desc(assignedAt)", "asc(enqueuedAt)")),
    *(row(ROOT, order, type_common) for order in (ID, DONE, BEGUN)),
    *(row(ROOT, order, type_rare) for order in (ID, DONE, BEGUN)),
    *(row(ROOT, order, type_middle) for order in (ID, DONE)),
    row(ROOT, ID, said("state=started")), row(ROOT, MOVED, said("state=started")),
    row(ROOT, DONE, said("resultCode=error")), row(ROOT, ID, said("resultCode=timedout")),
    row(ROOT, MOVED, said("priority=high")), row(ROOT, ID, said("priority=low")),
    row(ROOT, DONE, after(0.95, 0.99)), row(ROOT, ID, before(0.1, 0.3)),
    row(ROOT, "asc(id)", after(0.8, 0.99)), row(ROOT, ID, between("startedAt", 3)),
    row(ROOT, "asc(completedAt)",
        lambda chance: f"resourceId=resource-{chance.randint(1, 2000)}"),
    row(ROOT, DONE, lambda chance: f"policyName=policy name {chance.randint(1, 50):06}"),
    row(ROOT, DONE, said("policyName=like(name 0001)")),
    row(ROOT, DONE, lambda chance: f"resourceName=like(00{chance.randint(10, 19)})"),
    row(ROOT, ID, tag(1, 3)), row(ROOT, DONE, tag(40, 80)),
    row(ROOT, ID, lambda chance: f"{tag(5, 20)(chance)}&{tag(30, 60)(chance)}"),
    row(ROOT, DONE, FIVE_TYPES),
    row(ROOT, BEGUN, lambda chance: f"executorId=agent-{chance.randint(1, 5)}"),
    row(ROOT, MOVED, user(20, 60)), row(ROOT, DONE, user(500, 900)),
    row(ROOT, ID, lambda chance: f"workflowId={chance.randint(1, 4000)}"),
    row(ROOT, ID, said("type=nobody has this")),
    *(row(tenant, order) for tenant in (PARTNER, LARGE) for order in (ID, DONE, BEGUN)),
    *(row(tenant, "asc(updatedAt)") for tenant in (PARTNER, LARGE, MIDDLE)),
    row(SMALL, DONE), row(LARGE, "asc(state) desc(updatedAt)"),
    row(ROOT, ID, said("state=started&state=paused"), type_middle),
    row(ROOT, DONE, said("resultCode=timedout"), type_middle),
    row(MIDDLE, DONE, type_middle), row(MIDDLE, BEGUN, said("resultCode=error")),
    row(ROOT, DONE, type_middle, lambda chance: f"queue={middling(chance, 'queue', 4, 8)}",
        lambda chance: f"policyId=policy-{chance.randint(5, 40)}"),
    row(ROOT, ID, type_middle, lambda chance: f"queue={middling(chance, 'queue', 4, 8)}",
        tag(30, 60)),
    row(PARTNER, MOVED, said("resultCode=error"), type_rare),
    row(PARTNER, DONE, said("resultCode=error")), row(LARGE, BEGUN, type_common),
    row(LARGE, ID, said("state=completed")), row(PARTNER, "asc(type)"),
)  # fmt: skip


def of_activities(tasks: list[int]) -> tuple[Request, ...]:
    """The same kind of requests for activities. `tasks`: ids of some that have activities."""

    def owned(count: int) -> Request:
        made = row(ROOT, ID, lambda chance: "&".join(
            f"taskId={task}" for task in chance.sample(tasks, count)))  # fmt: skip
        return replace(made, words=f"root: taskId of {count} + order={ID}")  # ids are not the same

    return (
        owned(1), owned(50),
        *(row(ROOT, order, type_common) for order in (ID, DONE, BEGUN)),
        row(ROOT, DONE, type_rare), row(ROOT, MOVED, said("state=started")),
        row(ROOT, DONE, said("resultCode=error")), row(ROOT, ID, said("sustainable=true")),
        row(ROOT, ID, between("startedAt", 3)), row(ROOT, ID, user(20, 60)),
        row(ROOT, DONE, lambda chance: f"policyName=policy name {chance.randint(1, 50):06}"),
        *(row(tenant, order) for tenant in (PARTNER, LARGE) for order in (ID, DONE, MOVED)),
        row(PARTNER, DONE, said("resultCode=error"), type_middle),
    )  # fmt: skip


def in_every_order(fields: Iterable[str]) -> tuple[Request, ...]:
    """All that there is, by each of `fields`, both ways."""
    return tuple(row(ROOT, f"{way}({field})") for field in fields for way in ("asc", "desc"))
