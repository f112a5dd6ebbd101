"""The demonstration data: every example of the documentation finds something in it."""

import json

import pytest

from app import create_app
from app.catalog.activities import ACTIVITIES
from app.catalog.tasks import TASKS
from app.demo.week import Week
from app.demo.world import World

NOW = 1_790_000_000_123_456_789
TENANT = {"id": "2", "locator": "/1/2/", "name": "Somebody"}


def week(tasks=300, seed=1, now=NOW):
    return [*Week(World([TENANT], tasks), tasks, seed, now).objects()]


def test_the_same_seed_makes_the_same_week():
    assert week() == week()
    assert week() != week(seed=2)


def test_ids_are_unique_and_grow_with_time():
    for plural in ("tasks", "activities"):
        rows = [row for row in week(3_000) if ("taskId" in row) == (plural == "activities")]
        ids = [row["id"] for row in rows]
        assert len(set(ids)) == len(ids)
        born = "enqueuedAt" if plural == "tasks" else "createdAt"
        by_id = sorted(rows, key=lambda row: row["id"])
        assert [row[born] for row in by_id] == sorted(row[born] for row in rows)


def test_every_state_result_and_priority_is_there():
    rows = week(5_000)
    assert {row["state"] for row in rows} == {
        "enqueued", "assigned", "started", "paused", "completed"
    }  # fmt: skip
    assert {row["result"]["code"] for row in rows if "result" in row} == {
        "ok", "error", "warning", "cancelled", "abandoned", "timedout"
    }  # fmt: skip


def test_a_second_demonstration_is_as_large_and_adds_nothing_to_the_tasks_of_the_first(cli):
    def first() -> list[str]:
        lines = cli.run("export").stdout.splitlines()
        return [line for line in lines if json.loads(line).get("taskId") == 1]

    assert cli.json("demo", "--tasks", "3")["tasks"] == 3
    activities = first()
    assert cli.json("demo", "--tasks", "3")["tasks"] == 3
    assert first() == activities


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An application with the demonstration of a first start, and a token's headers."""
    folder = tmp_path_factory.mktemp("demo")
    app = create_app({
        "TASKS_DATABASE_URL": f"sqlite:///{folder}/tasks.db",
        "TASKS_INSTANCE_PATH": str(folder),
        "TASKS_SQLITE_SYNCHRONOUS": "NORMAL",
    })  # fmt: skip
    run = app.test_cli_runner().invoke
    assert run(args=["db", "upgrade"]).exit_code == 0
    made = json.loads(run(args=["demo", "--tasks", "1000", "--json"]).stdout)
    assert made["tasks"] == 1000
    client = app.test_client()
    answer = client.post("/api/2/idp/token", data={
        "grant_type": "client_credentials",
        "client_id": made["client_id"], "client_secret": made["client_secret"],
    })  # fmt: skip
    by_password = client.post("/api/2/idp/token", data={
        "grant_type": "password", "username": made["login"], "password": made["password"],
    })  # fmt: skip
    assert by_password.status_code == 200
    return client, {"Authorization": f"Bearer {answer.json['access_token']}"}


EXAMPLES = [(catalog, row) for catalog in (TASKS, ACTIVITIES) for row in catalog.filters]


@pytest.mark.parametrize(
    ("catalog", "row"), EXAMPLES, ids=[f"{catalog.plural} {row.name}" for catalog, row in EXAMPLES]
)
def test_the_example_of_every_filter_finds_something(served, catalog, row):
    client, headers = served
    answer = client.get(
        f"/api/task_manager/v2/{catalog.plural}",
        query_string={row.name: row.example, "limit": 1}, headers=headers,
    )  # fmt: skip
    assert answer.status_code == 200, answer.json
    assert answer.json["size"] == 1
