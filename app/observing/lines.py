"""One log line for every step of a task or activity, every void lease, and every busy turn."""

import logging
from typing import Any

from app.database import Database
from app.logs import tell
from app.repository.dictionaries import AGENTS, entries_of
from app.signals import lease_lost, moved, stepped, turned
from app.vocabulary import State

log = logging.getLogger("app.steps")


def name_of(database: Database, number: int | None) -> str | None:
    """The executor's id, without a statement where it was seen before; None for none."""
    if number is None:
        return None
    return str(entries_of(database, AGENTS, [number])[number][0])


def on_step(
    database: Database,
    task: int,
    attempt: int,
    step: str,
    state: State,
    executor: int | None,
    **more: Any,
) -> None:
    """A task took a step, or one of its timers fired."""
    if log.isEnabledFor(logging.INFO):
        facts = {
            "task": task, "attempt": attempt, "step": step, "state": state.value,
            "executor": name_of(database, executor), **more,
        }  # fmt: skip
        tell(log, "stepped", told(facts))


def on_move(database: Database, activity: int, task: int, step: str, state: State) -> None:
    """An activity took a step."""
    if log.isEnabledFor(logging.INFO):
        facts = {"activity": activity, "task": task, "step": step, "state": state.value}
        tell(log, "moved", facts)


def on_loss(database: Database, task: int, step: str) -> None:
    """Somebody came with a void lease: two executors believe that they hold the task."""
    log.warning("lease lost", extra={"facts": {"task": task, "step": step}})


def on_turn(database: Database, fired: int, promoted: int, seconds: float) -> None:
    """The reaper took a turn in which there was something to do."""
    if fired or promoted:
        facts = {"fired": fired, "promoted": promoted, "milliseconds": round(seconds * 1000, 1)}
        log.info("reaped", extra={"facts": facts})


def told(facts: dict[str, Any]) -> dict[str, Any]:
    """`facts` without those that are absent."""
    return {name: value for name, value in facts.items() if value is not None}


LISTENERS = ((stepped, on_step), (moved, on_move), (lease_lost, on_loss), (turned, on_turn))


def begin() -> None:
    """Every event is written from now on; once, however often this is called."""
    for signal, listener in LISTENERS:
        if listener not in signal.listeners:
            signal.connect(listener)
