"""Times at the edges of what is accepted, beside work that lasts for months."""

import pytest
import reading
import worlds
from reading import Reader

from app import service

DAY = 86_400 * 10**9
BORN = 1_600_000_000 * 10**9


@pytest.fixture
def lasting(engine, tmp_path):
    """A reader of tasks that wait and run for a year each."""
    flask_app = reading.served(engine, tmp_path)
    tasks = [
        {
            "id": BORN // 1000 + number, "uuid": worlds.uuid(number), "type": "backup",
            "state": "completed", "result": {"code": "ok"}, "tenant": worlds.TENANTS[15],
            "enqueuedAt": worlds.written(BORN + number * 1000),
            "startedAt": worlds.written(BORN + number * 1000 + 365 * DAY),
            "completedAt": worlds.written(BORN + number * 1000 + 730 * DAY),
            "updatedAt": worlds.written(BORN + number * 1000 + 730 * DAY),
        }
        for number in range(5)
    ]  # fmt: skip
    world = {"tasks": tasks, "activities": []}
    reading.load(flask_app, world, tmp_path)
    yield Reader(flask_app, world)
    service.service_of(flask_app).database.close()


@pytest.mark.parametrize("order", ["id", "enqueuedAt", "startedAt", "completedAt"])
@pytest.mark.parametrize("name", ["enqueuedAt", "startedAt", "completedAt"])
@pytest.mark.parametrize("bound", ["ge(1678-01-01)", "le(2261-12-31T23:59:59Z)"])
def test_a_bound_at_the_edge_of_time_is_one(lasting, bound, name, order):
    page = lasting.page("tasks", f"{name}={bound}&order=asc({order})")
    assert [item["id"] for item in page["items"]] == [row["id"] for row in lasting.world["tasks"]]
