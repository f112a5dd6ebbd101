"""The bodies of all calls that write, as schemas: what is read, and what the document says."""

from typing import Any

from marshmallow import Schema, fields

from app.api.bodies import (
    Body,
    Flag,
    Id,
    Json,
    JsonList,
    JsonObject,
    Many,
    Moment,
    Nested,
    OneOf,
    Seconds,
    Text,
    Uuid,
    Whole,
)
from app.api.objects import item_of
from app.catalog.tasks import TASKS as TASK_CATALOG
from app.lifecycle import ALARM, ASSIGNED, ENQUEUED, MOST_ASSIGNMENTS, MOST_FAILURES, STARTED, Timer
from app.vocabulary import Priority, ResultCode

UUID = "0016750a-ee56-49e6-bf59-7c768c9869ac"
GRACE = ALARM[Timer.GRACE].seconds or 0
BULK = 1_000
"""Tasks of one bulk."""
CLAIMED = 100
"""Tasks of one claim."""
LONGEST_WAIT = 30
"""Seconds that a claim waits."""


FORMS: dict[str, type[Schema]] = {}
"""The schemas of bodies, by the names that they have in the document."""


def form(title: str, /, **members: Any) -> type[Schema]:
    """The schema of this name with these members; one name is one schema."""
    if title not in FORMS:
        FORMS[title] = Body.from_dict(members, name=title)
    return FORMS[title]


def named(title: str, noun: str) -> Nested:
    """A policy or a resource."""
    members = {
        "id": Text(f"The {noun}'s id.", f"{noun}-1"),
        "type": Text(f"The {noun}'s type.", "backup"),
        "name": Text(f"The {noun}'s name.", "Daily backup"),
    }
    return Nested(form(title, **members), metadata={"description": f"The {noun} it is about."})


def agent(title: str, words: str, required: bool = False, least: int = 0) -> Nested:
    """An agent: an executor or an issuer."""
    members = {
        "id": Text("The agent's id.", "agent-1", least=least, required=least > 0),
        "clusterId": Text("The id of its cluster.", "cluster-1"),
    }
    return Nested(form(title, **members), required=required, metadata={"description": words})


def subjects(noun: str) -> dict[str, Any]:
    """What tasks and activities are told alike."""
    return {
        "type": Text(f"The type of the {noun}.", "backup", least=1, required=True),
        "uuid": Uuid(f"Chosen by the caller, so that the {noun} is made once however often it is "
                     "sent.", UUID),
        "policy": named("PolicyBody", "policy"),
        "resource": named("ResourceBody", "resource"),
        "startedByUser": Text("The user on whose behalf it is.", "admin@example.org"),
        "tags": Many(Text("A tag.", least=1, most=128), "Words to find it by.", 0, 32, ["nightly"]),
        "context": JsonObject("Whatever shall be shown with it.", {"window": "01:00-05:00"}),
        "argument": Json("What its executor is given.", {"disk": "sda"}),
    }  # fmt: skip


TASK_MEMBERS = {
    **subjects("task"),
    "queue": Text("The queue.", "default", least=1, load_default="default"),
    "priority": OneOf("How urgent it is.", tuple(Priority), load_default=Priority.NORMAL),
    "tenant": Nested(
        form("TenantBody", uuid=Uuid("The tenant's UUID.", UUID, required=True)),
        metadata={"description": "Who owns it; the caller's own tenant when absent."}),
    "issuer": agent("IssuerBody", "Who enqueues it."),
    "affinity": Nested(
        form("AffinityBody", agentId=Text("The agent's id.", "agent-1"),
             clusterId=Text("The cluster's id.", "cluster-1")),
        metadata={"description": "Who alone may carry it out."}),
    "workflowId": Id("The workflow that it is part of."),
    "cancellable": Flag("Whether it may be cancelled.", True, load_default=True),
    "notBefore": Moment("It is not handed out before.", "2027-01-01T00:00:00Z"),
    "queueTimeout": Seconds("Seconds that it may wait in the queue."),
    "ackTimeout": Seconds("Seconds from claim to start (default 60)."),
    "heartbeatInterval": Seconds("Seconds that its executor may be silent (default 60)."),
    "execTimeout": Seconds("Seconds that one attempt may run, pauses not counted."),
    "lifeTime": Seconds("Seconds from its enqueueing to its end."),
    "maxAssignCount": Whole(f"How often it is handed out at most (default {MOST_ASSIGNMENTS})."),
    "maxFailCount": Whole(
        f"How many failed attempts complete it as an error (default {MOST_FAILURES})."),
}  # fmt: skip

