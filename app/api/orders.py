"""Bodies that enqueue and report, in the words of the repository."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.auth.callers import Caller
from app.canonical import compact, digest
from app.catalog.kinds import UUID as UUID_PATTERN
from app.database import Database
from app.errors import BadRequest, Fault
from app.lifecycle import MOST_ASSIGNMENTS, MOST_FAILURES, Timer
from app.repository import tenants
from app.repository.dictionaries import Entry
from app.repository.tenants import Node
from app.repository.work.activity_making import Draft
from app.repository.work.enqueueing import Order
from app.transitions import default
from app.vocabulary import Word

INTERVALS = {
    "queueTimeout": "queue_timeout",
    "ackTimeout": "ack_timeout",
    "heartbeatInterval": "heartbeat_interval",
    "execTimeout": "exec_timeout",
    "lifeTime": "life_time",
    "maxAssignCount": "max_assign_count",
    "maxFailCount": "max_fail_count",
}
"""Members of the body that are columns of the details."""
DEFAULTS: dict[str, Any] = {
    "ackTimeout": default(Timer.ACK),
    "heartbeatInterval": default(Timer.HEARTBEAT),
    "maxAssignCount": MOST_ASSIGNMENTS,
    "maxFailCount": MOST_FAILURES,
    "context": "{}",
    "tags": [],
}
"""What the absence of a member means: a body that says it is the same as one that does not."""
EMPTY: tuple[Any, ...] = ({}, None)


def owners(
    database: Database, caller: Caller, bodies: Sequence[Any], bulk: bool = False
) -> list[Node]:
    """The tenant of each of `bodies`, the items of a `bulk` or a single one, read or as they came.

    Raises BadRequest naming all tenants outside the caller's tree and all UUIDs that come twice.
    """
    given = [uuid_at(body, "tenant", "uuid") for body in bodies]
    asked = {raw: UUID(bytes=raw) for raw in given if raw is not None}
    found = tenants.by_uuids(database, asked.values()) if asked else {}
    wrong = twice(bodies) if bulk else []
    nodes = []
    for place, raw in enumerate(given):
        node = caller.tenant if raw is None else found.get(asked[raw])
        if node is None or not caller.tenant.holds(node):
            at = "tenant.uuid" if not bulk else f"items[{place}].tenant.uuid"
            words = f"'{at}' is not a tenant of yours"
            wrong.append(Fault(at, str(UUID(bytes=raw)) if raw else "", words))
        else:
            nodes.append(node)
    if wrong:
        raise BadRequest(wrong)
    return nodes


def uuid_at(body: Any, *path: str) -> bytes | None:
    """The UUID at a path of a body, read or as it came; None: there is none, or something else."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    if isinstance(body, str) and UUID_PATTERN.fullmatch(body):
        return UUID(body).bytes
    return body if isinstance(body, bytes) else None


def twice(bodies: Sequence[Any]) -> list[Fault]:
    """A fault for each UUID that another item has had before."""
    seen: dict[bytes, int] = {}
    wrong = []
    for place, body in enumerate(bodies):
        raw = uuid_at(body, "uuid")
        if raw is not None and seen.setdefault(raw, place) != place:
            at = f"items[{place}].uuid"
            words = f"'{at}' is the UUID of items[{seen[raw]}] too"
            wrong.append(Fault(at, str(UUID(bytes=raw)), words))
    return wrong


def normal(body: Mapping[str, Any], tenant: Node | None) -> dict[str, Any]:
    """`body` as it is compared: with its defaults, and what says nothing left out."""
    said = {**DEFAULTS, **body}
    said.pop("uuid", None)
    for name in ("policy", "resource"):
        if said.get(name) in EMPTY:
            said.pop(name, None)
    for name in ("issuer", "affinity"):
        said[name] = [part or "" for part in agent(said.get(name)) or ("", "")]
    said["tenant"] = tenant.id if tenant else 0
    return said


def digest_of(body: Mapping[str, Any], tenant: Node | None = None) -> bytes:
    """SHA-256 of what `body` says: equal bodies have equal ones, however they are written."""
    said = normal(body, tenant)
    for name in ("context", "argument"):
        if name in said:
            said[name] = digest_of_text(said[name])
    return digest({name: plain(value) for name, value in said.items()})


def digest_of_text(text: str) -> str:
    """The digest of a JSON text."""
    return digest(json.loads(text)).hex()


def plain(value: Any) -> Any:
    """A value that JSON can carry."""
    if isinstance(value, bytes):
        return value.hex()
    return value.value if isinstance(value, Word) else value


def agent(body: Mapping[str, str] | None) -> Entry | None:
    """Id and cluster's id of an agent; None when neither is told."""
    if not body:
        return None
    first = body.get("id", body.get("agentId", ""))
    found = (first, body.get("clusterId", ""))
    return found if any(found) else None


def named(body: Mapping[str, str] | None) -> Entry | None:
    """Id, type and name of a policy or resource, empty ones as absent; None when none is told."""
    found = tuple((body or {}).get(name) or None for name in ("id", "type", "name"))
    return found if any(found) else None


def details(body: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a body, by column of the details; {} and [] need not be kept where usual."""
    kept = {name: body[name] for name in ("context", "argument") if name in body}
    if kept.get("context") == "{}":
        del kept["context"]
    if body.get("tags"):
        kept["tags"] = compact(body["tags"])
    return kept


def order(body: Mapping[str, Any], tenant: Node) -> Order:
    """The task that `body` asks for, in `tenant`."""
    limits = {column: body[name] for name, column in INTERVALS.items() if name in body}
    return Order(
        tenant=tenant,
        type=body["type"],
        digest=digest_of(body, tenant) if "uuid" in body else None,
        queue=body["queue"],
        priority=body["priority"],
        uuid=body.get("uuid"),
        policy=named(body.get("policy")),
        resource=named(body.get("resource")),
        user=body.get("startedByUser"),
        issuer=agent(body.get("issuer")),
        affinity=agent(body.get("affinity")),
        workflow_id=body.get("workflowId"),
        tags=tuple(body.get("tags", ())),
        details={**details(body), **limits},
        cancellable=body["cancellable"],
        not_before=body.get("notBefore"),
    )


def draft(body: Mapping[str, Any]) -> Draft:
    """The activity that `body` asks for."""
    return Draft(
        task=body["taskId"],
        type=body["type"],
        digest=digest_of(body) if "uuid" in body else None,
        uuid=body.get("uuid"),
        parent=body.get("parentActivityId"),
        sustainable=body["sustainable"],
        state=body["state"],
        executor=agent(body.get("executor")),
        user=body.get("startedByUser"),
        workflow=body.get("workflowId"),
        policy=named(body.get("policy")),
        resource=named(body.get("resource")),
        tags=tuple(body.get("tags", ())),
        details=details(body),
    )


def parts(body: Mapping[str, Any]) -> dict[str, str]:
    """The JSON of a result, by column of the details."""
    result = body["result"]
    return {name: result[name] for name in ("payload", "warnings", "error") if name in result}


def step_digest(name: str, body: Mapping[str, Any]) -> bytes:
    """SHA-256 of a step and its body: what repeats it has the same."""
    said = dict(body)
    if "result" in said:
        said["result"] = {
            part: digest_of_text(value) if isinstance(value, str) and part != "code" else value
            for part, value in ((part, plain(value)) for part, value in said["result"].items())
        }
    return digest([name, said])
