"""Tasks that were completed long ago are removed for good, a few at a time.

No writer waits for it longer than for any other step: each transaction is short, takes fewer rows
where the last one took long, and is followed by a breath in which others get their turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import sleep

from app import clock
from app.database import Database
from app.repository.sentences import hinted, rows, run

BATCH = 50
"""Tasks that one transaction removes at most."""
ACTIVITIES = 500
"""Activities that one transaction removes at most."""
LONG = 0.02
"""Seconds that a transaction should not take."""
BREATH = 0.01
"""Seconds between two transactions."""
LEAST = 0.02
"""The least share of BATCH and ACTIVITIES."""
FIRST = 0.1
"""The share to begin with, of which nobody knows yet how long it takes."""
OLD = """
SELECT id, completed_at FROM tasks {index} WHERE completed_at < ? AND completed_at >= ?
ORDER BY completed_at LIMIT ?
"""
DELETED = OLD.replace("ORDER", "AND deleted_at IS NOT NULL ORDER")
EVER = -(2**62)
COUNT = "SELECT COUNT(*) FROM tasks {index} WHERE completed_at < ?"
INDEX = "tasks_completed_at"
"""Left to itself MariaDB may read the whole table for a few of its rows."""
TABLES = (
    ("task_tags", "task_id"), ("attempts", "task_id"), ("task_details", "task_id"),
    ("activities", "task_id"), ("tasks", "id"),
)  # fmt: skip
"""What holds rows of a task, in the order in which they go: those activities that came since the
others went are named, since MySQL fires no trigger for what a foreign key removes."""
PARTS = (
    ("activity_tags", "activity_id"), ("activity_details", "activity_id"), ("activities", "id"),
)  # fmt: skip


def count(database: Database, before: int, deleted: bool = False) -> int:
    """How many tasks were completed before a time; only `deleted` ones if so."""
    text = COUNT + (" AND deleted_at IS NOT NULL" if deleted else "")
    return int(rows(database, hinted(database, text, INDEX), (before,))[0][0])


@dataclass
class Pace:
    """How much one transaction removes, as a share of the most, by how long the last ones took."""

    share: float = FIRST
    longest: float = 0.0
    """Seconds that the longest of them took."""

    def of(self, most: int) -> int:
        """How many of `most`; at least one."""
        return max(1, int(most * self.share))

    def took(self, seconds: float) -> None:
        """A transaction took so long."""
        self.longest = max(self.longest, seconds)
        if seconds > LONG:
            self.share = max(LEAST, self.share / 2)
        elif seconds < LONG / 2:
            self.share = min(1.0, self.share * 1.5)


@dataclass
class Purge:
    """The removal of all tasks that were completed before a time, with their activities."""

    before: int
    deleted: bool = False
    """Whether only deleted ones are meant."""
    tasks: Pace = field(default_factory=Pace)
    activities: Pace = field(default_factory=Pace)

    @property
    def longest(self) -> float:
        """Seconds for which the longest transaction so far held its locks."""
        return max(self.tasks.longest, self.activities.longest)

    def run(self, database: Database) -> Iterator[int]:
        """After each transaction comes the number of tasks that it removed: 0 when those were
        activities. What was left by a run that was interrupted, the next one removes."""
        since = EVER
        text = hinted(database, DELETED if self.deleted else OLD, INDEX)
        while chosen := rows(database, text, (self.before, since, self.tasks.of(BATCH))):
            tasks = [row[0] for row in chosen]
            while some := below(database, tasks, self.activities.of(ACTIVITIES)):
                self.activities.took(erase(database, PARTS, some))
                yield 0
            self.tasks.took(erase(database, TABLES, tasks))
            # What was completed earlier is gone: the index need not be looked through from its
            # start.
            since = chosen[-1][1]
            yield len(tasks)


def some(database: Database, before: int, until: float) -> bool:
    """Remove as many as there is time for until `until`, on the steady clock -> whether there may
    be more."""
    return any(clock.monotonic() >= until for _ in Purge(before).run(database))


def below(database: Database, tasks: list[int], most: int) -> list[int]:
    """Up to `most` of the activities of `tasks`."""
    words = ["SELECT id FROM activities WHERE task_id IN (", ", ".join("?" * len(tasks)),
             ") LIMIT ?"]  # fmt: skip
    return [row[0] for row in rows(database, " ".join(words), (*tasks, most))]


def erase(database: Database, tables: tuple[tuple[str, str], ...], ids: list[int]) -> float:
    """Remove the rows of these ids from all of `tables`, in one transaction -> seconds for which it
    held its locks; what it waited for them keeps nobody."""
    marks = ", ".join("?" * len(ids))

    def act() -> float:
        with database.write_transaction():
            if tables is TABLES and database.dialect == "mysql":
                # From here on nothing comes below them.
                rows(database, " ".join(("SELECT id FROM tasks WHERE id IN (", marks,
                                         ") FOR UPDATE")), ids)  # fmt: skip
            began = clock.monotonic()
            for table, key in tables:
                run(database, " ".join(("DELETE FROM", table, "WHERE", key, "IN (", marks, ")")),
                    ids)  # fmt: skip
        return clock.monotonic() - began

    took = database.retried(act, repeatable=True)
    sleep(BREATH)
    return took
