"""Indexes by which rows are told apart without being looked at: they go on, behind the id, in what
a task is born with and keeps.

They have the names and the order of those whose place they take, so that old code goes on.
"""

from migrations.growing import replace_index

atomic = False

TAIL = ("branch_id", "type_id", "queue_id", "priority", "user_id", "policy_id", "resource_id")
INDEXES = (
    ("type_id", ""), ("user_id", ""), ("tenant_id", ""), ("branch_id", ""),
    ("policy_id", "policy_id IS NOT NULL"), ("result", "result > 1"), ("priority", "priority <> 3"),
)  # fmt: skip


def up(migrator, db):
    """Put the longer ones in their places."""
    for column, where in INDEXES:
        tail = [other for other in TAIL if other != column]
        replace_index(db, "tasks", f"tasks_{column}", [column, "id", *tail], where)


def down(migrator, db):
    """Put the shorter ones back."""
    for column, where in INDEXES:
        replace_index(db, "tasks", f"tasks_{column}", [column], where)
