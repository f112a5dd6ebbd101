"""The upkeep of a running server: one loop in each process, of which one at a time leads."""

import logging
import os
from secrets import token_hex
from threading import Event, Thread
from typing import Any

from app import clock
from app.database import connect
from app.errors import Unavailable
from app.repository.figures import refilling
from app.repository.maintenance import purging
from app.repository.maintenance.importing import reindexing
from app.repository.timers import upkeep
from app.repository.timers.leading import Candidate
from app.service import Service, service_of

NAME = "tasks.upkeep"
LEADING_SECONDS = 0.4
"""Between two turns of the leader: less than what counts as an absence."""
BREATH_SECONDS = 0.02
"""Between two turns of a leader who could not do everything in one: others write in between."""
FOLLOWING_SECONDS = 1.0
"""Between two looks of the others at whether the leader is alive."""
ENDING_SECONDS = 10
"""How long a turn may still take when the process is to end."""
PURGED_SECONDS = 60
"""Between two times that what has outlived its retention is looked for."""
PURGING_AGAIN_SECONDS = 1
"""The same when some is left: a busy service ends more tasks than go at once."""
PURGING_SECONDS = 0.25
"""How long that goes on: timers wait for it, and a second would count as an absence."""
REFILLED_SECONDS = 60
"""Between two looks whether figures were forgotten."""
REFILLING_AGAIN_SECONDS = 600
"""The same when they could not be counted anew."""
DAY = 86_400 * 1_000_000_000
log = logging.getLogger(__name__)


class Loop:
    """The loop of one process."""

    def __init__(self, service: Service) -> None:
        """It does not run yet."""
        self.service = service
        self.candidate = Candidate(upkeep.DUTY, f"{os.getpid()}-{token_hex(8)}")
        self.ended = Event()
        self.purging = clock.monotonic() + PURGED_SECONDS
        self.refilling = clock.monotonic() + REFILLED_SECONDS
        self.refiller = Thread(name="figures")
        """Counts figures anew, which may take minutes: timers do not wait for it."""
        self.thread = Thread(target=self.run, name="upkeep", daemon=True)

    def run(self) -> None:
        """Take turns until the end; then let another process lead."""
        pause = 0.0
        while not self.ended.wait(pause):
            pause = self.look_after()
        self.safely(lambda: self.candidate.lay_down(self.service.database))
        self.service.database.close()

    def look_after(self) -> float:
        """Take one turn, if it is ours -> seconds until the next."""
        done = self.safely(self.turn)
        self.service.database.release()
        if done is None:
            return FOLLOWING_SECONDS
        return BREATH_SECONDS if done.more else LEADING_SECONDS

    def turn(self) -> upkeep.Turn | None:
        """One turn; None when another process leads."""
        database = self.service.database
        done = upkeep.lead(database, self.candidate, clock.now(), clock.monotonic())
        if done is not None and not done.more:
            self.purge()
            self.look_for_figures()
        return done

    def purge(self) -> None:
        """Remove some of what has outlived its retention, now and then."""
        days = self.service.settings.retention_days
        if days and clock.monotonic() > self.purging:
            self.purging = clock.monotonic() + PURGED_SECONDS
            until = clock.monotonic() + PURGING_SECONDS
            if purging.some(self.service.database, clock.now() - days * DAY, until):
                self.purging = clock.monotonic() + PURGING_AGAIN_SECONDS

    def look_for_figures(self) -> None:
        """Let figures that were forgotten be counted anew, now and then."""
        if self.refiller.is_alive() or clock.monotonic() < self.refilling:
            return
        self.refilling = clock.monotonic() + REFILLED_SECONDS
        if refilling.forgotten(self.service.database):
            self.refilling = clock.monotonic() + REFILLING_AGAIN_SECONDS
            self.refiller = Thread(
                target=self.safely, args=(self.refill,), name="figures", daemon=True
            )
            self.refiller.start()

    def refill(self) -> None:
        """Figures that were forgotten are there again. Raises Unavailable."""
        database = connect(self.service.settings, patient=True)
        try:
            reindexing.refill(database)
        finally:
            database.close()

    def safely(self, act: Any) -> Any:
        """What `act` answers; None when it failed. The outermost door: the loop must go on."""
        try:
            return act()
        except Unavailable as refusal:
            log.warning("upkeep could not be done, it goes on: %s", refusal)
        except Exception:
            log.exception("upkeep failed; it goes on")
            self.service.database.discard()
        return None


def begin(app: Any) -> None:
    """Start the loop of this process, unless the settings leave upkeep to `flask reap`."""
    service = service_of(app)
    if service.settings.reaper:
        app.extensions[NAME] = loop = Loop(service)
        loop.thread.start()


def end(app: Any) -> None:
    """End the loop of this process, if it has one."""
    loop: Loop | None = app.extensions.pop(NAME, None)
    if loop is not None:
        loop.ended.set()
        loop.thread.join(ENDING_SECONDS)
