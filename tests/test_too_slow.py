"""A list or count that would take too long is given up: no worker is stuck with it."""

import logging
from contextlib import closing
from time import monotonic

import pytest
import reading
import worlds

from app import config, database, service
from app.errors import QueryTooSlow

ENDLESS = {
    "sqlite": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT COUNT(*) FROM n""",
    "mysql": """SELECT COUNT(*) FROM information_schema.collations a,
        information_schema.collations b, information_schema.collations c,
        information_schema.collations d""",
}


def test_a_statement_without_an_end_is_stopped(engine):
    given = {"TASKS_DATABASE_URL": engine, "TASKS_QUERY_SECONDS": 1}
    with closing(database.connect(config.load(given))) as connected:
        began = monotonic()
        with pytest.raises(QueryTooSlow), connected.bounded():
            connected.rows(ENDLESS[connected.dialect])
        assert 0.9 < monotonic() - began < 20
        assert connected.rows("SELECT id FROM tenants") == [(1,)]


@pytest.mark.parametrize("ask", ["order=desc(startedAt)", "type=backup", "type=backup&lod=count"])
def test_what_is_given_up_is_answered_503_with_its_plan_in_the_log(engine, tmp_path, caplog, ask):
    flask_app = reading.served(engine, tmp_path)
    reading.load(flask_app, worlds.world(1, 20, 0), tmp_path)
    reader = reading.Reader(flask_app, {"tasks": [], "activities": []})
    with closing(service.service_of(flask_app).database) as connected:
        assert reader.get("tasks", ask).status_code == 200
        connected.query_seconds = 0
        with caplog.at_level(logging.WARNING, "app.lists"):
            answer = reader.get("tasks", ask)
        assert (answer.status_code, answer.json["code"]) == (503, "query_too_slow")
        assert int(answer.headers["Retry-After"]) > 0
        (facts,) = (row.facts for row in caplog.records if row.name == "app.lists")
        assert facts["collection"] == "tasks"
        assert facts["plans"]
        connected.query_seconds = 5
        assert reader.get("tasks", ask).status_code == 200
