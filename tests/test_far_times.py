"""Times at the edges of what is accepted, beside work that lasts for months."""

import oracle
import pytest
import reading
import worlds
from reading import Reader

from app import service

DAY = 86_400 * 10**9
BORN = 1_600_000_000 * 10**9


def task(number: int, days: int = 365) -> oracle.Object:
    """A task that waits and runs for `days` each."""
    born = BORN + number * 1000
    return {
        "id": born // 1000, "uuid": worlds.uuid(number), "type": "backup",
        "state": "completed", "result": {"code": "ok"}, "tenant": worlds.TENANTS[15],
        "enqueuedAt": worlds.written(born), "startedAt": worlds.written(born + days * DAY),
        "completedAt": worlds.written(born + 2 * days * DAY),
        "updatedAt": worlds.written(born + 2 * days * DAY),
    }  # fmt: skip


@pytest.fixture
def served(engine, tmp_path):
    """A service with nothing in it."""
    flask_app = reading.served(engine, tmp_path)
    yield flask_app
    service.service_of(flask_app).database.close()


@pytest.fixture
def lasting(served, tmp_path):
    """A reader of tasks that wait and run for a year each."""
    world = {"tasks": [task(number) for number in range(5)], "activities": []}
    reading.load(served, world, tmp_path)
    return Reader(served, world)


def test_what_a_process_remembers_of_times_is_good_until_another_writes(served, engine, tmp_path):
    lasting, later = task(0, days=100), task(300 * DAY // 1000, days=1)
    reading.load(served, {"tasks": [later], "activities": []}, tmp_path)
    reader = Reader(served, {"tasks": [], "activities": []})
    ask = f"startedAt=ge({lasting['startedAt']})&order=asc(id)"
    assert [item["id"] for item in reader.page("tasks", ask)["items"]] == [later["id"]]
    another = reading.served(engine, tmp_path)
    reading.load(another, {"tasks": [lasting], "activities": []}, tmp_path)
    service.service_of(another).database.close()
    ids = [item["id"] for item in reader.page("tasks", ask)["items"]]
    assert ids == [lasting["id"], later["id"]]


@pytest.mark.parametrize("order", ["id", "enqueuedAt", "startedAt", "completedAt"])
@pytest.mark.parametrize("name", ["enqueuedAt", "startedAt", "completedAt"])
@pytest.mark.parametrize("bound", ["ge(1678-01-01)", "le(2261-12-31T23:59:59Z)"])
def test_a_bound_at_the_edge_of_time_is_one(lasting, bound, name, order):
    page = lasting.page("tasks", f"{name}={bound}&order=asc({order})")
    assert [item["id"] for item in page["items"]] == [row["id"] for row in lasting.world["tasks"]]
