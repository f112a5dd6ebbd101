"""The calls of published clients, as they stand on the wire, and what each needs of its answer."""

from dataclasses import dataclass, field
from typing import Any

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call:
    """One call: what is asked first, what of the following pages, and what must hold."""

    says: str
    path: str
    query: str = ""
    then: str = ""
    every: tuple[tuple[str, str, Any], ...] = ()
    page: int = 0
    sent: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says


SINCE_WEEK = (("completedAt", "gt", "{week}"), ("result.code", "present", None))
CALLS = (
    Call("a script reports a week of tasks", "tasks", "completedAt=gt%28{week_enc}%29",
         every=SINCE_WEEK, sent={"User-Agent": "weekly-report/1.0 python"}),
    Call("a script reports a week of activities", "activities", "completedAt=gt%28{week_enc}%29",
         every=SINCE_WEEK),
    Call("a script pages through a week by ten and says its level again", "tasks",
         "limit=10&lod=short&completedAt=gt%28{week_enc}%29",
         "limit=10&lod=short&after={after_enc}",
         every=SINCE_WEEK, page=10),
    Call("the same for activities", "activities",
         "limit=10&lod=short&completedAt=gt%28{week_enc}%29",
         "limit=10&lod=short&after={after_enc}",
         every=SINCE_WEEK, page=10),
    Call("a shell sends brackets and colons as they are", "tasks", "completedAt=gt({week})",
         every=SINCE_WEEK, sent={"Accept": "application/json"}),
    Call("the same shell for activities", "activities", "completedAt=gt({week})",
         every=SINCE_WEEK, sent={"Accept": "application/json"}),
    Call("a shell pastes the token into the next address", "tasks", "limit=10",
         "limit=10&after={after}", page=10, sent={"Accept": "application/json"}),
    Call("a shell pages through all activities", "activities", "limit=25",
         "limit=25&after={after}", page=25, sent={"Accept": "application/json"}),
    Call("a console sends a content type without a body", "tasks", "completedAt=gt({week})",
         every=SINCE_WEEK, sent=JSON),
    Call("a console looks for backups that failed", "activities",
         "completedAt=gt({week})&resultCode=error&policyType=backup",
         every=(*SINCE_WEEK, ("result.code", "eq", "error"), ("policy.type", "eq", "backup"))),
    Call("a sample lists tasks without a word", "tasks", every=(("tenant.uuid", "present", None),)),
    Call("a sample lists activities without a word", "activities", sent=JSON),
    Call("a client wants two states", "tasks", "state=started&state=paused",
         every=(("state", "in", ("started", "paused")),)),
    Call("a client wants what began after a day", "tasks",
         "startedAt=gt%282020-04-22T11%3A00%3A00Z%29",
         every=(("startedAt", "present", None), ("startedAt", "gt", "2020-04-22T11:00:00Z"))),
    Call("a report walks all activities by a thousand", "activities", "limit=1000",
         "after={after_enc}&limit=1000", page=1000),
    Call("a cache names its level once", "tasks", "limit=100&lod=full",
         "after={after_enc}&limit=100", page=100,
         every=(("context", "present", None), ("updatedAt", "present", None),
                ("maxAssignCount", "ge", 1))),
    Call("an assistant wants failures, newest first", "tasks",
         "limit=100&order=desc%28startedAt%29&resultCode=error", "after={after_enc}&limit=100",
         page=100, every=(("result.code", "eq", "error"), ("result.error.message", "present", None),
                          ("tenant.uuid", "present", None))),
    Call("a poller wants the newest activities", "activities",
         "limit=200&order=desc%28createdAt%29"),
    Call("a connector reads since yesterday", "tasks", "completedAt=gt({yesterday})",
         every=(("completedAt", "gt", "{yesterday}"),), sent=JSON),
    Call("a bill is made for a month", "tasks",
         "completedAt=between({month},{next_month})&state=completed",
         every=(("completedAt", "ge", "{month}"), ("completedAt", "lt", "{next_month}"))),
    Call("a console asks about one machine", "tasks", "resourceId={resource}&order=desc(startedAt)",
         every=(("resource.id", "eq", "{resource}"),)),
    Call("a time in nanoseconds", "tasks", "completedAt=gt(1587553443290396913ns)"),
    Call("a time in seconds", "tasks", "completedAt=gt(1587553200)"),
    Call("a time as mail writes it", "tasks",
         "completedAt=gt(Wed%2C%2022%20Apr%202020%2011%3A00%3A00%20GMT)"),
    Call("a plan is found by a part of its name", "tasks", "policyName=like(mail)",
         every=(("policy.name", "icontains", "mail"),)),
    Call("per cent and underscore mean themselves", "tasks", "policyName=like(%25_)",
         every=(("policy.name", "icontains", "%_"),)),
    Call("a type in capital letters", "tasks", "type=0016750A-EE56-49E6-BF59-7C768C9869AC",
         every=(("type", "eq", "0016750A-EE56-49E6-BF59-7C768C9869AC"),)),
    Call("activities of one task", "activities", "taskId={task}&order=asc(createdAt)",
         every=(("taskIdString", "eq", "{task}"),)),
)  # fmt: skip
REFUSED = (
    ("activities", "context.id={resource}&limit=20&order=desc(startedAt)", "context.id"),
    ("tasks", "status=failed", "status"),
    ("activities", "tenant_id={tenant}", "tenant_id"),
    ("tasks", "completedAt=gt(yesterday)", "completedAt"),
    ("tasks", "limit=10&lod=short&after=", "after"),
    ("tasks", "limit=1000000", "limit"),
    ("tasks", "after=abcdefghijklmnopqrst", "after"),
)
"""Calls that must never be answered with rows, and what their refusal names."""
