"""What a task and an activity look like: each attribute at each level, as the document says."""

import json
import re
from itertools import pairwise
from typing import Any

import jsonschema_rs
import oracle
import pytest
import reading
from oracle_grammar import LEVELS

COLLECTIONS = ("tasks", "activities")
OPEN = ("context", "argument", "payload", "error")
"""Members that hold what callers put there."""


def paths(value: Any, open_too: bool = False, path: str = "") -> list[tuple[str, Any]]:
    """Every path in a JSON value with what stands there, callers' own content left out."""
    if isinstance(value, dict):
        kept = [(name, part) for name, part in value.items() if open_too or name not in OPEN]
        return [row for name, part in kept for row in paths(part, open_too, f"{path}.{name}")]
    if isinstance(value, list) and value:
        return [row for part in value for row in paths(part, open_too, f"{path}[]")]
    return [(path, value)]


@pytest.mark.parametrize("lod", [None, *LEVELS])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_one_object_is_shown_as_the_list_shows_it(reader, collection, lod):
    query = f"lod={lod}" if lod else ""
    for item in reader.whole[collection][::4]:
        expected = oracle.shown(collection, item, lod or "long")
        answer = reader.get(f"{collection}/{item['id']}", f"{query}&allow_deleted=1".lstrip("&"))
        assert json.loads(answer.data) == expected


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_each_level_holds_the_former(reader, collection):
    pages = [reader.page(collection, f"lod={lod}")["items"] for lod in LEVELS]
    for fewer, more in pairwise(pages):
        for less, item in zip(fewer, more, strict=True):
            assert less.keys() <= item.keys()
            assert all(item[name] == less[name] for name in less if name != "result")


@pytest.mark.parametrize("lod", LEVELS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_answers_are_one_line_without_nulls_and_with_nine_digits(reader, collection, lod):
    answer = reader.get(collection, f"lod={lod}&allow_deleted=true")
    assert answer.content_type == "application/json"
    assert b"\n" not in answer.data
    assert b"\r" not in answer.data
    for path, value in paths(json.loads(answer.data)):
        assert value is not None or "warnings" in path or "progress" in path, path
        if re.search(r"(At|timeStamp|notBefore)$", path):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value), path


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_ids_are_numbers_with_a_twin_of_digits(reader, collection):
    items = reader.page(collection, "lod=debug")["items"]
    for item in items:
        assert all(
            item[f"{name}String"] == str(item[name]) for name in oracle.NUMBERS if name in item
        )
        assert item["tenant"]["id"].isdigit()
    assert any(item["id"] > 2**53 for item in items)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_what_callers_put_in_comes_back_as_it_went_in(reader, collection):
    for item in reader.world[collection]:
        kept = [item.get("context"), item.get("argument"), item.get("result", {}).get("payload")]
        answer = reader.get(f"{collection}/{item['id']}", "lod=full&allow_deleted=1")
        for value in filter(None, kept):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            assert text in answer.text
        shown = json.loads(answer.data)
        for name in ("argument", "progress"):
            assert (name in shown) == (name in item)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_only_debug_shows_what_is_meant_for_debugging(reader, collection):
    hidden = 0
    for item in reader.world[collection]:
        if "debug" in item.get("result", {}).get("error", {}):
            hidden += 1
            for lod in LEVELS:
                query = f"lod={lod}&allow_deleted=1"
                error = reader.get(f"{collection}/{item['id']}", query).json["result"].get("error")
                assert (error is not None) == (lod in LEVELS[2:])
                assert lod in LEVELS[:2] or ("debug" in error) == (lod == "debug")
    assert hidden


def document(reader) -> dict[str, Any]:
    """The OpenAPI document."""
    answer = reader.http.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def schema_of(reader, path: str, status: str = "200") -> dict[str, Any]:
    """The JSON schema that the document gives for the answer to a GET."""
    whole = document(reader)
    response = whole["paths"][f"{reading.BASE}/{path}"]["get"]["responses"][status]
    if "$ref" in response:
        response = whole["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return {**next(iter(response["content"].values()))["schema"], "components": whole["components"]}


def single(reader, collection: str) -> str:
    """The documented path of one object, below the base path."""
    begin = f"{reading.BASE}/{collection}/{{"
    found = [name for name in document(reader)["paths"] if name.startswith(begin)]
    return found[0].removeprefix(f"{reading.BASE}/")


@pytest.mark.parametrize("lod", LEVELS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_answers_fit_the_documented_schema(reader, collection, lod):
    listed = jsonschema_rs.validator_for(schema_of(reader, collection))
    query = f"lod={lod}&limit=100&allow_deleted=true"
    listed.validate(reader.get(collection, query).json)
    one = jsonschema_rs.validator_for(schema_of(reader, single(reader, collection)))
    for item in reader.world[collection][::9]:
        one.validate(reader.get(f"{collection}/{item['id']}", f"lod={lod}&allow_deleted=1").json)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_document_promises_what_is_always_there(reader, collection):
    schemas = document(reader)["components"]["schemas"]
    kind = {"tasks": "Task", "activities": "Activity"}[collection]
    required = {"items", "size", "timeStamp", "paging"}
    assert set(schemas[f"{kind}Page"]["required"]) == required
    assert schemas[f"{kind}Paging"]["required"] == ["cursors"]
    tiny = reader.page(collection, "lod=tiny&allow_deleted=1")["items"]
    assert set(schemas[kind]["required"]) == set.intersection(*map(set, tiny))


@pytest.mark.parametrize("query", ["lod=count", "lod=count&state=started&order=desc(id)&limit=3"])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_count_fits_the_documented_schema(reader, collection, query):
    answer = reader.get(collection, query)
    jsonschema_rs.validator_for(schema_of(reader, collection)).validate(answer.json)
    assert answer.json["count"] == answer.json["size"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [("tasks", "state=startd&foo=1", "400"), ("activities/1", "lod=count", "400"),
     ("tasks/3", "", "404"), ("activities/x", "", "404")],
)  # fmt: skip
def test_refusals_fit_the_documented_schema(reader, path, query, status):
    collection, _, key = path.partition("/")
    schema = schema_of(reader, single(reader, collection) if key else collection, status)
    jsonschema_rs.validator_for(schema).validate(reader.get(path, query).json)


def test_a_get_with_a_content_type_and_no_body_is_normal(reader):
    for path in COLLECTIONS:
        answer = reader.get(path, "limit=2", headers={"Content-Type": "application/json"})
        assert answer.status_code == 200
