"""Who and what there is in the demonstration: tenants, agents, policies and machines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from random import Random
from typing import Any
from uuid import UUID

from app.demo import names
from app.demo.names import WORKS, Work

MACHINES_PER_TASK = 0.05
MOST_MACHINES = 100_000


@dataclass(frozen=True)
class Place:
    """A tenant of the demonstration; `above`: its parent's place in the list, None: the root."""

    name: str
    uuid: UUID
    above: int | None


class Draw:
    """Things drawn with a long tail: the n-th as often as 1/n."""

    def __init__(self, things: Sequence[Any]) -> None:
        """`things`: the commonest first."""
        self.things = things
        self.weights = list(accumulate(1 / n for n, _ in enumerate(things, 1)))

    def one(self, random: Random) -> Any:
        """One of them."""
        return random.choices(self.things, cum_weights=self.weights)[0]


def uuid(random: Random) -> UUID:
    """A random UUID (version 4) of `random`'s making."""
    return UUID(int=random.getrandbits(128), version=4)


def places(seed: int) -> list[Place]:
    """The tenants, each behind its parent: partners, their customers, their units."""
    random = Random(f"tenants {seed}")
    made: list[Place] = []
    for partner, customers in names.PARTNERS:
        top = len(made)
        made.append(Place(partner, uuid(random), None))
        for rank, customer in enumerate(customers):
            middle = len(made)
            made.append(Place(customer, uuid(random), top))
            for unit in names.UNITS[: len(names.UNITS) - rank % 3]:
                made.append(Place(unit, uuid(random), middle))
    return made


@dataclass(frozen=True)
class Policy:
    """A policy: the kind of work that it orders, and how tasks name it."""

    work: Work
    shown: dict[str, Any]


def policies() -> Iterator[Policy]:
    """All policies; `policy-1` is the first of the commonest work."""
    number = count(1)
    for work in WORKS:
        for name in work.policies:
            yield Policy(work, {"id": f"policy-{next(number)}", "type": work.type, "name": name})


def agents() -> list[dict[str, str]]:
    """All agents, each in a cluster."""
    return [
        {"id": f"agent-{number}", "clusterId": f"cluster-{1 + (number - 1) % names.CLUSTERS}"}
        for number in range(1, names.AGENTS + 1)
    ]


def machine(number: int) -> dict[str, str]:
    """The resource with this number, from 1 on."""
    kind, name = names.MACHINES[(number - 1) % len(names.MACHINES)]
    return {"id": f"resource-{number}", "type": kind, "name": name.format(number)}


class World:
    """All that there is, and how often each is met."""

    def __init__(self, tenants: Sequence[dict[str, Any]], tasks: int) -> None:
        """`tenants`: as answers show them; `tasks`: how many the demonstration is to have."""
        everything = list(policies())
        self.tenants = Draw(tenants)
        self.users = Draw(names.USERS)
        self.agents = Draw(agents())
        self.works = {work.type: Draw([p for p in everything if p.work is work]) for work in WORKS}
        self.machines = max(20, min(MOST_MACHINES, int(tasks * MACHINES_PER_TASK)))

    def policy(self, random: Random) -> Policy:
        """A policy, of each kind of work as often as its share says."""
        work = random.choices(WORKS, [work.share for work in WORKS])[0]
        found: Policy = self.works[work.type].one(random)
        return found

    def machine(self, random: Random) -> dict[str, str]:
        """A resource; a few have much more work than the others."""
        return machine(1 + int(self.machines * random.random() ** 2))
