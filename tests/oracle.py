"""An independent model of the service: plain Python over dictionaries in the API's own shape.

It shares no code with the application. A world is a dictionary of two lists, `tasks` and
`activities`; every object holds what level `debug` would show of it, defaults left out, until
`full` puts them in.
"""

import functools
from typing import Any

from oracle_grammar import LEVELS, PRIORITIES, STATES, Ask, when

Object = dict[str, Any]

PATHS = {
    "startedBy": "startedByUser", "policyId": "policy.id", "policyType": "policy.type",
    "policyName": "policy.name", "resourceId": "resource.id", "resourceType": "resource.type",
    "resourceName": "resource.name", "resultCode": "result.code", "executorId": "executor.id",
    "affinityAgentId": "affinity.agentId", "affinityClusterId": "affinity.clusterId",
}  # fmt: skip
"""Where a filter looks, when not at the member of its own name."""

PARTY = "startedByUser policy resource tenant"
MEMBERS = {
    "tasks": (
        "id idString uuid type state result",
        "queue priority enqueuedAt assignedAt startedAt updatedAt completedAt cancellable "
        "cancelRequested " + PARTY,
        "issuer executor affinity workflowId workflowIdString tags context progress deletedAt",
        "argument notBefore queueTimeout ackTimeout heartbeatInterval execTimeout lifeTime "
        "maxAssignCount assignCount maxFailCount failCount",
        "lease attempts revision",
    ),
    "activities": (
        "id idString uuid type state result taskId taskIdString",
        "parentActivityId parentActivityIdString createdAt startedAt updatedAt completedAt "
        "sustainable " + PARTY,
        "executor workflowId workflowIdString tags context progress deletedAt",
        "argument",
        "revision",
    ),
}
"""What each level shows beyond the one before it."""

NOBODY = {"id": "", "clusterId": ""}
DEFAULTS: dict[str, Object] = {
    "tasks": {
        "queue": "default", "priority": "normal", "cancellable": True, "cancelRequested": False,
        "issuer": NOBODY, "executor": NOBODY, "tags": [], "context": {},
        "ackTimeout": 60, "heartbeatInterval": 60, "maxAssignCount": 5, "assignCount": 0,
        "maxFailCount": 5, "failCount": 0, "attempts": [], "revision": 1,
    },
    "activities": {
        "sustainable": False, "executor": NOBODY, "tags": [], "context": {}, "revision": 1,
    },
}  # fmt: skip
NUMBERS = ("id", "taskId", "parentActivityId", "workflowId")


def at(item: Object, path: str) -> Any:
    """The value at a path such as `policy.name`, None where something lacks."""
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None  # type: ignore[assignment]
    return item


moment = functools.lru_cache(maxsize=None)(when)
"""Nanoseconds of a time as objects hold it."""


def compares(text: str | None, operator: str, *bounds: int) -> bool:
    """Whether a time, or its absence, is what a time filter asks for."""
    if operator in ("isnull", "notnull") or text is None:
        return (text is None) == (operator == "isnull")
    here = moment(text)
    return {
        "eq": here == bounds[0],
        "ne": here != bounds[0],
        "lt": here < bounds[0],
        "le": here <= bounds[0],
        "gt": here > bounds[0],
        "ge": here >= bounds[0],
        "between": bounds[0] <= here < bounds[-1],
    }[operator]


def fits(item: Object, name: str, asked: list[Any]) -> bool:
    """Whether an object has what one of the entries asks of filter `name`."""
    value = at(item, PATHS.get(name, name))
    if name.endswith("At"):
        return compares(value, *asked[0])
    if name == "tag":
        return not set(asked).isdisjoint(item.get("tags", []))
    if name in ("startedBy", "policyName", "resourceName"):
        return value is not None and any(
            value == text if how == "is" else text in value.casefold() for how, text in asked
        )
    return value in asked


def visible(item: Object, locator: str, deleted: bool) -> bool:
    """Whether a token of the tenant at `locator` sees the object."""
    return item["tenant"]["locator"].startswith(locator) and (deleted or "deletedAt" not in item)


def full(collection: str, item: Object) -> Object:
    """The object with its defaults."""
    return {**DEFAULTS[collection], **item}


def matching(items: list[Object], ask: Ask, locator: str) -> list[Object]:
    """Those of some full objects that a request finds."""
    asked = {name: entries for name, entries in ask.filters.items() if name != "allow_deleted"}
    deleted = ask.filters.get("allow_deleted") == [True]
    return [
        item
        for item in items
        if visible(item, locator, deleted)
        and all(fits(item, name, entries) for name, entries in asked.items())
    ]


RANKS = {"priority": PRIORITIES.index, "state": STATES.index}


def place(name: str, value: Any) -> tuple[Any, ...]:
    """What `value` sorts by; a missing one before every other."""
    if value is None:
        return (0,)
    if name.endswith("At"):
        return (1, moment(value))
    return (1, RANKS[name](value) if name in RANKS else value)


def sorted_by(items: list[Object], order: list[tuple[str, str]]) -> list[Object]:
    """The objects in order; ties by id in the direction of the last field."""
    found = list(items)
    terms = order or [("asc", "id")]
    for direction, name in reversed([*terms, (terms[-1][0], "id")]):
        found.sort(
            key=lambda item, name=name: place(name, item.get(name)),  # type: ignore[misc]
            reverse=direction == "desc",
        )
    return found


def listed(items: list[Object], ask: Ask, locator: str) -> list[Object]:
    """All that a list shows of some full objects, in order."""
    return sorted_by(matching(items, ask, locator), ask.order)


def result_at(lod: str, result: Object) -> Object:
    """As much of a result as the level shows."""
    if lod in ("tiny", "short"):
        return {"code": result["code"]}
    shown = dict(result)
    if "error" in shown and lod != "debug":
        shown["error"] = {key: value for key, value in shown["error"].items() if key != "debug"}
    return shown


def shown(collection: str, item: Object, lod: str) -> Object:
    """A full object as answers show it at a level."""
    levels = MEMBERS[collection][: LEVELS.index(lod) + 1]
    whole = dict(item)
    whole |= {f"{name}String": str(whole[name]) for name in NUMBERS if name in whole}
    if "result" in whole:
        whole["result"] = result_at(lod, whole["result"])
    return {name: whole[name] for level in levels for name in level.split() if name in whole}
