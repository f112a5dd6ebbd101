"""Rows whose times lie further apart than those of all others: lists have them all the same."""

from contextlib import closing

import busy_world
import pytest
import reading
from oracle import moment
from questions import Asker
from test_lists_against_oracle import check

from app import config, database, service
from app.catalog.tasks import TASKS
from app.catalog.times import SECOND
from app.models import Invariant, Task
from app.repository import apart, invariants
from app.repository.apart import FLOOR
from app.repository.lists.planning import Planner
from app.repository.maintenance import schema

REQUESTS = 80
FEW = 100
BORN = 1_700_000_000 * SECOND
MONTHS = 100 * 86_400 * SECOND
ASSIGNED = invariants.after(TASKS, "assigned_at")
TIMES = ", ".join(invariants.times(TASKS))


@pytest.fixture
def base(engine):
    with closing(database.connect(config.load({"TASKS_DATABASE_URL": engine}))) as made:
        yield made


def noted(base, row, *distances):
    """What is known of tasks once one is to be written that waited for so long."""
    for distance in distances:
        with base.write_transaction():
            apart.note(base, TASKS, row, (BORN, BORN + distance, None, None, None))
    return invariants.known(base)


def test_up_to_a_few_hours_bounds_widen(base):
    known = noted(base, 7, FLOOR // 2, FLOOR)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (FLOOR, ())


def test_a_row_that_waited_for_months_leaves_them_as_they_are(base):
    known = noted(base, 7, SECOND, MONTHS, 2 * MONTHS)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (SECOND, (7,))
    again = noted(base, 7, 3 * MONTHS)
    assert again == known


def test_a_row_listed_is_told_to_those_who_remember_the_bounds(base):
    before = noted(base, 7, SECOND)
    assert noted(base, 7, MONTHS)[invariants.VERSION] > before[invariants.VERSION]


def test_when_many_did_bounds_widen_again(base, monkeypatch):
    monkeypatch.setattr(apart, "MOST", 2)
    there(base, 1, 2)
    for row in (1, 2, 3):
        known = noted(base, row, MONTHS)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (invariants.rounded(MONTHS), (1, 2))


def test_a_row_that_is_gone_makes_room(base, monkeypatch):
    monkeypatch.setattr(apart, "MOST", 2)
    there(base, 2)
    for row in (1, 2, 3):
        known = noted(base, row, MONTHS)
    assert (known.get(ASSIGNED), apart.ids(TASKS, known)) == (None, (2, 3))


def there(base, *rows):
    """These tasks are there, as far as it matters."""
    named = {"type_id": 1, "queue_id": 1, "priority": 3, "state": 1, "tenant_id": 1,
             "branch_id": 1}  # fmt: skip
    with base.write_transaction():
        for row in rows:
            base.change(Task.insert(id=row, uuid=row.to_bytes(16, "big"), **named))


@pytest.fixture
def parted(engine, tmp_path, monkeypatch):
    """A reader of tasks of which a hundred are listed, and the rest keep to narrow bounds."""
    flask_app = reading.served(engine, tmp_path)
    world = busy_world.world()
    reading.load(flask_app, world, tmp_path)
    base = service.service_of(flask_app).database
    monkeypatch.setattr(apart, "FLOOR", -1)
    rows = [(row[0], row[1:]) for row in base.rows(f"SELECT id, {TIMES} FROM tasks")]
    rows.sort(key=lambda row: max(invariants.needed(TASKS, (row[1],)).values(), default=0))
    with base.write_transaction():
        for name in invariants.known(base):
            if name.startswith("tasks."):
                base.change(Invariant.delete().where(Invariant.name == name))
        invariants.note(base, TASKS, [times for _, times in rows[:-FEW]])
        for row, times in rows[-FEW:]:
            apart.note(base, TASKS, row, times)
    yield reading.Reader(flask_app, world)
    base.close()


def test_lists_have_the_rows_that_are_listed(parted, monkeypatch):
    asker = Asker("tasks", parted.whole, "apart")
    asker.moments = [moment(item["updatedAt"]) for item in asker.items[::5] if "updatedAt" in item]
    timed = [name for name in asker.filters if asker.kinds[name] == "time"]
    complete, more = Planner.complete, []

    def noted(self, plan):
        more.append(complete(self, plan) is not plan)
        return complete(self, plan)

    monkeypatch.setattr(Planner, "complete", noted)
    for _ in range(REQUESTS):
        name = asker.random.choice(timed)
        pairs = [pair for pair in asker.pairs() if pair[0] not in (name, "lod")]
        asked = [*asker.filter(name), *pairs, ("lod", "tiny")]
        check(parted, "tasks", asker.raw(asked), asker.random)
    assert sum(more) > REQUESTS // 5


def test_code_from_before_finds_bounds_that_hold_for_all_rows(base):
    before = noted(base, 7, SECOND, MONTHS)
    while "0007_rows_apart" not in schema.downgrade(base):
        pass
    known = invariants.known(base)
    schema.upgrade(base)
    assert (known[ASSIGNED], apart.ids(TASKS, known)) == (invariants.UNBOUND, ())
    assert known[invariants.VERSION] > before[invariants.VERSION]


def test_a_list_bounded_by_its_own_time_does_not_ask_where_ids_begin(parted, monkeypatch):
    edges = []
    monkeypatch.setattr(Planner, "edge", lambda *asked, **more: edges.append(asked))
    for time in ("startedAt", "completedAt"):
        query = f"{time}=ge(2020-01-01T00:00:00Z)&order=desc({time})&lod=tiny&limit=5"
        assert parted.page("tasks", query)["items"]
    assert not edges
