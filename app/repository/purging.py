"""Tasks that were completed long ago are removed for good, a few at a time.

A batch is one short transaction: no writer waits for it longer than for any other step.
"""

from collections.abc import Iterator

from app.database import Database
from app.repository.sentences import rows, run

BATCH = 50
"""Tasks that one transaction removes."""
ACTIVITIES = 500
"""Activities that one transaction removes at most."""
OLD = """
SELECT id, completed_at FROM tasks WHERE completed_at < ? AND completed_at >= ?
ORDER BY completed_at LIMIT ?
"""
DELETED = OLD.replace("ORDER", "AND deleted_at IS NOT NULL ORDER")
EVER = -(2**62)
COUNT = "SELECT COUNT(*) FROM tasks WHERE completed_at < ?"
TABLES = (
    ("task_tags", "task_id"), ("attempts", "task_id"), ("task_details", "task_id"), ("tasks", "id"),
)  # fmt: skip
"""What holds rows of a task besides its activities, in the order in which they go."""
PARTS = (
    ("activity_tags", "activity_id"), ("activity_details", "activity_id"), ("activities", "id"),
)  # fmt: skip


def count(database: Database, before: int, deleted: bool = False) -> int:
    """How many tasks were completed before a time; only `deleted` ones if so."""
    text = COUNT + (" AND deleted_at IS NOT NULL" if deleted else "")
    return int(rows(database, text, (before,))[0][0])


def purge(database: Database, before: int, deleted: bool = False) -> Iterator[int]:
    """Remove all tasks that were completed before a time; a number for each batch removed."""
    since = EVER
    text = DELETED if deleted else OLD
    while chosen := rows(database, text, (before, since, BATCH)):
        remove(database, [row[0] for row in chosen])
        # Those before were looked at: they are kept, for they are not deleted.
        since = chosen[-1][1]
        yield len(chosen)


def some(database: Database, before: int) -> int:
    """Remove one batch of all -> how many."""
    return next(purge(database, before), 0)


def remove(database: Database, tasks: list[int]) -> None:
    """Remove tasks with their activities."""
    while activities := below(database, tasks):
        erase(database, PARTS, activities)
    erase(database, TABLES, tasks)


def below(database: Database, tasks: list[int]) -> list[int]:
    """Some of the activities of `tasks`."""
    words = ["SELECT id FROM activities WHERE task_id IN (", ", ".join("?" * len(tasks)),
             ") LIMIT ?"]  # fmt: skip
    return [row[0] for row in rows(database, " ".join(words), (*tasks, ACTIVITIES))]


def erase(database: Database, tables: tuple[tuple[str, str], ...], ids: list[int]) -> None:
    """Remove the rows of these ids from all of `tables`, in one transaction."""
    marks = ", ".join("?" * len(ids))

    def act() -> None:
        with database.write_transaction():
            for table, key in tables:
                run(database, " ".join(("DELETE FROM", table, "WHERE", key, "IN (", marks, ")")),
                    ids)  # fmt: skip

    database.retried(act)
