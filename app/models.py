"""The tables. Compiled for whichever database they are used with; bound to none.

Text that many rows share (types, queues, policies, resources ...) is kept once in dictionary tables
and tasks hold its number: rows stay narrow, indexes small, and `like()` searches a small table.
Times are epoch nanoseconds (UTC), UUIDs 16 bytes, words of the contract their `code`.
"""

from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    Field,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)

TEXT = 256
"""Characters that any text of the contract may have."""


class Bytes(BlobField):
    """Bytes that every driver takes and gives as `bytes`."""

    def db_value(self, value: bytes | None) -> bytes | None:
        """`value` as it is: no driver needs it wrapped."""
        return value


def optional(kind: type[Field], **options: Any) -> Field:
    """A column that may be NULL: the attribute is absent."""
    return kind(null=True, **options)


class Tenant(Model):
    """A node of the tree that owns tasks."""

    id = BigIntegerField(primary_key=True)
    uuid = optional(Bytes, unique=True)
    """NULL for an ancestor known only from a locator, until an object brings it."""
    parent_id = optional(BigIntegerField)
    """NULL for the root, `/1/`, alone."""
    branch_id = BigIntegerField()
    """The ancestor (or self) just below the root; the root's own id for the root."""
    locator = CharField(max_length=1024)
    """Ids from the root, such as `/1/15/210/`."""
    name = optional(CharField, max_length=TEXT)
    disabled_at = optional(BigIntegerField)
    """Since when clients and users of its subtree get no new token; NULL: they get them."""

    class Meta:
        table_name = "tenants"


class TypeName(Model):
    """A task's or activity's type."""

    id = AutoField()
    name = CharField(max_length=TEXT, unique=True)

    class Meta:
        table_name = "types"


class Queue(Model):
    """A queue's name."""

    id = AutoField()
    name = CharField(max_length=TEXT, unique=True)

    class Meta:
        table_name = "queues"


class Tag(Model):
    """A tag's text."""

    id = AutoField()
    name = CharField(max_length=TEXT, unique=True)

    class Meta:
        table_name = "tags"


class StartedByUser(Model):
    """A user on whose behalf tasks are started."""

    id = AutoField()
    name = CharField(max_length=TEXT, unique=True)
    folded = CharField(max_length=3 * TEXT)
    """`name` in Unicode's caseless form: what `like()` searches."""

    class Meta:
        table_name = "started_by_users"


class Agent(Model):
    """An executor, issuer or affinity: an id and a cluster's id, each may be empty."""

    id = AutoField()
    digest = Bytes(unique=True)
    """BLAKE2b-128 of the members, since together they are too long for a unique index."""
    agent = CharField(max_length=TEXT)
    cluster = CharField(max_length=TEXT)

    class Meta:
        table_name = "agents"


class Policy(Model):
    """A policy as tasks name it: the same id under another name is another row."""

    id = AutoField()
    digest = Bytes(unique=True)
    policy = optional(CharField, max_length=TEXT)
    type = optional(CharField, max_length=TEXT)
    name = optional(CharField, max_length=TEXT)
    folded = optional(CharField, max_length=3 * TEXT)

    class Meta:
        table_name = "policies"


class Resource(Model):
    """A resource as tasks name it: the same id under another name is another row."""

    id = AutoField()
    digest = Bytes(unique=True)
    resource = optional(CharField, max_length=TEXT)
    type = optional(CharField, max_length=TEXT)
    name = optional(CharField, max_length=TEXT)
    folded = optional(CharField, max_length=3 * TEXT)

    class Meta:
        table_name = "resources"


