"""Lists over HTTP against the model: filters, orders, levels, pages, tenants, on both engines."""

import random

import busy_world
import oracle_grammar
import pytest
import reading
import worlds
from oracle import moment
from questions import Asker

from app import service

SEEDS = range(5)
BUSY = 25
TEMPERED = 30
UNSORTED = {
    "portions.SMALL": -1, "portions.MANY": 0, "portions.TOGETHER": 1, "planning.ENOUGH": -1,
}  # fmt: skip
FREE = {
    "costs.STATEMENT": 0, "costs.POSTED": 0, "costs.ASKED": 0, "planning.POSTED": 0,
    "planning.ASKED": 0,
}  # fmt: skip
TEMPERS = {
    "nothing sorted here": UNSORTED,
    "everything sorted here": {"portions.BY_VALUE": 1e9},
    "names three at a time": {"portions.SMALL": -1, "portions.BY_VALUE": 0, "portions.TOGETHER": 3},
    "walks dear, names one by one": {**UNSORTED, "costs.STEP": 1e4, "naming.NAMES": 1},
    "gathering dear": {**UNSORTED, "planning.SORTED": 1e4, "planning.STATEMENT": 0},
    "rows dear, ids cheap": {
        **UNSORTED, "planning.DEAR": -1, "bounding.NEARBY": 2, **FREE,
        "costs.STEP": 1e4, "costs.SCANNED": 1e6},
    "rows dear, ids cheap, nothing sorted": {
        **UNSORTED, "planning.DEAR": -1, "bounding.NEARBY": 2, **FREE,
        "costs.STEP": 1e4, "costs.SCANNED": 1e6, "planning.SORTED": 1e7},
    "statements dear, nothing counted": {
        **UNSORTED, "planning.STATEMENT": 1e6, "estimating.FEW": 0},
    "entries and tenants too many to list": {
        "filtering.MOST_ENTRIES": 0, "filtering.MOST_TENANTS": 0, "dictionaries.REMEMBERED": 1},
    "entries and tenants all looked up together": {
        "filtering.MOST_ENTRIES": 0, "filtering.MOST_TENANTS": 0, "plans.SINGLY": -1},
    "one walk at a time": {
        "portions.SMALL": 5, "planning.BRANCHES": 1, "estimating.COUNTED": 1},
}  # fmt: skip
"""What the planner weighs with, so set that it takes other ways than it would."""
REQUESTS = 100
PAGES = 9
TENANTS = (1, 1, 1, 15, 210, 3000, 150, 2**40)
COLLECTIONS = ("tasks", "activities")


@pytest.fixture
def busy(engine, tmp_path):
    """A reader of thousands of rows in good order; on each engine."""
    flask_app = reading.served(engine, tmp_path)
    world = busy_world.world()
    reading.load(flask_app, world, tmp_path)
    yield reading.Reader(flask_app, world)
    service.service_of(flask_app).database.close()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_list_is_what_the_model_says(reader, collection, seed):
    asker = Asker(collection, reader.whole, seed)
    for _ in range(REQUESTS):
        check(reader, collection, asker.raw(asker.pairs()), asker.random)


@pytest.mark.parametrize("temper", TEMPERS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_whatever_way_the_planner_goes_the_answer_is_the_same(
    reader, collection, temper, monkeypatch
):
    for name, value in TEMPERS[temper].items():
        room = "" if name.startswith("dictionaries") else ".lists"
        monkeypatch.setattr(f"app.repository{room}.{name}", value)
    asker = Asker(collection, reader.whole, temper)
    # Statements that were compiled with other numbers are forgotten, before and after.
    reader.service.database.memory.clear()
    for _ in range(TEMPERED):
        check(reader, collection, asker.raw(asker.pairs()), asker.random)
    reader.service.database.memory.clear()


def check(reader, collection: str, raw: bytes, chance: random.Random) -> None:
    """A request is answered as the model says, whole, by pages, or counted."""
    ask = oracle_grammar.read(collection, raw)
    tenant = chance.choice(TENANTS)
    if ask.lod == "count":
        ask.lod = "tiny"
        count = len(reader.expected(collection, ask, tenant))
        answer = reader.get(collection, raw, tenant).json
        del answer["timeStamp"]
        none = {"items": [], "paging": {"cursors": {}}}
        assert answer == {"count": count, "size": count, **none}, (tenant, raw)
        return
    expected = reader.expected(collection, ask, tenant)
    limit = max(chance.choice((1, 2, 3, 10, 1000)), -(-len(expected) // PAGES))
    if chance.random() < 0.3:
        body = reader.page(collection, raw, tenant)
        assert ("after" in body["paging"]["cursors"]) == (len(expected) > 1000), raw
        assert body["items"] == expected[:1000], (tenant, raw)
    else:
        assert reader.walk(collection, raw.decode(), limit, tenant) == expected, (tenant, raw)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_list_of_thousands_is_what_the_model_says(busy, collection):
    asker = Asker(collection, busy.whole, "busy")
    asker.moments = [moment(item["updatedAt"]) for item in asker.items[::50]]
    for _ in range(BUSY):
        pairs = asker.pairs()
        named = {name for name, _ in pairs}
        # Rather few columns, for these lists are long.
        asked = [*pairs, ("lod", "tiny")] if "lod" not in named else pairs
        check(busy, collection, asker.raw(asked), asker.random)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_each_filter_finds_what_each_object_has_and_leaves_the_rest(reader, collection):
    asker = Asker(collection, reader.whole, 77)
    for name in asker.filters:
        for _ in range(6):
            check(reader, collection, asker.raw(asker.filter(name)), asker.random)


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    ("collection", "field"),
    [(name, field) for name in COLLECTIONS for field in oracle_grammar.ORDERS[name]],
)
def test_each_order_puts_missing_values_first_and_ties_by_id(reader, collection, field, direction):
    query = f"order={direction}({field})&lod=tiny"
    ask = oracle_grammar.read(collection, query.encode())
    assert reader.walk(collection, query, 37) == reader.expected(collection, ask)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_pages_of_one_hold_everything_once_in_any_order(reader, collection):
    for order in ("asc(startedAt),desc(type)", "desc(state),asc(updatedAt)", "desc(startedByUser)"):
        query = f"order={order}&lod=tiny&state=started&state=completed"
        ask = oracle_grammar.read(collection, query.encode())
        expected = reader.expected(collection, ask, 210)
        assert reader.walk(collection, query, 1, 210) == expected


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_pair_of_order_fields_agrees(reader, collection):
    fields = oracle_grammar.ORDERS[collection]
    chance = random.Random(collection)
    for first in fields:
        for second in fields:
            if first != second:
                ways = chance.choices(("asc", "desc"), k=2)
                query = f"order={ways[0]}({first}),{ways[1]}({second})&lod=tiny&allow_deleted=1"
                ask = oracle_grammar.read(collection, query.encode())
                assert reader.page(collection, query)["items"] == reader.expected(collection, ask)


def test_the_worlds_hold_what_the_questions_are_about(reader):
    tasks = reader.world["tasks"]
    assert {item["tenant"]["id"] for item in tasks} == {str(number) for number in worlds.PATHS}
    assert any(item["id"] > 2**53 for item in tasks)
    assert any("deletedAt" in item for item in tasks)
    assert any("startedAt" not in item for item in tasks)
