"""Which tasks a claim would have, in order: priority, then age, then number.

Ready tasks lie in *streams*, indexes that have the most urgent first: of an affinity, and within it
of a type, a queue, or a branch of the tenants' tree; and in *lanes*, of one queue, type, tenant and
affinity. Ways to the most urgent, tried in turn:

1. a caller who demands no more than one of these takes the heads of its streams;
2. the heads of all lanes that the caller may have, when those are few: whatever else waits, and
   however much of it, is never looked at;
3. the streams of one demand in order, testing each task for the others, for a few tasks;
4. the heads of more lanes, then longer walks;
5. the heads of all lanes, however many.

Each is one statement, which also tells whether something has become due. Which of them told is
remembered, so that those that cannot are not tried for every claim of the same kind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from app.database import Database
from app.repository.sentences import hinted, rows, together
from app.repository.work import promoting
from app.repository.work.wishes import Subtree, Terms, Wish, condition, subtree, terms

WAYS = ((32, 24), (128, 400))
"""Lanes whose heads are compared at most, then tasks of each stream that are looked at: the cheaper
before the dearer."""
STREAMS = 32
"""Streams that are walked at once."""
HEADS = """
SELECT few.id, (
    SELECT JSON_ARRAY(h.id, h.priority, h.enqueued_at)
    FROM tasks h {{index}} WHERE h.lane_id = few.id AND h.ready = 1
    ORDER BY h.priority DESC, h.enqueued_at, h.id LIMIT 1
) FROM (SELECT l.id FROM lanes l WHERE {where}{limit}) few"""
"""As one value, since that is all that a subquery may answer: each lane takes a single step down
the index, and no row is looked at."""
LANE = """
SELECT id, priority, enqueued_at FROM tasks {index} WHERE lane_id = ? AND ready = 1
ORDER BY priority DESC, enqueued_at, id LIMIT ?"""
LANES = "tasks_lane_id_ready_priority_enqueued_at"
WALK = """
SELECT l.id, l.priority, l.enqueued_at, {number}, CASE WHEN {suits} THEN 1 ELSE 0 END
FROM tasks l {{index}} WHERE {column}l.affinity_id = ? AND l.ready = 1
ORDER BY l.priority DESC, l.enqueued_at, l.id LIMIT ?"""
WALKS = "affinity_id_ready_priority_enqueued_at"
SOMETHING_DUE = -1
MANY = "claims that may have many lanes"
TOLD = "ways that told"
REMEMBERED = 1_000
TRUSTED = 16
"""Claims that begin with the way that told last time; then a cheaper one may do again."""
Way = Callable[[], list[int] | None]
"""Answers the numbers of the tasks that are looked for, or None when it cannot tell."""


class Due(Exception):
    """Something waits for no time any more and is not ready yet."""


@dataclass(frozen=True)
class Streams:
    """Tasks of an affinity with one of `values` in `column` ("": of the affinity alone)."""

    column: str
    values: tuple[int, ...]
    whole: bool
    """Whether the caller may have all of them."""

    def places(self, affinities: Sequence[int]) -> Sequence[tuple[int, ...]]:
        """What each stream is found by."""
        pairs = [(value, affinity) for value in self.values for affinity in affinities]
        return pairs if self.column else [(affinity,) for _, affinity in pairs]

    def text(self, database: Database, number: int, suits: str) -> str:
        """The SELECT of one stream, and which of its tasks satisfy `suits`."""
        column = f"l.{self.column} = ? AND " if self.column else ""
        index = "_".join(filter(None, ("tasks", self.column, WALKS)))
        return hinted(database, WALK.format(number=number, suits=suits, column=column), index)


def rank(candidate: Sequence[Any]) -> tuple[int, int, int]:
    """What candidates are sorted by."""
    return -candidate[1], candidate[2] or 0, candidate[0]


def streams(asked: Terms) -> list[Streams]:
    """The streams along which `asked` can be walked."""
    branch = None if asked.tenant.root else (asked.tenant.branch_id,)
    demands = [
        (column, values)
        for column, values in (
            ("type_id", asked.types), ("queue_id", asked.queues), ("branch_id", branch),
        )
        if values is not None
    ]  # fmt: skip
    whole = len(demands) == 1 and (branch is None or asked.branch)
    walkable = STREAMS // len(asked.affinities)
    return [
        Streams(column, values, whole) for column, values in demands if len(values) <= walkable
    ] or [Streams("", (0,), not demands)]


def candidates(database: Database, wish: Wish, wanted: int, now: int) -> list[int]:
    """Numbers of up to `wanted` tasks for `wish`, the most urgent first.

    What has waited for its time until `now` is made ready before: claims need no upkeep.
    """
    asked = terms(database, wish)
    if asked is None:
        return []
    try:
        with database.near_writes():
            return Search(database, asked, wanted, now).found()
    except Due:
        where, values = condition(asked, subtree(database, asked.tenant))
        promoting.promote(database, now, where, values, wanted)
    with database.near_writes():
        return Search(database, asked, wanted, None).found()


@dataclass(frozen=True)
class Search:
    """A search for the `wanted` most urgent tasks; each way raises Due when something is due `now`
    (None: that does not matter)."""

    database: Database
    asked: Terms
    wanted: int
    now: int | None

    def found(self) -> list[int]:
        """Their numbers, in order."""
        there = streams(self.asked)
        for some in there:
            if some.whole:
                return self.walk(some, None, self.wanted) or []
        ways = self.ways(there, subtree(self.database, self.asked.tenant))
        kept: dict[tuple[Terms, int], tuple[int, int]] = self.database.memory.setdefault(TOLD, {})
        first, times = kept.get((self.asked, self.wanted), (0, 0))
        for place in (first, *(other for other in range(len(ways)) if other != first)):
            found = ways[place]()
            if found is not None:
                self.keep(kept, place, times + 1 if place == first else 1, len(ways))
                return found
        return []

    def ways(self, there: Sequence[Streams], within: Subtree | None) -> list[Way]:
        """What is tried in turn; the last one always tells."""
        ways: list[Way] = []
        for few, length in WAYS:
            ways.append(partial(self.few, within, few))
            ways += [partial(self.walk, some, within, length) for some in there]
        return [*ways, partial(self.heads, within, None)]

    def keep(
        self, kept: dict[tuple[Terms, int], tuple[int, int]], place: int, times: int, ways: int
    ) -> None:
        """Remember the way that told, but for the first, which comes first anyway, and the last,
        which is dear."""
        if 0 < place < ways - 1 and times < TRUSTED:
            if len(kept) >= REMEMBERED:
                kept.clear()
            kept[self.asked, self.wanted] = place, times
        else:
            kept.pop((self.asked, self.wanted), None)

    def few(self, within: Subtree | None, most: int) -> list[int] | None:
        """The same from the heads of the lanes; None: they are more than `most`."""
        many: set[tuple[Terms, int]] = self.database.memory.setdefault(MANY, set())
        if (self.asked, most) in many:
            return None
        found = self.heads(within, most)
        if found is None:
            if len(many) >= REMEMBERED:
                many.clear()
            many.add((self.asked, most))  # lanes are never removed: they will not be fewer
        return found

    def heads(self, within: Subtree | None, most: int | None) -> list[int] | None:
        """The same from the heads of all lanes; None: they are more than `most`."""
        where, values = condition(self.asked, within)
        limit = "" if most is None else " LIMIT ?"
        text = hinted(self.database, HEADS.format(where=where, limit=limit), LANES)
        met = self.answered([text], [*values, *([] if most is None else [most + 1])], 2)
        if most is not None and len(met) > most:
            return None
        heads = ((*orjson.loads(head), lane) for lane, head in met if head is not None)
        tops = sorted(heads, key=rank)[: self.wanted]
        if self.wanted == 1 or not tops:
            return [row[0] for row in tops]
        # What is among the first has its lane's head among the first.
        lane = hinted(self.database, LANE, LANES)
        places = [value for row in tops for value in (row[3], self.wanted)]
        first = rows(self.database, together(self.database, [lane] * len(tops)), places)
        return [row[0] for row in sorted(first, key=rank)[: self.wanted]]

    def walk(self, some: Streams, within: Subtree | None, length: int) -> list[int] | None:
        """The same from the first `length` tasks of each stream; None: they do not tell."""
        suits, values = condition(self.asked, within, affinity=False)
        places = some.places(self.asked.affinities)
        met = self.answered(
            [some.text(self.database, number, suits) for number in range(len(places))],
            [value for place in places for value in (*values, *place, length)],
            5,
        )
        for number in range(len(places)):
            seen = [row[4] for row in met if row[3] == number]
            if len(seen) == length and sum(seen) < self.wanted:
                return None
        return [row[0] for row in sorted((row for row in met if row[4]), key=rank)[: self.wanted]]

    def answered(self, texts: list[str], values: list[Any], width: int) -> list[tuple[Any, ...]]:
        """What SELECTs of `width` columns answer together. Raises Due."""
        if self.now is not None:
            columns = ", ".join([str(SOMETHING_DUE)] * width)
            texts, values = [*texts, promoting.due(self.database, columns)], [*values, self.now, 1]
        found = rows(self.database, together(self.database, texts), values)
        if any(row[0] == SOMETHING_DUE for row in found):
            raise Due
        return found