class Task(Model):
    """A unit of work: the narrow row that lists walk over. The rest is in `TaskDetail`."""

    id = BigIntegerField(primary_key=True)
    """Microseconds of `enqueued_at` for those made here, so that it grows with time below 2^53."""
    uuid = Bytes(unique=True)
    type_id = IntegerField()
    queue_id = IntegerField()
    priority = SmallIntegerField()
    state = SmallIntegerField()
    result = optional(SmallIntegerField)
    """NULL until completed."""
    tenant_id = BigIntegerField()
    branch_id = BigIntegerField()
    """The tenant's ancestor just below the root: lists of a large subtree walk its indexes."""
    user_id = optional(IntegerField)
    policy_id = optional(IntegerField)
    resource_id = optional(IntegerField)
    issuer_id = optional(IntegerField)
    executor_id = optional(IntegerField)
    affinity_id = IntegerField(default=0)
    """Agent and cluster that alone may claim it; 0 = anyone. Not NULL: claims compare it."""
    workflow_id = optional(BigIntegerField)
    cancellable = SmallIntegerField(default=1)
    cancel_requested = SmallIntegerField(default=0)
    enqueued_at = optional(BigIntegerField)
    """Never changes; a return to the queue keeps it."""
    assigned_at = optional(BigIntegerField)
    started_at = optional(BigIntegerField)
    updated_at = optional(BigIntegerField)
    """Moved by every step of the row itself, deletion included; not by heartbeats."""
    completed_at = optional(BigIntegerField)
    deleted_at = optional(BigIntegerField)
    revision = IntegerField(default=1)
    """Grows by one with every change."""
    ready = SmallIntegerField(default=0)
    """1 while enqueued and past `not_before`: what claims look at."""
    lane_id = IntegerField(default=0)
    """Its `Lane`; 0 until upkeep has put an imported task into one."""
    not_before = optional(BigIntegerField)
    due_at = optional(BigIntegerField)
    """When the earliest of its timers fires; NULL when none runs."""
    fence = IntegerField(default=0)
    """Number of times the task was claimed; a lease proves itself with it. Only grows."""
    lease_until = optional(BigIntegerField)
    """When the ack or heartbeat timer fires; NULL without a lease."""
    assign_count = IntegerField(default=0)
    fail_count = IntegerField(default=0)

    class Meta:
        table_name = "tasks"


class Lane(Model):
    """What the tasks of one queue, type, tenant and affinity have in common: a claim takes from the
    heads of the lanes that its caller may have. Never removed."""

    id = AutoField()
    digest = Bytes(unique=True)
    queue_id = IntegerField()
    type_id = IntegerField()
    tenant_id = BigIntegerField()
    affinity_id = IntegerField()

    class Meta:
        table_name = "lanes"


class TaskDetail(Model):
    """What only single tasks and the higher levels of detail show; JSON as it came in."""

    task_id = BigIntegerField(primary_key=True)
    tags = optional(TextField)
    """JSON list in the order given; `TaskTag` holds the same for filters."""
    context = optional(TextField)
    argument = optional(TextField)
    progress = optional(TextField)
    payload = optional(TextField)
    warnings = optional(TextField)
    error = optional(TextField)
    queue_timeout = optional(BigIntegerField)
    """Nanoseconds, as all the intervals here; NULL = the default, or none where there is none."""
    ack_timeout = optional(BigIntegerField)
    heartbeat_interval = optional(BigIntegerField)
    exec_timeout = optional(BigIntegerField)
    life_time = optional(BigIntegerField)
    max_assign_count = optional(IntegerField)
    max_fail_count = optional(IntegerField)
    queued_at = optional(BigIntegerField)
    """When it last entered the queue."""
    ran_at = optional(BigIntegerField)
    """When the running stretch of this attempt began; NULL while paused or not started."""
    ran = BigIntegerField(default=0)
    """Nanoseconds that this attempt ran before its last pause."""
    cancel_at = optional(BigIntegerField)
    """When the grace of a requested cancellation ends."""
    body_digest = optional(Bytes)
    """SHA-256 of the canonical body that enqueued it: the same UUID with the same body is the
    same task."""

    class Meta:
        table_name = "task_details"


class TaskTag(Model):
    """A tag of a task, with the times by which lists of a tag are ordered."""

    tag_id = IntegerField()
    task_id = BigIntegerField()
    started_at = optional(BigIntegerField)
    completed_at = optional(BigIntegerField)

    class Meta:
        table_name = "task_tags"
        primary_key = CompositeKey("tag_id", "task_id")


class Attempt(Model):
    """One assignment of a task to an executor."""

    task_id = BigIntegerField()
    number = IntegerField()
    """The task's fence during the attempt."""
    executor_id = IntegerField()
    assigned_at = BigIntegerField()
    started_at = optional(BigIntegerField)
    ended_at = optional(BigIntegerField)
    outcome = optional(CharField, max_length=32)
    reason = optional(CharField, max_length=TEXT)
    ended_by = optional(Bytes)
    """SHA-256 of the step and body that ended it: repeating them under its lease is no error."""

    class Meta:
        table_name = "attempts"
        primary_key = CompositeKey("task_id", "number")