TASK = form("TaskBody", **TASK_MEMBERS)()
TASKS = form(
    "BulkBody",
    items=Many(Nested(form("TaskBody", **TASK_MEMBERS)), "The tasks; all are enqueued, or none.",
               1, BULK, required=True),
)()  # fmt: skip

CLAIM = form(
    "ClaimBody",
    executor=agent("ClaimExecutor", "Who will carry them out.", True, 1),
    queues=Many(Text("A queue.", least=1), "Queues to take from (all when absent).", 1, 1_000,
                ["default"]),
    types=Many(Text("A type.", least=1), "Types to take (all when absent).", 1, 1_000, ["backup"]),
    limit=Whole("Tasks at most.", 1, CLAIMED, load_default=1),
    wait=Seconds(f"Seconds to wait for a first task, up to {LONGEST_WAIT}.", True, LONGEST_WAIT,
                 load_default=0),
)()  # fmt: skip

NOTHING = form("EmptyBody")()
PROGRESS = form(
    "ProgressBody",
    progress=JsonObject("How far it is.", {"current": 3, "total": 10}, None, required=True),
    context=JsonObject("Replaces the context when given.", {"step": "upload"}),
)()
RETURN = form(
    "ReturnBody",
    reason=Text("Why, for people.", "disk offline"),
    delay=Seconds("Seconds before which it is not handed out again.", True),
    failed=Flag("Whether this counts as a failure.", False, load_default=False),
)()
RESULT = {
    "code": OneOf("How it ended.", tuple(ResultCode), required=True),
    "payload": Json("What came of it.", {"bytes": 1024}),
    "warnings": JsonList("What went not quite right.", [], None),
    "error": JsonObject("What went wrong.", {"code": "E17", "message": "disk full"}, None),
}
COMPLETION = form(
    "CompletionBody",
    result=Nested(form("ResultBody", **RESULT), required=True,
                  metadata={"description": "The outcome."}),
)()  # fmt: skip
CANCEL = form(
    "CancelBody",
    grace=Seconds(f"Seconds that the executor has to obey (default {GRACE}).", True, 86_400,
                  load_default=GRACE * 10**9),
)()  # fmt: skip
ACTIVITY = form(
    "ActivityBody",
    taskId=Id("The task it belongs to.", required=True),
    parentActivityId=Id("The activity above it, of the same task."),
    sustainable=Flag("Whether it outlives a return of its task to the queue.", False,
                     load_default=False),
    state=OneOf("Where it begins.", (STARTED, ASSIGNED, ENQUEUED), load_default=STARTED),
    executor=agent("ActivityAgent", "Who carries it out (default: who holds the task)."),
    workflowId=Id("The workflow that it is part of (default: its task's)."),
    **subjects("activity"),
)()  # fmt: skip
ASSIGNMENT = form(
    "AssignmentBody", executor=agent("AssignedExecutor", "Who is to carry it out.", True, 1)
)()

BEAT = form(
    "BeatAnswer",
    lease=fields.Nested(Schema.from_dict({"expiresAt": fields.String()}, name="LeaseEnd")),
    cancelRequested=fields.Boolean(),
)()


class ClaimedSchema(item_of(TASK_CATALOG)):  # type: ignore[misc]
    """A task that was claimed, with the token of its lease."""

    lease = fields.Nested(Schema.from_dict(
        {"token": fields.String(), "expiresAt": fields.String()}, name="ClaimedLease"))  # fmt: skip


CLAIMED_ANSWER = form("ClaimAnswer", items=fields.List(fields.Nested(ClaimedSchema)))()
ITEMS = form("BulkAnswer", items=fields.List(fields.Nested(item_of(TASK_CATALOG))))()
LOCATION = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
