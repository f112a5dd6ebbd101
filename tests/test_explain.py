"""How lists are found: what `flask explain` tells, and that no list reads a whole table."""

from itertools import product

import pytest
import reading
import worlds
from questions import Asker

from app import service
from app.catalog.activities import ACTIVITIES
from app.catalog.tasks import TASKS

CATALOGS = (TASKS, ACTIVITIES)
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "mysql": "EXPLAIN "}


def test_explain_names_the_plan_its_index_and_what_it_cost(cli):
    told = cli.json("explain", "state=started&order=desc(startedAt)&limit=5")
    assert told["plans"]
    assert told["found"] == 0
    assert told["examined"] >= 0
    assert told["milliseconds"] > 0
    table = cli.run("explain", "order=asc(uuid)", "--collection", "activities").output
    assert "PLAN" in table
    assert "0 items in" in table


@pytest.mark.parametrize("query", ["stat=x", "order=asc(nothing)", "lod=count", "limit=0"])
def test_what_a_list_would_refuse_is_refused_in_a_line(cli, query):
    assert len(cli.refused("explain", query).splitlines()) == 1


@pytest.fixture
def statements(engine, tmp_path):
    """A reader, and the SELECTs that its lists cause, each with its values."""
    flask_app = reading.served(engine, tmp_path)
    reading.load(flask_app, worlds.world(3, 60, 120), tmp_path)
    database = service.service_of(flask_app).database
    run, seen = database.engine.execute_sql, {}

    def noted(sql, values=None, **more):
        if "`t1`.`id`" in sql or '"t1"."id"' in sql:
            seen[sql[sql.index("SELECT") :]] = values
        return run(sql, values, **more)

    database.engine.execute_sql = noted
    yield reading.Reader(flask_app, worlds.world(3, 60, 120)), database, seen
    database.engine.execute_sql = run
    database.close()


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda catalog: catalog.plural)
def test_no_filter_in_any_order_reads_and_sorts_the_table(statements, catalog):
    reader, database, seen = statements
    asker = Asker(catalog.plural, reader.whole, 5)
    fields = [f"{way}({name})" for way, name in product(("asc", "desc"), catalog.order_of)]
    for row, order in product(catalog.filters, fields):
        pairs = [(row.name, asker.entry(row.name)), ("order", order), ("limit", "5")]
        assert reader.get(catalog.plural, asker.raw(pairs)).status_code == 200
    table = catalog.plural
    found = [sql for sql, values in list(seen.items()) if whole(database, table, sql, values)]
    assert len(seen) > 50
    assert found == []


def whole(database, table, sql, values):
    """Whether the engine reads all of `table` and sorts it to answer `sql`."""
    steps = database.rows(EXPLAIN[database.dialect] + sql, values or ())
    if database.dialect == "sqlite":
        words = [step[3] for step in steps]
        return any(word.startswith("SCAN t1") and "INDEX" not in word for word in words) and any(
            "TEMP B-TREE FOR ORDER BY" in word for word in words
        )
    return any(step[2] == "t1" and step[3] == "ALL" and "filesort" in step[-1] for step in steps)