class Activity(Model):
    """A step of a task, possibly nested."""

    id = BigIntegerField(primary_key=True)
    uuid = Bytes(unique=True)
    task_id = BigIntegerField()
    parent_id = optional(BigIntegerField)
    type_id = IntegerField()
    state = SmallIntegerField()
    result = optional(SmallIntegerField)
    tenant_id = BigIntegerField()
    branch_id = BigIntegerField()
    user_id = optional(IntegerField)
    policy_id = optional(IntegerField)
    resource_id = optional(IntegerField)
    executor_id = optional(IntegerField)
    workflow_id = optional(BigIntegerField)
    sustainable = SmallIntegerField(default=0)
    created_at = optional(BigIntegerField)
    started_at = optional(BigIntegerField)
    updated_at = optional(BigIntegerField)
    completed_at = optional(BigIntegerField)
    deleted_at = optional(BigIntegerField)
    revision = IntegerField(default=1)

    class Meta:
        table_name = "activities"


class ActivityDetail(Model):
    """What only single activities and the higher levels of detail show; JSON as it came in."""

    activity_id = BigIntegerField(primary_key=True)
    tags = optional(TextField)
    context = optional(TextField)
    argument = optional(TextField)
    progress = optional(TextField)
    payload = optional(TextField)
    warnings = optional(TextField)
    error = optional(TextField)
    body_digest = optional(Bytes)

    class Meta:
        table_name = "activity_details"


class ActivityTag(Model):
    """A tag of an activity."""

    tag_id = IntegerField()
    activity_id = BigIntegerField()

    class Meta:
        table_name = "activity_tags"
        primary_key = CompositeKey("tag_id", "activity_id")


class Client(Model):
    """A program that gets tokens; its secret is generated and kept as a digest only."""

    client_id = CharField(max_length=64, primary_key=True)
    name = CharField(max_length=TEXT)
    tenant_id = BigIntegerField()
    scopes = CharField(max_length=TEXT)
    """The roles it may have, separated by blanks: `viewer issuer`."""
    secret_digest = optional(Bytes)
    """SHA-256; NULL for the built-in public client, which has no secret."""
    created_at = BigIntegerField()
    disabled_at = optional(BigIntegerField)

    class Meta:
        table_name = "clients"


class User(Model):
    """A person who gets tokens by password."""

    login = CharField(max_length=TEXT, primary_key=True)
    tenant_id = BigIntegerField()
    scopes = CharField(max_length=TEXT)
    password_hash = CharField(max_length=TEXT)
    """argon2id with its parameters and salt."""
    created_at = BigIntegerField()
    disabled_at = optional(BigIntegerField)

    class Meta:
        table_name = "users"


class SigningKey(Model):
    """A key that signs access tokens; the private half is sealed under the deployment's secret."""

    kid = CharField(max_length=64, primary_key=True)
    sealed = TextField()
    public = TextField()
    """The public half as a JWK."""
    created_at = BigIntegerField()
    retired_at = optional(BigIntegerField)
    """Since when it signs no more; it is published until the last token it signed has expired."""

    class Meta:
        table_name = "signing_keys"


class FailedAttempt(Model):
    """How often a name or an address failed to authenticate in the running minute."""

    bucket = CharField(max_length=64, primary_key=True)
    """A digest of the name or address, which itself is not kept."""
    began_at = BigIntegerField()
    failures = IntegerField()

    class Meta:
        table_name = "failed_attempts"


class IdempotencyKey(Model):
    """A claim that may be asked again under the same key."""

    digest = Bytes(primary_key=True)
    """SHA-256 of client, user, tenant and key."""
    body_digest = Bytes()
    leases = TextField()
    """JSON list of [task id, fence] that the claim handed out."""
    created_at = BigIntegerField()

    class Meta:
        table_name = "idempotency_keys"


class Leader(Model):
    """Which server process does a duty that only one may do at a time."""

    duty = CharField(max_length=32, primary_key=True)
    holder = CharField(max_length=64)
    until = BigIntegerField(column_name="held_until")
    term = IntegerField(default=0)
    """Grows by one whenever another holder takes over."""
    beat_at = optional(BigIntegerField)
    """When the duty was last done; NULL before the first time."""

    class Meta:
        table_name = "leaders"


class Invariant(Model):
    """A bound that holds for all rows of a collection, kept in the transaction that changes it."""

    name = CharField(max_length=64, primary_key=True)
    value = BigIntegerField()

    class Meta:
        table_name = "invariants"
