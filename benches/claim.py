"""A claim of one task out of a short and a long queue, by callers who may have little of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from app import config
from app.database import connect
from app.repository import tenants
from app.repository.work import claiming, steps
from app.repository.work.idempotency import Held
from app.repository.work.wishes import Wish
from benches import data
from benches.anchors import line
from benches.backlog import CALLER, KIND, MIXES, OWN, PARTNER
from benches.cost import Cost, Meter

MOMENT = data.NOW + data.DAY
"""When they claim: always, so that no lease runs out meanwhile."""
SHORT = 1_000
"""Tasks of the short queue."""
CLAIMS, WARM = 60, 5
"""Claims of each queue, one of each in turn; and before the first that is measured."""
TYPE, QUEUE = (f"type {KIND:06}",), ("queue 000002",)
Filled = Callable[[str, int, int], str]
"""The address of a database of a mix, with so many waiting and so many completed."""


@dataclass(frozen=True)
class Caller:
    """Who claims out of which mix."""

    words: str
    mix: str = "free"
    tenant: int = OWN
    types: tuple[str, ...] | None = None
    queues: tuple[str, ...] | None = None


CALLERS = (
    Caller("the root, anything", tenant=tenants.ROOT),
    Caller("the root, one queue", tenant=tenants.ROOT, queues=QUEUE),
    Caller("a partner, anything", tenant=PARTNER),
    Caller("a partner, one queue", tenant=PARTNER, queues=QUEUE),
    Caller("a customer, anything"),
    Caller("99 % not for its affinity", "affinity"),
    Caller("99 % not before a time", "notBefore"),
    Caller("99 % of other tenants", "tenant"),
    Caller("99 % of other types, the root", "type", tenants.ROOT, TYPE),
    Caller("99 % for all four reasons", "all four", OWN, TYPE),
)
assert {caller.mix for caller in CALLERS} == set(MIXES)


class Claimant:
    """Claims one task after the other."""

    def __init__(self, url: str, caller: Caller) -> None:
        """Out of the database at `url`."""
        self.database = connect(config.load({"TASKS_DATABASE_URL": url}))
        [node] = tenants.by_ids(self.database, [caller.tenant]).values()
        self.wish = Wish((CALLER, "cluster-1"), node, caller.queues, caller.types)
        self.meter = Meter(url)
        self.held: list[Held] = []

    def claim(self) -> None:
        """Claim one task."""
        self.held += claiming.claim(self.database, self.wish, 1, MOMENT)

    def cost(self) -> Cost:
        """What a claim costs. When there is none for the caller any more, all are given back."""
        before = len(self.held)
        cost = self.meter.measure(self.claim)
        if len(self.held) > before:
            return cost
        self.end()
        return self.cost()

    def end(self) -> None:
        """Give all back."""
        for one in self.held:
            steps.give_back(self.database, one.id, MOMENT, one.fence)
        self.held.clear()


def compared(caller: Caller, urls: list[str]) -> list[Cost]:
    """What a claim of `caller` costs in each of the databases: the median of many."""
    claimants = [Claimant(url, caller) for url in urls]
    rounds = [[one.cost() for one in claimants] for _ in range(WARM + CLAIMS)][WARM:]
    for one in claimants:
        one.end()
        one.database.close()
    return [
        Cost(median(costs[at].wall for costs in rounds), median(costs[at].cpu for costs in rounds))
        for at in range(len(urls))
    ]


def told(name: str, caller: Caller, short: Cost, long: Cost) -> str:
    """The line of a comparison."""
    note = f"{long.cpu * 1e6:,.0f} us of {short.cpu * 1e6:,.0f} us; wall {long.wall * 1e3:.1f} ms"
    return line(name, long.cpu / short.cpu, note, f": {caller.words}")


def lines(filled: Filled, waiting: int, completed: int) -> Iterator[str]:
    """Ratios of processor time: `waiting` tasks against a few, and with many `completed` ones."""
    for caller in CALLERS:
        urls = [filled(caller.mix, SHORT, 0), filled(caller.mix, waiting, 0)]
        short, long = compared(caller, urls)
        yield told("claim", caller, short, long)
    urls = [filled("free", SHORT, 0), filled("free", SHORT, completed)]
    urls.append(filled("free", waiting, completed))
    for caller in (CALLERS[0], CALLERS[4]):
        short, *others = compared(caller, urls)
        for words, long in zip(("few", "many"), others, strict=True):
            yield told(f"claim after {words}", caller, short, long)
