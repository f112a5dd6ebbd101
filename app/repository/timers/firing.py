"""Firing timers: several in one transaction, and none held up by another that fails."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from app.database import Database
from app.repository.sentences import rows
from app.repository.work import endings
from app.repository.work.facts import attempted, read, store
from app.repository.work.steps import happened
from app.signals import Event, send_all
from app.transitions import expired, fires

Result = TypeVar("Result")
ALIVE = "SELECT 1"
FAILING = "tasks whose upkeep fails"
TOLD = 100
"""Failing tasks of which the log tells."""
log = logging.getLogger(__name__)


def fire(database: Database, tasks: Sequence[int], now: int) -> list[int]:
    """Those of `tasks` whose timer was due at `now` and has fired; once, whoever else looks."""
    try:
        return fire_together(database, tasks, now)
    except Exception:
        log.debug("timers are fired one by one: one of them is to blame", exc_info=True)
        fired: list[int] = []
        for task in tasks:
            fired += alone(database, task, partial(fire_together, database, [task], now)) or []
        return fired


def alone(database: Database, task: int, act: Callable[[], Result]) -> Result | None:
    """What `act` makes of one task; None: it failed, which is logged once.

    Raises Unavailable when the database is away, and the task not to blame.
    """
    try:
        return act()
    except Exception:
        rows(database, ALIVE)
        known: set[int] = database.memory.setdefault(FAILING, set())
        if task not in known and len(known) < TOLD:
            known.add(task)
            log.exception("upkeep of task %s fails, it goes on with the others", task)
        return None


def fire_together(database: Database, tasks: Sequence[int], now: int) -> list[int]:
    """The same in one transaction. Raises Unavailable."""

    def act() -> tuple[list[int], list[Event]]:
        fired, events = [], []
        with database.write_transaction():
            for task in tasks:
                if told := fire_one(database, task, now):
                    fired.append(task)
                    events += told
        return fired, events

    fired, events = attempted(database, act)
    send_all(events)
    return fired


def fire_one(database: Database, task: int, now: int) -> list[Event]:
    """What has happened when a timer fired, in the open transaction; empty: none was due."""
    old = read(database, task)
    if old is None or old.due_at is None or old.due_at > now:
        return []
    timer = fires(old, now)
    if timer is None:
        return []
    new = expired(old, timer, now)
    store(database, old, new)
    if old.held:
        endings.close(database, old, new.updated_at or now, timer.value)
    endings.settle(database, new)
    return happened(database, old, new, timer.value)
