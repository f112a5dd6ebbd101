"""Reads before writes: which request of a process has the processor when there are too few of them.

Threads that compute share one interpreter, and all processes the cores: beside eight writers a page
waits for each of them. So one write at a time is worked on, and it lets those reads go first that
have begun. Nothing here is a lock that anything depends on: all waiting is short and ends by
itself, so that neither a write that is stuck nor a crowd of readers halts the writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, local

from app import clock
from app.turns import Turns

AT_ONCE = 1
"""Writes that a process works on at the same time, while they are quick."""
LINE_SECONDS = 0.2
"""How long a write waits for its turn: those before it are stuck in the database, or too many."""
COURTESY_SECONDS = 0.05
"""How long a write lets reads go first, all in all."""
SHORT_SECONDS = 0.02
"""A read that takes longer than this waits for the database: nobody waits for it."""

SLOW_SECONDS = 0.003
"""A COMMIT that takes longer waits for a disk or for other servers, and not for a processor."""
SHARE = 1 / 16
"""What the newest COMMIT counts in the mean of all."""


class Read:
    """A read that is being carried out."""

    __slots__ = ("over", "precedence", "until")

    def __init__(self, precedence: "Precedence") -> None:
        self.precedence = precedence
        self.over = Event()
        self.until = clock.monotonic() + SHORT_SECONDS

    def __enter__(self) -> None:
        """It begins."""
        self.precedence.reads.add(self)

    def __exit__(self, *_: object) -> None:
        """It is over."""
        self.precedence.reads.discard(self)
        self.over.set()


class Write:
    """A write that is being carried out, in its turn."""

    __slots__ = ("precedence",)

    def __init__(self, precedence: "Precedence") -> None:
        self.precedence = precedence

    def __enter__(self) -> None:
        """It is coming: its turn begins later."""
        thread = self.precedence.thread
        thread.courtesy, thread.coming = COURTESY_SECONDS, True

    def __exit__(self, *_: object) -> None:
        """It is done."""
        thread = self.precedence.thread
        thread.courtesy, thread.coming = 0, False
        self.precedence.land()


class Writing(local):
    """What the thread that looks is at."""

    coming = False
    """Whether it will write, and has not begun."""
    placed = False
    """Whether it has one of the few places."""
    courtesy = 0.0
    """Seconds for which it may still let others go first; 0 where it does not write."""


class Precedence:
    """The reads and writes of one process."""

    def __init__(self) -> None:
        """Nobody is there yet."""
        self.reads: set[Read] = set()
        self.line = Turns(AT_ONCE)
        self.thread = Writing()
        self.commits = 0.0
        """How long a COMMIT takes in the mean, in seconds."""

    def reading(self) -> Read:
        """Within it, writes that come to a place where they can wait let this thread go first."""
        return Read(self)

    def writing(self) -> Write:
        """Within it this thread writes in its turn, which it takes when it begins."""
        return Write(self)

    def begin(self) -> None:
        """What is to be written has arrived: wait for a place, and let reads go first."""
        if self.thread.coming:
            self.thread.coming = False
            self.thread.placed = self.entered()
            self.pause()

    def entered(self) -> bool:
        """Wait in line -> whether a place became free in time; who has none goes on without."""
        called = self.line.enter()
        return called is None or called.wait(LINE_SECONDS) or not self.line.give_up(called)

    def pause(self) -> None:
        """Let the reads that have begun go first. Called by a thread that holds no lock."""
        if not self.reads or not self.thread.courtesy:
            return
        began = clock.monotonic()
        until = began + self.thread.courtesy
        for read in tuple(self.reads):
            if (left := min(read.until, until) - clock.monotonic()) > 0:
                read.over.wait(left)
        self.thread.courtesy = max(0.0, until - clock.monotonic())

    @contextmanager
    def hastening(self) -> Iterator[None]:
        """This thread holds a lock meanwhile, and lets nobody go first."""
        kept, self.thread.courtesy = self.thread.courtesy, 0.0
        try:
            yield
        finally:
            self.thread.courtesy = kept

    def committing(self) -> float:
        """A COMMIT is sent -> when. The place is left where that takes long: others compute."""
        if self.commits > SLOW_SECONDS:
            self.land()
        return clock.monotonic()

    def committed(self, began: float) -> None:
        """It is done."""
        self.commits += (clock.monotonic() - began - self.commits) * SHARE

    def land(self) -> None:
        """Leave the place to the next one, if this thread has it."""
        if self.thread.placed:
            self.thread.placed = False
            self.line.leave()
