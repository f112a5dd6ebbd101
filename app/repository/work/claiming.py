"""Claims: the most urgent tasks that an executor may have, each held by one executor at most.

Candidates are looked for without any lock; each is then taken by a compare-and-set of its own. How
they are found is told in `candidates`.
"""

from collections.abc import Iterable, Sequence

from app.database import Database
from app.repository.dictionaries import AGENTS, numbers
from app.repository.sentences import insert_all
from app.repository.work import idempotency
from app.repository.work.candidates import candidates
from app.repository.work.facts import attempted, read, read_free, store
from app.repository.work.idempotency import Held, Key
from app.repository.work.steps import happened
from app.repository.work.wishes import Wish
from app.signals import Event, send_all
from app.transitions import Facts, claimed

MORE = 16
"""Candidates that are looked at beyond those wanted, when others were faster at the first ones."""
ROUNDS = 8
"""How often candidates are looked for anew, when others were faster at all of them."""


def claim(
    database: Database, wish: Wish, limit: int, now: int, key: Key | None = None
) -> list[Held]:
    """Up to `limit` tasks for the executor of `wish`, the most urgent first; empty: there is none.

    With `key`, what it got before is handed out again where its lease still lives. Raises
    IdempotencyConflict, Unavailable.
    """
    executor = numbers(database, AGENTS, [wish.executor])[wish.executor]
    wanted = limit
    for _ in range(ROUNDS):
        found = candidates(database, wish, wanted, now)
        if not found and key is None:
            return []

        taken: list[Facts] = []

        def act(
            found: Sequence[int] = tuple(found), taken: list[Facts] = taken
        ) -> tuple[list[Held], list[Event]]:
            with database.write_transaction():
                if mine := landed(database, taken):
                    return mine, []
                if (
                    key is not None
                    and (before := idempotency.remembered(database, key)) is not None
                ):
                    return before, []
                if key is not None and found:
                    idempotency.reserve(database, key, now)
                taken[:], events = hold(database, found, executor, limit, now)
                held = [Held(new.id, new.fence, new.lease_until or now) for new in taken]
                if key is not None and found:
                    idempotency.remember(database, key, held)
                return held, events

        held, events = attempted(database, act)
        send_all(events)
        if held or not found:
            return held
        wanted = limit + MORE
    return []


def hold(
    database: Database, tasks: Iterable[int], executor: int, limit: int, now: int
) -> tuple[list[Facts], list[Event]]:
    """Take those of `tasks` that can still be had, `limit` at most, in the open transaction."""
    taken: list[Facts] = []
    events: list[Event] = []
    for task in tasks:
        if len(taken) == limit:
            break
        old = read_free(database, task)
        if old is None:
            continue
        new = claimed(old, executor, now)
        store(database, old, new)
        taken.append(new)
        events += happened(database, old, new, "claim")
    insert_all(database, "attempts", [attempt(new, executor) for new in taken])
    return taken, events


def landed(database: Database, taken: Iterable[Facts]) -> list[Held]:
    """Those of `taken`, by a try whose commit got no answer, that are held as that try wrote."""
    held = []
    for new in taken:
        facts = read(database, new.id)
        if facts and (facts.fence, facts.executor_id, facts.assigned_at) == (
            new.fence, new.executor_id, new.assigned_at
        ) and facts.held:  # fmt: skip
            held.append(Held(new.id, new.fence, facts.lease_until or 0))
    return held


def attempt(facts: Facts, executor: int) -> dict[str, int | None]:
    """The record of the attempt that has just begun."""
    return {
        "task_id": facts.id,
        "number": facts.fence,
        "executor_id": executor,
        "assigned_at": facts.assigned_at,
    }
