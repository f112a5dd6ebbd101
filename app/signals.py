"""What has happened: sent when its transaction has been committed, to whoever listens.

Acts know nothing of their listeners, which log, count, and wake those who wait for work. Listeners
are called in the thread of the act, in the order in which they came; they must be quick. What they
raise goes to the log: the act is done, and must not be answered as if it were not.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

Listener = Callable[..., None]
log = logging.getLogger(__name__)


class Signal:
    """One kind of event, with named facts."""

    def __init__(self, name: str, *facts: str) -> None:
        """`facts`: the names with which it is sent."""
        self.name = name
        self.facts = facts
        self.listeners: list[Listener] = []

    def connect(self, listener: Listener) -> Listener:
        """Call `listener` with the facts from now on; usable as a decorator."""
        self.listeners.append(listener)
        return listener

    def disconnect(self, listener: Listener) -> None:
        """Call it no more."""
        self.listeners.remove(listener)

    def send(self, **facts: Any) -> None:
        """Tell all listeners."""
        for listener in tuple(self.listeners):
            try:
                listener(**facts)
            except Exception:
                log.exception("a listener failed that was told of '%s'", self.name)


Event = tuple[Signal, dict[str, Any]]


def send_all(events: Sequence[Event]) -> None:
    """Tell all of `events`, in order."""
    for signal, facts in events:
        signal.send(**facts)


stepped = Signal(
    "stepped", "database", "task", "attempt", "step", "state", "executor", "reason", "result"
)
"""A task took a step, or a timer fired for it (`step` is the timer's name then). `result`: the code
of a task that is completed by it."""
queued = Signal("queued", "database", "arrivals")
"""Tasks can be claimed: `arrivals` is a list of `(lane, not before)`, None = at once. A lane is
`(queue, type, tenant, affinity)`, all numbers."""
lease_lost = Signal("lease_lost", "database", "task", "step")
"""Somebody came with a lease that is void."""
moved = Signal("moved", "database", "activity", "task", "step", "state")
"""An activity took a step."""
turned = Signal("turned", "database", "fired", "promoted", "seconds")
"""The reaper has done one turn, which took `seconds`."""
