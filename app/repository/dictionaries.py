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

from app.database import Database
from app.errors import Unavailable
from app.models import Agent, Policy, Queue, Resource, StartedByUser, Tag, TypeName

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
    numbers = {}
    for keys in batches(by_key):
        query = dictionary.model.select(dictionary.key, dictionary.model.id)
        for key, number in database.select(query.where(dictionary.key.in_(keys)).tuples()):
            numbers[by_key[key]] = number
    return numbers


def write(database: Database, dictionary: Dictionary, entries: Sequence[Entry]) -> None:
    """Make sure that the database has `entries`; somebody else may be writing the same."""
    for some in batches(sorted(entries, key=dictionary.key_of)):
        rows = [dictionary.row(entry) for entry in some]
        query = dictionary.model.insert_many(rows).on_conflict_ignore()
        database.change(query)


def numbers(
    database: Database, dictionary: Dictionary, entries: Iterable[Entry]
) -> dict[Entry, int]:
    """The number of each of `entries`; new ones are written and committed at once.

    Call it before the transaction that uses the numbers: an entry that nobody uses does no harm,
    a remembered number that was rolled back would. Raises Unavailable.
    """
    known = memory(database, dictionary, "numbers")
    wanted = set(entries)
    missing = [entry for entry in wanted if entry not in known]
    if missing:
        known.update(made(database, dictionary, missing))
    return {entry: known[entry] for entry in wanted}


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
    for some in batches(missing):
        query = dictionary.model.select(dictionary.model.id, *dictionary.members)
        rows = database.select(query.where(dictionary.model.id.in_(some)).tuples())
        known.update((row[0], tuple(row[1:])) for row in rows)
    return known
