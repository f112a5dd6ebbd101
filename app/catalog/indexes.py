"""Every index of tasks and activities: its columns, its condition, and the requests it serves.

SQLite keeps only the rows that `where` names; MySQL has no partial indexes and keeps them all, so a
plan that uses one repeats the condition. The primary key stands behind the last column of each
index on both engines: equal keys come in order of id. Some have a tail behind it: columns by which
rows are told apart without being looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Index:
    """`table_columns`: an index on `columns` of `table`, of the rows that satisfy `where`."""

    table: str
    columns: tuple[str, ...]
    where: str = ""
    """SQL over bare column names; empty = every row."""
    serves: str = ""
    lacks: tuple[int, ...] = ()
    """Values of the first column that `where` leaves out."""
    tail: tuple[str, ...] = ()
    """Columns behind the id, which must not change in a row's life: each would be written again."""

    @property
    def name(self) -> str:
        """The index's name in the database."""
        return "_".join((self.table, *(column.split()[0] for column in self.columns)))

    @property
    def whole(self) -> tuple[str, ...]:
        """All columns that the database is told of."""
        return (*self.columns, "id", *self.tail) if self.tail else self.columns


def plain(table: str, *columns: str) -> list[Index]:
    """Indexes for an equality in order of id, each on one column that every row has."""
    return [Index(table, (column,), serves=f"{column} in order of id") for column in columns]


def sparse(table: str, *columns: str) -> list[Index]:
    """The same for columns that few or not all rows have."""
    return [
        Index(table, (column,), f"{column} IS NOT NULL", f"{column} in order of id")
        for column in columns
    ]


def timed(table: str, time: str, *columns: str) -> list[Index]:
    """Indexes for an equality in order of a time, rows without that time left out."""
    return [
        Index(table, (column, time), f"{time} IS NOT NULL", f"{column} in order of {time}")
        for column in columns
    ]


def tailed(tail: Sequence[str], *indexes: Index) -> list[Index]:
    """`indexes` with those columns of `tail` that they do not begin with."""
    return [
        replace(index, tail=tuple(column for column in tail if column not in index.columns))
        for index in indexes
    ]


RARE_RESULT = "result > 1"
"""Not `ok`: most tasks end well, and a walk in any order meets enough of them."""
RARE_PRIORITY = "priority <> 3"
"""Not `normal`, for the same reason."""
OPEN = "state < 5"
"""Not completed: a few per cent of a grown table."""
OWNERS = ("tenant_id", "branch_id")
TASK_TIMES = ("enqueued_at", "assigned_at", "started_at", "updated_at", "completed_at")
ACTIVITY_TIMES = ("created_at", "started_at", "updated_at", "completed_at")
"""Whole, not sparse: a missing time (or user) sorts before every other, so lists walk those rows
too."""

LASTING = ("branch_id", "type_id", "queue_id", "priority", "user_id", "policy_id", "resource_id")
"""What a task is born with and keeps: where two conditions leave many rows each and few together,
a walk along the rarer one tests the other without looking at the rows. Not behind queues, seldom
the rarer one, nor behind resources, which have few rows each: an enqueue writes each tail."""

TASK_INDEXES = (
    *tailed(LASTING, *plain("tasks", "type_id")),
    *plain("tasks", "queue_id"),
    *tailed(LASTING, *plain("tasks", "user_id", *OWNERS)),
    *plain("tasks", *TASK_TIMES),
    *tailed(LASTING, *sparse("tasks", "policy_id")),
    *sparse("tasks", "resource_id", "executor_id", "workflow_id"),
    Index("tasks", ("deleted_at",), "deleted_at IS NOT NULL", "counts, which leave deleted out"),
    Index("tasks", ("affinity_id",), "affinity_id <> 0", "affinity in order of id", (0,)),
    *tailed(
        LASTING,
        Index("tasks", ("result",), RARE_RESULT, "failures in order of id", (1,)),
        Index("tasks", ("priority",), RARE_PRIORITY, "priorities in order of id", (3,)),
    ),
    Index("tasks", ("state",), OPEN, "open tasks in order of id", (5,)),
    Index("tasks", ("state", "updated_at"), OPEN, "open tasks, latest change first", (5,)),
    *timed("tasks", "completed_at", "type_id", *OWNERS, "policy_id", "user_id"),
    *timed("tasks", "started_at", "type_id", *OWNERS, "policy_id", "user_id"),
    *timed("tasks", "updated_at", *OWNERS),
    Index("tasks", ("result", "completed_at"), RARE_RESULT, "failures, latest first", (1,)),
    Index("tasks", ("result", "started_at"), RARE_RESULT, "failures by start", (1,)),
)  # fmt: skip

TAG_INDEXES = (
    *timed("task_tags", "completed_at", "tag_id"),
    *timed("task_tags", "started_at", "tag_id"),
    Index("task_tags", ("task_id",), serves="a task's tags, when its times change"),
    Index("activity_tags", ("activity_id",), serves="an activity's tags"),
)

ACTIVITY_INDEXES = (
    *plain("activities", "task_id", "type_id", "user_id", *OWNERS, *ACTIVITY_TIMES),
    *sparse("activities", "parent_id", "policy_id", "resource_id", "workflow_id"),
    Index("activities", ("deleted_at",), "deleted_at IS NOT NULL", "counts without deleted ones"),
    Index("activities", ("result",), RARE_RESULT, "failures in order of id", (1,)),
    Index("activities", ("state",), OPEN, "open activities in order of id", (5,)),
    Index("activities", ("sustainable",), "sustainable = 1", "sustainable ones by id", (0,)),
    *timed("activities", "completed_at", "type_id", *OWNERS),
    *timed("activities", "started_at", "type_id", *OWNERS),
    *timed("activities", "updated_at", *OWNERS),
    Index("activities", ("result", "completed_at"), RARE_RESULT, "failures, latest first", (1,)),
)  # fmt: skip

DICTIONARY_INDEXES = (
    *plain("agents", "agent", "cluster"),
    *plain("policies", "policy", "type", "name"),
    *plain("resources", "resource", "type", "name"),
    *plain("tenants", "parent_id"),
)

READY = "ready = 1"
CLAIM_INDEXES = (
    Index("tasks", ("lane_id", "ready", "priority DESC", "enqueued_at"), READY,
          "the head of a lane"),
    *(Index("tasks", (*column, "affinity_id", "ready", "priority DESC", "enqueued_at"), READY,
            "ready tasks of an affinity in order of claim")
      for column in ((), ("type_id",), ("queue_id",), ("branch_id",))),
    Index("tasks", ("due_at",), "due_at IS NOT NULL", "timers that are due"),
    Index("idempotency_keys", ("created_at",), serves="keys that have grown old"),
    *(Index("lanes", columns, serves="the lanes of a claim") for columns in (
        ("affinity_id", "type_id", "queue_id", "tenant_id"),
        ("affinity_id", "queue_id", "tenant_id", "type_id"),
        ("tenant_id", "affinity_id", "queue_id", "type_id"))),
)  # fmt: skip

INDEXES = (*TASK_INDEXES, *TAG_INDEXES, *ACTIVITY_INDEXES, *DICTIONARY_INDEXES, *CLAIM_INDEXES)
