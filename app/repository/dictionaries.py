"""Shared text and its numbers: types, queues, tags, users, agents, policies, resources.

Entries are never changed or removed once written, so both directions may be remembered in the
process; what is remembered is bounded.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from peewee import Field

from app.connections import Row
from app.database import Database
from app.errors import Unavailable
from app.models import Agent, Policy, Queue, Resource, StartedByUser, Tag, TypeName
from app.repository.predicates import Among, marks
from app.repository.statements import fetch

REMEMBERED = 50_000
"""Entries that a process keeps of each dictionary and direction (about 10 MB when full)."""
TRIES = 8
"""How often new entries are written anew because their numbers were taken."""
BATCH = 400
"""Entries that one statement asks for or writes."""

Entry = tuple[Any, ...]


def folded(text: str | None) -> str | None:
    """`text` without case, as `like()` compares it (Unicode casefold)."""
    return None if text is None else text.casefold()


def digest(entry: Entry) -> bytes:
    """16 bytes that stand for an entry of several members."""
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class Dictionary:
    """One dictionary table: the fields that make an entry, and the one that finds it."""

    model: Any
    members: tuple[Field, ...]
    key: Field
    shown: bool = True
    """Whether answers show its entries."""

    def key_of(self, entry: Entry) -> Any:
        """The value of `key` for `entry`."""
        return entry[0] if self.key is self.members[0] else digest(entry)

    def row(self, entry: Entry) -> dict[Field, Any]:
        """The columns of a new entry."""
        values = {self.key: self.key_of(entry), **dict(zip(self.members, entry, strict=True))}
        if hasattr(self.model, "folded"):
            values[self.model.folded] = folded(entry[-1])
        return values


TYPES = Dictionary(TypeName, (TypeName.name,), TypeName.name)
QUEUES = Dictionary(Queue, (Queue.name,), Queue.name)
TAGS = Dictionary(Tag, (Tag.name,), Tag.name)
USERS = Dictionary(StartedByUser, (StartedByUser.name,), StartedByUser.name)
AGENTS = Dictionary(Agent, (Agent.agent, Agent.cluster), Agent.digest)
POLICIES = Dictionary(Policy, (Policy.policy, Policy.type, Policy.name), Policy.digest)
RESOURCES = Dictionary(Resource, (Resource.resource, Resource.type, Resource.name), Resource.digest)


def batches(items: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """`items` in lists of at most `size`."""
    held = list(items)
    for start in range(0, len(held), size):
        yield held[start : start + size]


def memory(database: Database, dictionary: Dictionary, direction: str) -> dict[Any, Any]:
    """What this process remembers of a dictionary; emptied when it has grown too large."""
    name = (dictionary.model, direction)
    known: dict[Any, Any] = database.memory.setdefault(name, {})
    if len(known) > REMEMBERED:
        # A new one: other threads may still be reading the old.
        known = database.memory[name] = {}
    return known


def found(database: Database, dictionary: Dictionary, entries: Sequence[Entry]) -> dict[Entry, int]:
    """The numbers of those of `entries` that the database has."""
    by_key = {dictionary.key_of(entry): entry for entry in entries}
    rows = having(database, dictionary.key, by_key, dictionary.key, dictionary.model.id)
    return {by_key[key]: number for key, number in rows}


def having(database: Database, column: Field, values: Iterable[Any], *fields: Field) -> list[Row]:
    """The `fields` of the rows whose `column` has one of `values`."""
    rows: list[Row] = []
    model: Any = column.model
    for some in batches(values):
        padded = Among(column.column_name, tuple(some)).parameters

        def build(count: int = len(padded)) -> Any:
            return model.select(*fields).where(column.in_(marks(0, count))).tuples()

        shape = ("having", model.__name__, column.column_name, len(fields), len(padded))
        rows += fetch(database, shape, build, padded)
    return rows


def write(database: Database, dictionary: Dictionary, entries: Sequence[Entry]) -> None:
    """Make sure that the database has `entries`; somebody else may be writing the same."""
    rows = [dictionary.row(entry) for entry in sorted(entries, key=dictionary.key_of)]
    # One text for any number of rows: written out for hundreds, it would take longer than they do.
    query = dictionary.model.insert_many(rows[:1]).on_conflict_ignore()
    database.run_many(database.compiled(query)[0], [tuple(row.values()) for row in rows])


def numbers(
    database: Database, dictionary: Dictionary, wanted: Iterable[Entry]
) -> dict[Entry, int]:
    """The number of each of `wanted`; new ones are written and committed at once.

    Call it before the transaction that uses the numbers: an entry that nobody uses does no harm,
    a remembered number that was rolled back would. Raises Unavailable.
    """
    known = memory(database, dictionary, "numbers")
    asked = set(wanted)
    missing = [entry for entry in asked if entry not in known]
    if missing:
        there = made(database, dictionary, missing)
        known.update(there)
        if dictionary.shown:
            # Whoever writes a name is about to be shown it.
            entries = memory(database, dictionary, "entries")
            entries.update((number, entry) for entry, number in there.items())
    return {entry: known[entry] for entry in asked}


def made(database: Database, dictionary: Dictionary, entries: Sequence[Entry]) -> dict[Entry, int]:
    """The number of each of `entries`, which the database has from now on. Raises Unavailable."""
    there = found(database, dictionary, entries)
    for _ in range(TRIES):
        new = [entry for entry in entries if entry not in there]
        if not new:
            return there

        def act(new: Sequence[Entry] = new) -> None:
            with database.write_transaction():
                write(database, dictionary, new)

        database.retried(act, repeatable=True)
        # While a cluster changes, two servers can give out one number: then the entry is missing.
        there |= found(database, dictionary, new)
    raise Unavailable(reason="too many calls write at once")


def entries_of(
    database: Database, dictionary: Dictionary, numbers: Iterable[int | None]
) -> dict[int | None, Entry]:
    """The entries with these numbers, by number. None is not in the answer."""
    known = memory(database, dictionary, "entries")
    missing = {number for number in numbers if number is not None and number not in known}
    if missing:
        key = dictionary.model.id
        rows = having(database, key, missing, key, *dictionary.members)
        known.update((row[0], row[1:]) for row in rows)
    return known
