"""The rows that tasks and activities have in common."""

from peewee import Field

from app.catalog.kinds import Flag, Like, Number, OneOf, Text, Uuid, When
from app.catalog.rows import DELETED, TAGGED, Attribute, Filter, Members
from app.catalog.shapes import Digits, Entry, Json, Result, Spoken, TenantOf, Time
from app.catalog.shapes import Number as Plain
from app.catalog.shapes import Uuid as UuidShape
from app.models import Activity, ActivityDetail, Policy, Resource, StartedByUser, Task, TaskDetail
from app.models import TypeName as Type
from app.vocabulary import Lod, ResultCode, State

Entity = type[Task] | type[Activity]
Details = type[TaskDetail] | type[ActivityDetail]


def identity(entity: Entity, noun: str) -> tuple[Filter, ...]:
    """Filters by id, UUID and type."""
    return (
        Filter("id", Number(), entity.id, f"Ids of {noun}.", "1"),
        Filter("uuid", Uuid(), entity.uuid, f"UUIDs of {noun}, in any case.",
               "0016750a-ee56-49e6-bf59-7c768c9869ac"),
        Filter("type", Text(), Members(entity.type_id, Type.name), f"Types of {noun}.", "backup"),
    )  # fmt: skip


def subjects(entity: Entity) -> tuple[Filter, ...]:
    """Filters by who started it, and by policy and resource."""
    return (
        Filter("startedBy", Like(),
               Members(entity.user_id, StartedByUser.name, StartedByUser.folded),
               "Users who started it, or `like(text)`.", "like(admin)"),
        Filter("policyId", Text(), Members(entity.policy_id, Policy.policy), "Policy ids.",
               "policy-1"),
        Filter("policyName", Like(), Members(entity.policy_id, Policy.name, Policy.folded),
               "Policy names, or `like(text)`: contains the text, whatever the case.",
               "like(daily)"),
        Filter("policyType", Text(), Members(entity.policy_id, Policy.type), "Policy types.",
               "backup"),
        Filter("resourceId", Text(), Members(entity.resource_id, Resource.resource),
               "Resource ids.", "resource-1"),
        Filter("resourceName", Like(), Members(entity.resource_id, Resource.name, Resource.folded),
               "Resource names, or `like(text)`: contains the text, whatever the case.",
               "like(vm)"),
        Filter("resourceType", Text(), Members(entity.resource_id, Resource.type),
               "Resource types.", "machine"),
        Filter("workflowId", Number(), entity.workflow_id, "Workflow ids.", "1"),
    )  # fmt: skip


def standing(entity: Entity) -> tuple[Filter, ...]:
    """Filters by state and result."""
    return (
        Filter("state", OneOf(words=State), entity.state, "States.", "completed"),
        Filter("resultCode", OneOf(words=ResultCode), entity.result,
               "How it ended; never matches what is not completed.", "ok"),
    )  # fmt: skip


def moments(entity: Entity, *names: tuple[str, Field, str]) -> tuple[Filter, ...]:
    """Filters by time."""
    return tuple(
        Filter(name, When(), column,
               f"{words}: a time (equality), or `lt(T)`, `le(T)`, `gt(T)`, `ge(T)`, `ne(T)`, "
               "`between(T,T)`, `isnull()`, `notnull()`.", "gt(2020-04-22T11:00:00Z)")
        for name, column, words in names
    )  # fmt: skip


def marks(noun: str) -> tuple[Filter, ...]:
    """Filters by tag and deletion."""
    return (
        Filter("tag", Text(), TAGGED, "Tags; any of them may be among its own.", "nightly"),
        Filter("allow_deleted", Flag(), DELETED, f"Whether deleted {noun} are shown too.", "true"),
    )


def tiny(entity: Entity, details: Details) -> tuple[Attribute, ...]:
    """What every level shows, in the order of the answer."""
    return (
        Attribute("id", Lod.TINY, Plain(entity.id), "Its number."),
        Attribute("idString", Lod.TINY, Digits(entity.id), "The number as a string."),
        Attribute("uuid", Lod.TINY, UuidShape(entity.uuid), "Its UUID, in lower case."),
        Attribute("type", Lod.TINY, Entry(entity.type_id, dictionary="types"), "Its type."),
        Attribute("state", Lod.TINY, Spoken(entity.state, words=State), "Where it stands."),
        Attribute("result", Lod.TINY,
                  Result(entity.result, parts=(
                      ("error", details.error), ("warnings", details.warnings),
                      ("payload", details.payload))),
                  "How it ended, once it is completed: the code; from `long` on also error, "
                  "warnings and payload."),
    )  # fmt: skip


def parties(entity: Entity) -> tuple[Attribute, ...]:
    """Who started it, for which policy, on which resource, in which tenant."""
    return (
        Attribute("startedByUser", Lod.SHORT, Entry(entity.user_id, dictionary="users"),
                  "The user who started it."),
        Attribute("policy", Lod.SHORT,
                  Entry(entity.policy_id, dictionary="policies", members=("id", "type", "name")),
                  "The policy that it carries out."),
        Attribute("resource", Lod.SHORT,
                  Entry(entity.resource_id, dictionary="resources", members=("id", "type", "name")),
                  "What it works on."),
        Attribute("tenant", Lod.SHORT, TenantOf(entity.tenant_id), "The tenant that owns it."),
    )  # fmt: skip


NOBODY = {"id": "", "clusterId": ""}


def agent(name: str, column: Field, words: str) -> Attribute:
    """An agent that is always shown, with empty ids where it is unknown."""
    shape = Entry(column, NOBODY, dictionary="agents", members=("id", "clusterId"), blanks=True)
    return Attribute(name, Lod.LONG, shape, words)


def body(entity: Entity, details: Details) -> tuple[Attribute, ...]:
    """What level `long` adds to both."""
    return (
        Attribute("workflowId", Lod.LONG, Plain(entity.workflow_id), "The workflow it is part of."),
        Attribute("workflowIdString", Lod.LONG, Digits(entity.workflow_id), "As a string."),
        Attribute("tags", Lod.LONG, Json(details.tags, []), "Its tags."),
        Attribute("context", Lod.LONG, Json(details.context, {}), "What its issuer wants known."),
        Attribute("progress", Lod.LONG, Json(details.progress), "How far it is."),
        Attribute("deletedAt", Lod.LONG, Time(entity.deleted_at), "When it was deleted."),
    )
