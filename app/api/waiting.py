"""Claims that wait for work: many, cheap, and woken by what they wait for.

A waiting call holds its thread and nothing else: no connection, no lock, no statement. What is
enqueued in this process wakes a caller that may have it as soon as it is committed. For what other
processes enqueue, one of those who wait asks the database on behalf of all, twice a second.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from heapq import heappop, heappush
from threading import Event, Lock
from typing import Any
from weakref import ref

from app import clock
from app.database import Database
from app.errors import Unavailable
from app.repository.work import arrivals
from app.repository.work.arrivals import Arrival
from app.repository.work.idempotency import Key
from app.repository.work.lanes import Members
from app.repository.work.wishes import Wish
from app.service import service_of
from app.signals import queued
from app.turns import Turns

NAME = "tasks.waiting"
ASKED_SECONDS = 0.5
"""How often the database is asked what other processes have enqueued."""
SECOND = 1_000_000_000
ALONE_SECONDS = 5.0
"""Seconds after which a waiting call looks though it has heard nothing, one call at a time: what
was missed, by whatever accident, is found."""
AT_ONCE = 4
"""Claims that look for work at the same time in one process: a crowd of them, woken together, would
contend for the same tasks and take all connections."""
LATER = 1_000
"""Tasks that wait for their time and are kept in mind."""


class Waiter:
    """One call that waits."""

    def __init__(self, wish: Wish, key: Key | None = None) -> None:
        """`wish`: what it would have; `key`: under which it may be asked for twice."""
        self.wish = wish
        self.key = key
        self.woken = Event()
        self.news: arrivals.Described | None = None
        """What it was woken for and has not looked for yet."""
        self.looked = clock.monotonic()


class Room:
    """Where the waiting calls of one process are."""

    def __init__(self, database: Database, seats: int) -> None:
        """`seats`: calls that may wait; others are answered at once."""
        self.database = database
        self.seats = seats
        self.closed = False
        self.lock = Lock()
        self.asking = Lock()
        self.turns = Turns(AT_ONCE)
        self.asked = 0.0
        self.heard = 0
        """Up to when it is known what others have enqueued: epoch nanoseconds."""
        self.loads = 0
        """How many imports it has heard of."""
        self.waiters: list[Waiter] = []
        self.later: list[tuple[int, Members]] = []
        listen(self)

    def enter(self, wish: Wish, key: Key | None = None) -> Waiter | None:
        """A place to wait, or None when there is none or the server is about to stop."""
        with self.lock:
            if self.closed or len(self.waiters) >= self.seats:
                return None
            if not self.waiters:
                # Who comes in looks for himself first.
                self.heard = clock.now()
            waiter = Waiter(wish, key)
            self.waiters.append(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Wait no more. Who was told of something while he took something else, which may be all
        that he wants, tells the next one."""
        with self.lock:
            self.waiters.remove(waiter)
            if waiter.news is not None:
                self.wake(waiter.news)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The caller is one of the few who look for work; before that, it waits without a
        connection and a place. Raises Unavailable when that takes too long: the database does not
        answer."""
        called = self.turns.enter()
        if called is not None:
            self.stand(called)
        try:
            yield
        finally:
            self.turns.leave()

    def stand(self, called: Event) -> None:
        """Return when `called` in, or raise Unavailable and have left the line."""
        try:
            self.database.release()
            self.database.precedence.land()
            inside = called.wait(self.database.timeout)
        except BaseException:
            if not self.turns.give_up(called):
                self.turns.leave()
            raise
        if not inside and self.turns.give_up(called):
            raise Unavailable(reason="too many claims at once")

    def answered(self, key: Key) -> None:
        """Wake those who wait under `key`: it got something, which they are handed too."""
        with self.lock:
            for waiter in self.waiters:
                if waiter.key is not None and waiter.key.digest == key.digest:
                    waiter.woken.set()

    def dismiss(self) -> None:
        """Send everybody away; nobody waits any more.

        Without the lock: a signal may come while this very thread holds it.
        """
        self.closed = True
        for waiter in tuple(self.waiters):
            waiter.woken.set()

    def wait(self, waiter: Waiter, deadline: float) -> bool:
        """Return once there may be work for `waiter` (True), or at `deadline`, on the steady clock.

        False also when the server is about to stop.
        """
        # Who sat down while everybody was sent away sees it here.
        while not self.closed and (left := deadline - clock.monotonic()) > 0:
            if waiter.woken.wait(min(left, self.pause())):
                waiter.news = None
                waiter.woken.clear()
                waiter.looked = clock.monotonic()
                return not self.closed
            self.look()
            self.database.rest()
        return False

    def pause(self) -> float:
        """Seconds until somebody has to look around."""
        first = self.later[0][0] - clock.now() if self.later else SECOND
        ask = self.asked + ASKED_SECONDS - clock.monotonic()
        if self.asking.locked():
            # Somebody is at it, for as long as the database takes, and tells all.
            ask = ASKED_SECONDS
        return max(0.001, min(ask, first / SECOND))

    def look(self) -> None:
        """Wake those whose work has come of time, and ask what others have enqueued."""
        # It is asked again soon where that fails; those who wait are not to blame.
        with suppress(Unavailable):
            self.due()
            if clock.monotonic() - self.asked >= ASKED_SECONDS and self.asking.acquire(False):
                try:
                    self.ask()
                finally:
                    self.asking.release()

    def ask(self) -> None:
        """Hear what others have enqueued. Raises Unavailable."""
        self.asked, now = clock.monotonic(), clock.now()
        self.on_arrival(arrivals.recent(self.database, min(self.heard, now), now))
        self.heard = now
        if self.loads != (loads := arrivals.loads(self.database)):
            self.loads = loads
            self.wake_all()
        self.remind()

    def wake_all(self) -> None:
        """Let everybody look: what was imported may suit anyone."""
        with self.lock:
            for waiter in self.waiters:
                waiter.woken.set()

    def remind(self) -> None:
        """Wake the one who has not looked for the longest time, when that is long."""
        with self.lock:
            oldest = min(self.waiters, key=lambda waiter: waiter.looked, default=None)
        if oldest is not None and clock.monotonic() - oldest.looked > ALONE_SECONDS:
            oldest.woken.set()

    def due(self) -> None:
        """Wake those whose work may be handed out from now on."""
        ready = []
        with self.lock:
            while self.later and self.later[0][0] <= clock.now():
                ready.append((heappop(self.later)[1], None))
        if ready:
            self.on_arrival(ready)

    def on_queued(self, database: Database, arrivals: list[Arrival]) -> None:
        """Something was enqueued in this process."""
        if database is self.database and self.waiters:
            self.on_arrival(arrivals)

    def on_arrival(self, some: Iterable[Arrival]) -> None:
        """Wake, for each arrival, the one who has waited longest of those who may have it."""
        described = arrivals.described(self.database, some)
        vain = set()
        with self.lock:
            for lane, moment, words in described:
                if moment is not None and len(self.later) < LATER:
                    heappush(self.later, (moment, lane))
                    self.nudge()
                elif moment is None and lane not in vain and not self.wake(words):
                    vain.add(lane)

    def wake(self, words: arrivals.Described) -> bool:
        """Wake one who may have a task of these words -> whether there was one."""
        for waiter in self.waiters:
            if not waiter.woken.is_set() and words.suits(waiter.wish):
                waiter.news = words
                waiter.woken.set()
                return True
        return False

    def nudge(self) -> None:
        """Let one look again how long to sleep: something becomes due sooner than was known."""
        for waiter in self.waiters:
            if not waiter.woken.is_set():
                waiter.woken.set()
                return


def listen(room: Room) -> None:
    """Tell `room` what is enqueued, for as long as somebody else needs it."""
    known = ref(room)

    def listener(database: Database, arrivals: list[Arrival]) -> None:
        there = known()
        if there is None:
            queued.disconnect(listener)
        else:
            there.on_queued(database, arrivals)

    queued.connect(listener)


def open_room(app: Any) -> None:
    """Give an application its waiting room."""
    service = service_of(app)
    app.extensions[NAME] = Room(service.database, service.settings.waiting_claims)


def room_of(app: Any) -> Room:
    """The waiting room of an application."""
    found: Room = app.extensions[NAME]
    return found
