"""Objects within objects, read member by member; a task's attempts are a list of such."""

from collections.abc import Callable, Iterable
from typing import Any

from app.repository.maintenance.importing.values import (
    LARGEST_COUNT,
    Wrong,
    text_of,
    time_of,
    whole,
)

Columns = dict[str, Any]
"""A row's values by column name; shared text as the entry of its dictionary."""
Read = Callable[[Any, Columns], None]
"""Puts an attribute's value into columns. Raises Wrong."""

TENANT = "tenant"
"""Where the tenant's object waits until it is resolved."""
TAG_NAMES = "tag names"
ATTEMPTS = "attempts"
IGNORED = "ignored"
"""Names of members that nothing is made of."""


def inside(value: Any, members: Iterable[str], into: Columns, name: str) -> list[Any]:
    """The values of an object's `members`, None where absent; others are noted. Raises Wrong."""
    if type(value) is not dict:
        raise Wrong(("", "an object is accepted"))
    found = [value.get(member) for member in members]
    if len(value) > sum(member in value for member in members):
        into[IGNORED] += [f"{name}.{member}" for member in value if member not in members]
    return found


ATTEMPT = {
    "number": whole(1, LARGEST_COUNT), "assignedAt": time_of, "startedAt": time_of,
    "endedAt": time_of, "outcome": text_of, "reason": text_of,
}  # fmt: skip
EXECUTOR = ("id", "clusterId")


def read_attempts(value: Any, into: Columns) -> None:
    """All assignments: tuples of executor's entry and the members of ATTEMPT in order."""
    if type(value) is not list:
        raise Wrong(("", "a list is accepted"))
    wrong: list[tuple[str, str]] = []
    attempts = [read_attempt(item, f"[{place}]", into, wrong) for place, item in enumerate(value)]
    if len({attempt[1] for attempt in attempts}) < len(attempts):
        wrong.append(("", "each needs a number of its own"))
    if wrong:
        raise Wrong(*wrong)
    into[ATTEMPTS] = attempts


def read_attempt(
    value: Any, place: str, into: Columns, wrong: list[tuple[str, str]]
) -> tuple[Any, ...]:
    """One assignment; what is wrong with it is added to `wrong`."""
    found: Columns = {IGNORED: into[IGNORED]}
    try:
        executor, *rest = inside(value, ("executor", *ATTEMPT), into, ATTEMPTS)
        agent = inside(executor or {}, EXECUTOR, into, f"{ATTEMPTS}.executor")
        found["executor"] = tuple(text_of(text or "") for text in agent)
    except Wrong as error:
        wrong += [(place, words) for _, words in error.faults]
        return (None, object())
    for (name, convert), given in zip(ATTEMPT.items(), rest, strict=True):
        try:
            found[name] = None if given is None else convert(given)
        except Wrong as error:
            wrong.append((f"{place}.{name}", error.faults[0][1]))
    for name in ("number", "assignedAt"):
        if value.get(name) is None:
            wrong.append((f"{place}.{name}", "is needed"))
    return tuple(found.get(name) for name in ("executor", *ATTEMPT))
