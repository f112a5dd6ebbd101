"""Rows that came from elsewhere, with larger ids, beside those made here: nothing is lost."""

import time
from functools import partial

import pytest
import reading
import worlds
from reading import BASE, Reader, bearer

from app import service
from app.repository.lists.fetching import Fetcher
from app.repository.lists.planning import Planner

DAY = 86_400 * 10**9


@pytest.fixture
def moved_here(engine, tmp_path):
    """A reader of what another service had, its ids beyond any of ours and in order of time."""
    flask_app = reading.served(engine, tmp_path)
    begin = time.time_ns() - 40 * DAY
    tasks = [
        {
            "id": 2**53 + number, "uuid": worlds.uuid(number), "type": "backup",
            "state": "completed", "result": {"code": "ok"}, "tenant": worlds.TENANTS[15],
            "enqueuedAt": worlds.written(begin + number * DAY // 2),
            "startedAt": worlds.written(begin + number * DAY // 2 + 10**9),
            "completedAt": worlds.written(begin + number * DAY // 2 + 10**10),
            "updatedAt": worlds.written(begin + number * DAY // 2 + 10**10),
        }
        for number in range(60)
    ]  # fmt: skip
    world = {"tasks": tasks, "activities": []}
    reading.load(flask_app, world, tmp_path)
    yield Reader(flask_app, world)
    service.service_of(flask_app).database.close()


def enqueued(reader: Reader, count: int) -> list[int]:
    """The ids of new tasks of our own."""
    headers = {"Authorization": bearer(reader.app, 1, ("issuer",))}
    answers = [
        reader.http.post(f"{BASE}/tasks", json={"type": "backup"}, headers=headers)
        for _ in range(count)
    ]
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json["id"] for answer in answers]


def test_in_order_of_birth_ids_are_walked_as_long_as_they_grow_with_it(moved_here):
    connected = moved_here.service.database
    read = partial(moved_here.walk, "tasks", "order=desc(enqueuedAt)", 7)
    theirs = sorted((item["id"] for item in moved_here.world["tasks"]), reverse=True)
    plans = walked(connected, read)
    assert {words for words, _ in plans} == {"along id"}
    assert [item["id"] for item in plans[0][1]] == theirs
    ours = enqueued(moved_here, 9)
    plans = walked(connected, read)
    assert {words for words, _ in plans} == {"along enqueued_at"}
    assert [item["id"] for item in plans[0][1]] == [*reversed(ours), *theirs]


def walked(connected, read):
    """The words of the plans by which a list is found, each with what was found."""
    best, words = Planner.best, []

    def noted(self):
        plan = best(self)
        words.append(plan.words)
        return plan

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Planner, "best", noted)
        connected.memory.clear()
        items = read()
    return [(one, items) for one in words if one != "nothing"]


@pytest.mark.parametrize("order", ["", "&order=desc(id)", "&order=asc(enqueuedAt)"])
def test_a_bound_on_a_time_loses_neither_ours_nor_theirs(moved_here, order):
    theirs = {item["id"] for item in moved_here.world["tasks"]}
    ours = set(enqueued(moved_here, 3))
    tomorrow, yesterday = (worlds.written(time.time_ns() + days * DAY) for days in (1, -20))
    for name, sign, moment, ids in (
        ("enqueuedAt", "le", tomorrow, theirs | ours),
        ("updatedAt", "lt", tomorrow, theirs | ours),
        ("startedAt", "lt", tomorrow, theirs),
        ("enqueuedAt", "ge", yesterday, {*sorted(theirs)[40:], *ours}),
        ("completedAt", "lt", yesterday, set(sorted(theirs)[:40])),
    ):
        query = f"{name}={sign}({moment}){order}"
        found = {item["id"] for item in moved_here.page("tasks", query)["items"]}
        assert len(found ^ ids) <= (1 if moment == yesterday else 0), query


def test_one_that_is_enqueued_after_ids_were_found_to_grow_is_in_its_place(moved_here, monkeypatch):
    step, ours = Fetcher.step, []

    def late(self, walk, want):
        if self.alone and not ours:
            ours.extend(enqueued(moved_here, 1))
        return step(self, walk, want)

    monkeypatch.setattr(Fetcher, "step", late)
    theirs = sorted((item["id"] for item in moved_here.world["tasks"]), reverse=True)
    page = moved_here.page("tasks", "order=desc(enqueuedAt)&limit=5")
    assert [item["id"] for item in page["items"]] == [*ours, *theirs][:5]
