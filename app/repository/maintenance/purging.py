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
Tables = tuple[tuple[str, str], ...]
"""Tables, each with the column of the number by which its rows go."""
COUNT = "SELECT COUNT(*) FROM tasks {index} WHERE completed_at < ?"
INDEX = "tasks_completed_at"
"""Left to itself MariaDB may read the whole table for a few of its rows."""
PRIMARY = "FORCE INDEX (PRIMARY)"
"""Along another index MariaDB would lock what it meets there."""
TABLES: Tables = (
    ("task_tags", "task_id"), ("attempts", "task_id"), ("task_details", "task_id"),
    ("activities", "task_id"), ("tasks", "id"),
)  # fmt: skip
"""What holds rows of a task, in the order in which they go: those activities that came since the
others went are named, since MySQL fires no trigger for what a foreign key removes."""
PARTS: Tables = (
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
            while below(database, tasks, 1) and self.erase(database, PARTS, tasks):
                yield 0
            yield self.erase(database, TABLES, tasks)
            # What was completed earlier is gone: the index need not be looked through from its
            # start.
            since = chosen[-1][1]

    def erase(self, database: Database, tables: Tables, tasks: list[int]) -> int:
        """Remove `tasks`, or (PARTS) some of their activities, in one transaction -> how many."""
        pace = self.activities if tables is PARTS else self.tasks
        went: set[int] = set()

        def act() -> float:
            with database.write_transaction():
                due = self.due(database, tasks)
                began = clock.monotonic()
                ids = below(database, due, pace.of(ACTIVITIES)) if tables is PARTS else due
                marks = ", ".join("?" * len(ids))
                for table, key in tables if ids else ():
                    run(database, " ".join(("DELETE FROM", table, "WHERE", key, "IN (", marks,
                                            ")")), ids)  # fmt: skip
                went.update(ids)
            return clock.monotonic() - began

        # What it waited for its locks keeps nobody.
        pace.took(database.retried(act, repeatable=True))
        sleep(BREATH)
        return len(went)

    def due(self, database: Database, tasks: list[int]) -> list[int]:
        """Those of `tasks` that are still meant, in the transaction that is open: somebody may have
        restored or replaced one. From here on nothing comes below them."""
        primary, lock = ("", "") if database.dialect == "sqlite" else (PRIMARY, "FOR UPDATE")
        words = ["SELECT id FROM tasks", primary, "WHERE id IN (", ", ".join("?" * len(tasks)),
                 ") AND completed_at < ?"]  # fmt: skip
        words += [*["AND deleted_at IS NOT NULL"] * self.deleted, lock]
        return [row[0] for row in rows(database, " ".join(words), (*tasks, self.before))]


def some(database: Database, before: int, until: float) -> bool:
    """Remove as many as there is time for until `until`, on the steady clock -> whether there may
    be more."""
    return any(clock.monotonic() >= until for _ in Purge(before).run(database))


def below(database: Database, tasks: list[int], most: int) -> list[int]:
    """Up to `most` of the activities of `tasks`."""
    if not tasks:
        return []
    words = ["SELECT id FROM activities WHERE task_id IN (", ", ".join("?" * len(tasks)),
             ") LIMIT ?"]  # fmt: skip
    return [row[0] for row in rows(database, " ".join(words), (*tasks, most))]
