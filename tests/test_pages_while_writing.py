"""Walking pages while others write: nothing that stays is lost, nothing comes twice."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
import reading
import worlds
from reading import Reader

from app import service

ORDERS = (
    "", "desc(id)", "asc(uuid)", "desc(startedAt)", "asc(updatedAt)", "asc(completedAt),desc(type)",
    "desc(state),asc(updatedAt)", "asc(startedByUser)", "desc(type),desc(startedAt)",
)  # fmt: skip
FILTERS = ("", "state=completed&state=started", "startedAt=notnull()", "tag=nightly&tag=weekly")
WORDS = {"started_at": "startedAt", "updated_at": "updatedAt", "completed_at": "completedAt"}


@pytest.fixture
def writable(engine, tmp_path) -> Iterator[Reader]:
    """A reader of a world that the test may change; on each engine."""
    flask_app = reading.served(engine, tmp_path)
    world = worlds.world(2, tasks=90, activities=40)
    reading.load(flask_app, world, tmp_path)
    yield Reader(flask_app, world)
    service.service_of(flask_app).database.close()


class Writer:
    """Somebody else who writes tasks, and remembers which ones."""

    def __init__(self, reader: Reader, chance: random.Random) -> None:
        self.database = reader.service.database
        self.chance = chance
        self.ids = [item["id"] for item in reader.world["tasks"]]
        self.touched: set[int] = set()
        self.moved: dict[int, set[str]] = {}

    def write(self, sql: str, *values: object) -> None:
        """Run one statement, as this engine marks values."""
        mark = "?" if self.database.dialect == "sqlite" else "%s"
        with self.database.write_transaction():
            self.database.run(sql.replace("?", mark), values)

    def insert(self) -> None:
        """A new task like another one, with an id anywhere."""
        columns = [row for row in self.columns() if row not in ("id", "uuid")]
        names = ", ".join(columns)
        fresh, like = self.chance.randrange(3, 2**53), self.chance.choice(self.ids)
        self.write(
            f"INSERT INTO tasks (id, uuid, {names}) SELECT ?, ?, {names} FROM tasks WHERE id = ?",
            fresh, self.chance.randbytes(16), like,
        )  # fmt: skip
        self.touched.add(fresh)

    def columns(self) -> list[str]:
        """The columns of the table."""
        return [row.name for row in self.database.engine.get_columns("tasks")]

    def delete(self) -> None:
        """One task less."""
        gone = self.chance.choice(self.ids)
        self.write("DELETE FROM task_tags WHERE task_id = ?", gone)
        self.write("DELETE FROM task_details WHERE task_id = ?", gone)
        self.write("DELETE FROM tasks WHERE id = ?", gone)
        self.touched.add(gone)

    def hide(self) -> None:
        """One task is deleted softly."""
        gone = self.chance.choice(self.ids)
        self.write("UPDATE tasks SET deleted_at = 1 WHERE id = ?", gone)
        self.touched.add(gone)

    def move(self) -> None:
        """One completed task gets another time, and so another place in some orders."""
        column = self.chance.choice(list(WORDS))
        moment, moved = self.chance.choice(worlds.MOMENTS), self.chance.choice(self.ids)
        self.write(f"UPDATE tasks SET {column} = ? WHERE id = ? AND state = 5", moment, moved)
        if column in ("started_at", "completed_at"):
            # Its tags repeat these times, as the service keeps them.
            same = f"(SELECT {column} FROM tasks WHERE id = ?)"
            self.write(f"UPDATE task_tags SET {column} = {same} WHERE task_id = ?", moved, moved)
        self.moved.setdefault(moved, set()).add(WORDS[column])

    def scribble(self) -> None:
        """One task changes in a way that no order and no filter here looks at."""
        changed = self.chance.choice(self.ids)
        self.write("UPDATE tasks SET revision = revision + 1, priority = 5 WHERE id = ?", changed)

    def act(self) -> None:
        """Something of all this."""
        acts = (self.insert, self.insert, self.delete, self.hide, self.move, self.move)
        self.chance.choice((*acts, self.scribble))()


@pytest.mark.parametrize("seed", range(4))
def test_what_stays_comes_once_and_nothing_comes_twice(writable, seed):
    chance = random.Random(seed)
    for order in ORDERS:
        query = "&".join(filter(None, [chance.choice(FILTERS), f"order={order}" * bool(order)]))
        writer = Writer(writable, chance)
        before = {item["id"] for item in writable.page("tasks", query)["items"]}
        seen = walked(writable, query, chance.choice((1, 3, 7)), writer)
        told = {name for name in WORDS.values() if name in order or name in query}
        changed = {task for task, names in writer.moved.items() if names & told}
        stayed = before - writer.touched - changed
        assert {task for task in stayed if seen[task] != 1} == set(), (query, seed)
        assert {task for task in seen.keys() - changed if seen[task] > 1} == set(), (query, seed)


def walked(reader: Reader, query: str, limit: int, writer: Writer) -> Counter[int]:
    """How often each task came while `writer` wrote between the pages."""
    seen: Counter[int] = Counter()
    body = reader.page("tasks", f"{query}&limit={limit}&lod=tiny".lstrip("&"))
    while True:
        seen.update(item["id"] for item in body["items"])
        if not (after := body["paging"]["cursors"].get("after")):
            return seen
        assert len(body["items"]) == limit, query
        writer.act()
        body = reader.page("tasks", f"limit={limit}&after={after}")


@pytest.mark.parametrize("order", ["desc(startedAt)", "asc(type)", ""])
def test_the_row_that_a_token_stands_at_may_go_away(writable, order):
    query = f"order={order}&" * bool(order) + "limit=4"
    whole = [item["id"] for item in writable.page("tasks", query.replace("4", "1000"))["items"]]
    first = writable.page("tasks", query)
    writer = Writer(writable, random.Random(0))
    writer.ids = [whole[3]]
    writer.delete()
    rest = writable.page("tasks", f"limit=1000&after={first['paging']['cursors']['after']}")
    assert [item["id"] for item in rest["items"]] == whole[4:]
