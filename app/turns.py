"""Turns: a few calls at a time do what a crowd would only contend for."""

from collections import deque
from threading import Event, Lock


class Turns:
    """A few may be inside at the same time; the others wait in the order in which they came."""

    def __init__(self, places: int) -> None:
        """`places`: how many are inside at most."""
        self.free = places
        self.line: deque[Event] = deque()
        self.lock = Lock()

    def enter(self) -> Event | None:
        """None: the caller is inside. Else he is when the event is set."""
        with self.lock:
            if self.free:
                self.free -= 1
                return None
            called = Event()
            self.line.append(called)
            return called

    def give_up(self, called: Event) -> bool:
        """Leave the line; False: he has been called in meanwhile."""
        with self.lock:
            if called.is_set():
                return False
            self.line.remove(called)
            return True

    def leave(self) -> None:
        """The next one comes in."""
        with self.lock:
            if self.line:
                self.line.popleft().set()
            else:
                self.free += 1
