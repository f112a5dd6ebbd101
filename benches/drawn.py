"""Requests drawn by chance from the catalog's own rows: any filters, any order, any tenant."""

import random
from functools import partial

from app.catalog.kinds import OneOf, When
from app.catalog.rows import Filter
from app.catalog.tasks import TASKS
from benches.data import DAY, DAYS, NOW
from benches.requests import LARGE, MIDDLE, PARTNER, ROOT, SMALL, Request

WORDS = {
    "type": ("type {:06}", 30), "queue": ("queue {:06}", 12), "tag": ("tag {:06}", 200),
    "startedBy": ("user {:06}", 10_000), "policyId": ("policy-{}", 3_000),
    "policyName": ("policy name {:06}", 3_000), "policyType": ("policy type {}", 6),
    "resourceId": ("resource-{}", 2_000), "resourceName": ("resource name {:06}", 2_000),
    "resourceType": ("resource type {}", 6), "executorId": ("agent-{}", 20_000),
    "workflowId": ("{}", 5_000),
}  # fmt: skip
"""How the data's values are written, and how many there are."""
COMPARISONS = ("gt", "lt", "ge", "le", "between", "notnull")


def zipf(chance: random.Random, count: int) -> int:
    """1 to `count`, the first ones often."""
    return max(1, int(count ** chance.random()))


def entry(row: Filter, chance: random.Random) -> str:
    """An entry of a filter."""
    if isinstance(row.kind, OneOf):
        return chance.choice(row.kind.words.words())
    if isinstance(row.kind, When):
        operator = chance.choice(COMPARISONS)
        begin = NOW - chance.randrange(DAYS) * DAY
        if operator == "between":
            return f"between({begin}ns,{begin + chance.randint(1, 20) * DAY}ns)"
        return f"{operator}({begin}ns)" if operator != "notnull" else "notnull()"
    form, count = WORDS[row.name]
    return form.format(zipf(chance, count))


def part(row: Filter, times: int, chance: random.Random) -> str:
    """A filter with some entries."""
    return "&".join(f"{row.name}={entry(row, chance)}" for _ in range(times))


def drawable(row: Filter) -> bool:
    """Whether the data has values for a filter."""
    return row.name in WORDS or isinstance(row.kind, OneOf | When)


def request(chance: random.Random) -> Request:
    """A request: none to three filters, one or two order fields."""
    rows = [row for row in TASKS.filters if drawable(row)]
    chosen = chance.sample(rows, chance.choice((0, 1, 1, 1, 2, 3)))
    times = [chance.choice((1, 1, 1, 3)) if row.kind.multiple else 1 for row in chosen]
    fields = chance.sample(list(TASKS.order_of), chance.choice((1, 1, 2)))
    order = ",".join(f"{chance.choice(('asc', 'desc'))}({field})" for field in fields)
    tenant = chance.choice((ROOT, ROOT, PARTNER, MIDDLE, LARGE, SMALL))

    def draw(source: random.Random) -> str:
        parts = [part(row, count, source) for row, count in zip(chosen, times, strict=True)]
        return "&".join((*parts, f"order={order}"))

    names = " + ".join(row.name for row in chosen) or "all"
    return Request(f"{tenant}: {names} by {order}", tenant, partial(draw), len(chosen))
