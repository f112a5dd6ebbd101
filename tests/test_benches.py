"""The benchmarks' floor is honest: it answers the very items that the service answers."""

import importlib
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import reading

from app import config
from app.catalog.indexes import INDEXES
from app.catalog.tasks import TASKS
from app.database import Database, connect
from app.repository import tenants
from app.repository.lists import listing
from app.repository.lists.query import Query
from app.repository.work import claiming, enqueueing, steps
from app.repository.work.wishes import Wish
from app.service import service_of
from app.vocabulary import Lod, ResultCode
from benches import anchors, data, floor, growing, indexes, uses, work, written
from benches.requests import ROOT

LINES = 80


def test_the_floor_answers_what_the_service_answers(
    blank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKS_DATABASE_URL", blank)
    monkeypatch.delenv("TASKS_SECRET_KEY", raising=False)
    service = reading.served(blank, tmp_path)
    data.load(service_of(service).database, 500, steps=False)
    token = {"Authorization": reading.bearer(service)}
    ours = service.test_client().get(floor.PAGE, headers=token).json["items"]
    theirs = json.loads(b"".join(importlib.reload(floor).app({}, lambda *_: None)))["items"]
    floor.kept.connection.close()
    service_of(service).database.close()
    assert len(theirs) == 100
    assert ours == theirs


@pytest.mark.parametrize("honest", [floor, written], ids=["reading", "writing"])
def test_the_floor_is_one_short_file(honest: Any) -> None:
    assert len(Path(honest.__file__).read_text().splitlines()) <= LINES


TABLES = ("tasks", "task_details", "task_tags", "attempts")
CLAIMED, BEGUN, DONE = (data.NOW + data.DAY + 1000 * n for n in range(3))


def taken_out(database: Database) -> dict[str, list[Any]]:
    """All rows of what is written in a task's life; nothing of it stays."""
    found = {table: database.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}
    for table in reversed(TABLES):
        database.run(f"DELETE FROM {table}")
    return found


def test_the_floor_writes_what_the_service_writes(engine: str, monkeypatch: Any) -> None:
    database = connect(config.load({"TASKS_DATABASE_URL": engine}))
    data.fill(database, "tenants", "id, uuid, parent_id, branch_id, locator, name", data.tenants())
    [order] = work.ordered(database, work.bodies(1))
    [made] = enqueueing.enqueue(database, [order], data.NOW)
    one, before = work.model(database, made.id), taken_out(database)
    [again] = enqueueing.enqueue(database, [replace(order, uuid=before["tasks"][0][1])], data.NOW)
    wish = Wish(("agent-1", "cluster-1"), order.tenant)
    [held] = claiming.claim(database, wish, 1, CLAIMED)
    steps.start(database, held.id, BEGUN, held.fence)
    parts = {"payload": work.PAYLOAD}
    steps.complete(database, held.id, DONE, held.fence, ResultCode.OK, parts, b"d" * 32)
    number, executor = again.id, database.rows("SELECT executor_id FROM attempts")[0][0]
    ours = taken_out(database)
    bare = written.Floor(engine)
    moments = iter((CLAIMED, BEGUN, DONE))
    monkeypatch.setattr(work.clock, "now", lambda: next(moments))
    rows = work.renewed(one, number, before["tasks"][0][1], number * 1000)
    work.live(bare, rows, executor, b"d" * 32)
    bare.connection.close()
    assert taken_out(database) == ours
    database.close()


@pytest.mark.parametrize(("value", "verdict"), [(1.5, "ok"), (1.6, "ok"), (1.7, "OVER")], ids=str)
def test_a_figure_stands_beside_its_bound(value: float, verdict: str) -> None:
    told: Any = anchors.line("page", value).split()
    assert verdict in told
    assert "<=" in told


def test_what_requests_go_along_is_counted(engine: str) -> None:
    """A list by a time goes along its index."""
    database = connect(config.load({"TASKS_DATABASE_URL": engine}))
    plain = database.fetched
    asked = (TASKS, ROOT, lambda chance: "order=desc(completedAt)")
    assert uses.gone_along(database, iter([asked]), 1)["tasks_completed_at"] == 1
    assert database.fetched == plain
    database.close()


def test_every_filter_is_tried_by_every_order() -> None:
    texts = {draw(random.Random(1)) for _, _, draw in uses.pairs()}
    assert {"order=asc(id)", "order=desc(completedAt)"} <= texts
    assert any(text.startswith("parentActivityId=") for text in texts)


def test_what_is_added_to_be_measured_is_taken_back(blank: str) -> None:
    database = connect(config.load({"TASKS_DATABASE_URL": blank}))
    data.load(database, 500, steps=False)
    assert len(list(growing.lines(blank))) == 6
    assert not any(index.name == growing.NAME for index in database.engine.get_indexes("tasks"))
    database.close()


def test_the_table_of_indexes_names_them_all() -> None:
    told = Path("docs/indexes.md").read_text().partition("| index |")[2]
    named = re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)
    assert named == [index.name for index in INDEXES if index.table in indexes.TABLES]


def test_a_rare_tag_is_not_sought_among_all_tasks(blank: str) -> None:
    database = connect(config.load({"TASKS_DATABASE_URL": blank}))
    data.load(database, 20_000, steps=False)
    node = tenants.by_ids(database, [tenants.ROOT])[tenants.ROOT]

    def looked_at(tag: str) -> int:
        asked = Query({"tag": [tag]}, None, Lod.COUNT)
        listing.count(database, TASKS, asked, node, data.NOW)
        with database.examining() as looked:
            listing.count(database, TASKS, asked, node, data.NOW)
        return looked()

    assert looked_at("tag 000150") <= looked_at("tag 000001")
    database.close()
