"""Which of a database's servers is used: the first of the list, or for a while one behind it.

All connections of a process go to the same server at a time. One that cannot be reached, hangs or
takes no writes is left for the next; after a while it is seen whether a preferred one is back.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Lock, Thread

from app import clock
from app.addresses import Address

BACK_SECONDS = 30.0
"""How long a server is left alone before it is looked at again."""
log = logging.getLogger(__name__)


class Hosts:
    """The servers of one database, in order of preference."""

    def __init__(self, servers: Sequence[Address]) -> None:
        """The first one is used."""
        self.servers = tuple(servers)
        self.current = self.servers[0]
        self.moves = 0
        """How often another server was turned to."""
        self.on_move: Callable[[], None] = lambda: None
        """Called after each."""
        self.looked = 0.0
        self.looking = False
        self.lock = Lock()

    @property
    def several(self) -> bool:
        """Whether there is another one to turn to."""
        return len(self.servers) > 1

    def leave(self, server: Address) -> None:
        """Use the next one, unless `server` was left already."""
        with self.lock:
            if self.several and server == self.current:
                place = self.servers.index(server) + 1
                self.turn(self.servers[place % len(self.servers)])
                log.warning("database: %s is left for %s", server, self.current)

    def turn(self, server: Address) -> None:
        """Use `server` from now on; `lock` is held."""
        self.current = server
        self.moves += 1
        self.looked = clock.monotonic()
        self.on_move()

    def preferred(self) -> tuple[Address, ...]:
        """Those before the one that is used."""
        return self.servers[: self.servers.index(self.current)]

    def look_back(self, fit: Callable[[Address], bool]) -> None:
        """Now and then, return to the first preferred server that is `fit`; nobody waits for it."""
        if self.current == self.servers[0] or clock.monotonic() - self.looked < BACK_SECONDS:
            return
        with self.lock:
            if self.looking or clock.monotonic() - self.looked < BACK_SECONDS:
                return
            self.looking = True
        Thread(target=self.look, args=(fit,), name="looking back", daemon=True).start()

    def look(self, fit: Callable[[Address], bool]) -> None:
        """Return to the first preferred server that is `fit`, if any is."""
        try:
            found = next((server for server in self.preferred() if fit(server)), None)
            with self.lock:
                self.looked = clock.monotonic()
                if found is not None and found in self.preferred():
                    self.turn(found)
                    log.warning("database: back to %s", found)
        finally:
            self.looking = False
