"""What the collection of tasks can be asked, and what it answers."""

from app.catalog.kinds import OneOf, Text
from app.catalog.rows import Attribute, Catalog, Filter, Members, Order
from app.catalog.shapes import Attempts, Entry, Json, Lease, Number, Seconds, Spoken, Time, Truth
from app.catalog.shared import (
    agent,
    body,
    identity,
    marks,
    moments,
    parties,
    standing,
    subjects,
    tiny,
)
from app.models import Agent, Queue, StartedByUser, Task, TaskDetail, TaskTag, TypeName
from app.vocabulary import Lod, Priority

DEFAULT_ACK = 60_000_000_000
DEFAULT_HEARTBEAT = 60_000_000_000
DEFAULT_ASSIGNMENTS = 5
DEFAULT_FAILURES = 5

TASKS = Catalog(
    "task", "tasks", Task, TaskDetail, TaskTag,
    filters=(
        Filter("executorId", Text(multiple=False), Members(Task.executor_id, Agent.agent),
               "Id of the executor that holds or last held the task.", "agent-1"),
        *identity(Task, "tasks"),
        Filter("queue", Text(), Members(Task.queue_id, Queue.name), "Queues.", "default"),
        Filter("priority", OneOf(words=Priority), Task.priority, "Priorities.", "high"),
        *subjects(Task),
        *standing(Task),
        *moments(
            Task,
            ("enqueuedAt", Task.enqueued_at, "When it was enqueued"),
            ("assignedAt", Task.assigned_at, "When an executor last claimed it"),
            ("startedAt", Task.started_at, "When its work began"),
            ("updatedAt", Task.updated_at, "When it last changed"),
            ("completedAt", Task.completed_at, "When it ended"),
        ),
        Filter("affinityAgentId", Text(multiple=False), Members(Task.affinity_id, Agent.agent),
               "Id of the agent that alone may carry it out.", "agent-1"),
        Filter("affinityClusterId", Text(multiple=False), Members(Task.affinity_id, Agent.cluster),
               "Id of the cluster whose agents alone may carry it out.", "cluster-1"),
        *marks("tasks"),
    ),
    orders=(
        Order("id", Task.id),
        Order("uuid", Task.uuid),
        Order("type", Members(Task.type_id, TypeName.name)),
        Order("priority", Task.priority),
        Order("startedByUser", Members(Task.user_id, StartedByUser.name)),
        Order("state", Task.state),
        Order("enqueuedAt", Task.enqueued_at),
        Order("assignedAt", Task.assigned_at),
        Order("startedAt", Task.started_at),
        Order("updatedAt", Task.updated_at),
        Order("completedAt", Task.completed_at),
    ),
    attributes=(
        *tiny(Task, TaskDetail),
        Attribute("queue", Lod.SHORT, Entry(Task.queue_id, dictionary="queues"), "Its queue."),
        Attribute("priority", Lod.SHORT, Spoken(Task.priority, words=Priority), "Its priority."),
        Attribute("enqueuedAt", Lod.SHORT, Time(Task.enqueued_at), "When it was enqueued."),
        Attribute("assignedAt", Lod.SHORT, Time(Task.assigned_at), "When it was last claimed."),
        Attribute("startedAt", Lod.SHORT, Time(Task.started_at), "When its work began."),
        Attribute("updatedAt", Lod.SHORT, Time(Task.updated_at), "When it last changed."),
        Attribute("completedAt", Lod.SHORT, Time(Task.completed_at), "When it ended."),
        Attribute("cancellable", Lod.SHORT, Truth(Task.cancellable),
                  "Whether it may be cancelled."),
        Attribute("cancelRequested", Lod.SHORT, Truth(Task.cancel_requested),
                  "Whether somebody asked to cancel it."),
        *parties(Task),
        agent("issuer", Task.issuer_id, "Who enqueued it."),
        agent("executor", Task.executor_id, "Who holds or last held it."),
        Attribute("affinity", Lod.LONG,
                  Entry(Task.affinity_id, dictionary="agents", members=("agentId", "clusterId")),
                  "Who alone may carry it out."),
        *body(Task, TaskDetail),
        Attribute("argument", Lod.FULL, Json(TaskDetail.argument), "What the executor is given."),
        Attribute("notBefore", Lod.FULL, Time(Task.not_before), "It is not handed out before."),
        Attribute("queueTimeout", Lod.FULL, Seconds(TaskDetail.queue_timeout),
                  "Seconds that it may wait in the queue."),
        Attribute("ackTimeout", Lod.FULL, Seconds(TaskDetail.ack_timeout, 60),
                  "Seconds from claim to start."),
        Attribute("heartbeatInterval", Lod.FULL, Seconds(TaskDetail.heartbeat_interval, 60),
                  "Seconds that its executor may be silent."),
        Attribute("execTimeout", Lod.FULL, Seconds(TaskDetail.exec_timeout),
                  "Seconds that one attempt may run."),
        Attribute("lifeTime", Lod.FULL, Seconds(TaskDetail.life_time),
                  "Seconds from its enqueueing to its end."),
        Attribute("maxAssignCount", Lod.FULL,
                  Number(TaskDetail.max_assign_count, DEFAULT_ASSIGNMENTS),
                  "How often it is handed out at most."),
        Attribute("assignCount", Lod.FULL, Number(Task.assign_count), "How often it was."),
        Attribute("maxFailCount", Lod.FULL, Number(TaskDetail.max_fail_count, DEFAULT_FAILURES),
                  "How many failed attempts complete it as an error."),
        Attribute("failCount", Lod.FULL, Number(Task.fail_count), "How many failed."),
        Attribute("lease", Lod.DEBUG,
                  Lease(Task.lease_until, parts=(Task.executor_id, Task.fence)),
                  "The lease in force, without its token."),
        Attribute("attempts", Lod.DEBUG, Attempts(Task.id), "All assignments."),
        Attribute("revision", Lod.DEBUG, Number(Task.revision), "Grows with every change."),
    ),
)  # fmt: skip
