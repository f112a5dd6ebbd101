"""The parts of a run, in the order in which they are measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benches.scale import doors, reads, rivals, writes
from benches.scale.kept import MEASURED, Key, digest
from benches.scale.place import Place


@dataclass(frozen=True)
class Part:
    """One part: what it measures, at which sizes, and what makes its results old.

    `least`: only at the smallest, as it does not depend on the size; `activities`: only where
    there are some; `paired`: in turn with the smallest.
    """

    name: str
    measure: Callable[[Place], dict[str, Any]]
    least: bool = False
    activities: bool = False
    paired: bool = False
    sources: tuple[str, ...] = ()

    def key(self, engine: str, size: int, least: int) -> Key:
        """Where its result is kept; `least`: the smallest size."""
        module = f"benches/scale/{self.measure.__module__.rpartition('.')[2]}.py"
        code = digest((*MEASURED, "benches/scale/place.py", module, *self.sources))
        return Key(engine, size, self.name, f"{code}-{least}" if self.paired else code)


PARTS = (
    Part("lists", reads.lists, paired=True),
    Part("activities", reads.activities, activities=True, paired=True),
    Part("counts", reads.counts),
    Part("page", doors.page),
    Part("peers", rivals.peers, sources=("benches/peers/**/*.*",)),
    Part("throughput", doors.throughput, least=True),
    Part("cold", reads.cold),
    Part("enqueue", writes.enqueued),
    Part("indexes", writes.indexes, least=True),
    Part("claims", writes.claims, paired=True),
)
