"""Claims that may be asked again: what a key got is handed out again while its leases live."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.database import Database
from app.errors import IdempotencyConflict
from app.repository.sentences import insert, rows, run, update
from app.repository.work import steps
from app.repository.work.facts import read

KEPT = 86_400 * 1_000_000_000
"""Nanoseconds for which a key is remembered."""
FORGOTTEN = 1_000
"""Keys that are forgotten at a time."""
TABLE = "idempotency_keys"
KNOWN = "SELECT body_digest, leases FROM idempotency_keys WHERE digest = ?"
DROP = "DELETE FROM idempotency_keys WHERE digest = ?"
OLD = "SELECT digest FROM idempotency_keys WHERE created_at < ? LIMIT ?"


@dataclass(frozen=True)
class Key:
    """A caller's key: SHA-256 of whose it is and of the key, and of the body that came with it."""

    digest: bytes
    body_digest: bytes


@dataclass(frozen=True)
class Held:
    """A task that was claimed: its number, the fence of its lease, and when the lease ends."""

    id: int
    fence: int
    until: int


def remembered(database: Database, key: Key) -> list[Held] | None:
    """What the key got, of which the lease still lives; None: the key is new.

    Raises IdempotencyConflict when it came with another body.
    """
    known = rows(database, KNOWN, (key.digest,))
    if not known:
        return None
    body, leases = known[0]
    if body != key.body_digest:
        raise IdempotencyConflict()
    living = []
    for task, fence in json.loads(leases):
        facts = read(database, task)
        if facts is not None and facts.deleted_at is None and steps.held_under(facts, fence):
            living.append(Held(task, fence, facts.lease_until or 0))
    return living


def reserve(database: Database, key: Key, now: int) -> None:
    """Whoever comes with this key waits until the open transaction ends.

    Raises peewee.IntegrityError when another call with this key was faster.
    """
    row = {"digest": key.digest, "body_digest": key.body_digest, "leases": "[]", "created_at": now}
    insert(database, TABLE, row)


def remember(database: Database, key: Key, held: Sequence[Held]) -> None:
    """Keep what the key that is reserved got, in the transaction that hands it out; or let it go,
    when that is nothing."""
    if held:
        leases = json.dumps([[one.id, one.fence] for one in held])
        update(database, TABLE, {"leases": leases}, {"digest": key.digest})
    else:
        run(database, DROP, (key.digest,))


def forget(database: Database, now: int) -> int:
    """Drop keys that have grown old -> how many, FORGOTTEN at most."""
    old = [row[0] for row in rows(database, OLD, (now - KEPT, FORGOTTEN))]
    if old:
        marks = ", ".join("?" * len(old))
        run(database, " ".join(("DELETE FROM idempotency_keys WHERE digest IN (", marks, ")")), old)
    return len(old)
