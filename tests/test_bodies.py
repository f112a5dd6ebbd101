"""Bodies that are not what they should be: told in full, and nothing changed."""

import json

import pytest
from writers import Writer

from app import clock
from app.api import places

BIG = 64 * 1024


@pytest.fixture(scope="module")
def writer(sqlite_engine, tmp_path_factory):
    url = sqlite_engine.fresh()
    made = Writer(url, tmp_path_factory.mktemp("bodies"))
    yield made
    made.close()
    sqlite_engine.forget(url)


def nested(depth):
    return b'{"type":"t","argument":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


RAW = {
    "truncated": b'{"type": "t"',
    "not JSON": b"type=t",
    "a list": b"[]",
    "a string": b'"t"',
    "null": b"null",
    "two values": b'{"type":"t"}{}',
    "a name twice": b'{"type":"t","type":"t"}',
    "a name twice inside": b'{"type":"t","argument":{"a":{"b":1,"b":1}}}',
    "NaN": b'{"type":"t","argument":NaN}',
    "Infinity": b'{"type":"t","argument":[-Infinity]}',
    "an infinite double": b'{"type":"t","argument":1e999}',
    "not UTF-8": b'{"type":"\xff"}',
    "UTF-16": '{"type":"t"}'.encode("utf-16"),
    "a lone surrogate": b'{"type":"t","argument":"\\ud800"}',
    "a lone surrogate as a name": b'{"type":"t","argument":{"\\udfff":1}}',
    "nested too deeply": nested(65),
    "nested far too deeply": nested(100_000),
    "an endless number": b'{"type":"t","argument":' + b"9" * 70_000 + b"}",
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
@pytest.mark.parametrize("path", ["tasks", "tasks/bulk", "tasks/claim"])
def test_what_is_not_strictly_a_json_object_is_refused(writer, raw, path):
    answer = writer.call("POST", path, raw)
    assert answer.status_code == 400, answer.text
    assert answer.json["code"] == "bad_request"
    assert answer.json["errors"][0]["parameter"] == "body"
    assert writer.call("GET", "tasks?lod=count").json["count"] == 0


def refused(writer, body, path="tasks"):
    answer = writer.call("POST", path, body)
    assert answer.status_code == 400, answer.text
    return {row["parameter"]: row["message"] for row in answer.json["errors"]}


def test_a_name_without_letters_is_not_the_body(writer):
    assert "body" not in refused(writer, {"type": "t", "": 1})


FIELDS = [
    ("type", ["", 1, None, "x" * 257, ["t"]]),
    ("queue", ["", 1, "x" * 257]),
    ("priority", ["", "High", "urgent", 3]),
    ("uuid", ["", "x", 1, "0016750a-ee56-49e6-bf59-7c768c9869a"]),
    ("startedByUser", ["x" * 257, 1]),
    ("workflowId", [0, -1, 2**63, 1.0, "1", True]),
    ("tags", ["x", [""], [1], ["x" * 129], ["x"] * 33]),
    ("context", [[], "x", 1, None, {"x": "y" * BIG}]),
    ("argument", [None, "y" * (BIG - 1), ["ü" * (BIG // 2)]]),
    ("cancellable", [0, 1, "true", None]),
    ("notBefore", [1, "", "tomorrow", "1600-01-01", "2020-01-01T00:00:00"]),
    ("queueTimeout", [0, -1, "1", True, 1e-10, 10**20, None]),
    ("maxAssignCount", [0, 1.5, "1", 2**31]),
    ("policy", ["p", [], None]),
    ("tenant", ["x", {}]),
]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in FIELDS for value in values],
    ids=lambda value: str(value)[:20],
)
def test_a_wrong_field_is_named(writer, name, value):
    [place] = refused(writer, {"type": "t", name: value})
    assert place.split("[")[0].split(".")[0] == name


def test_all_faults_are_told_at_once_with_their_places(writer):
    body = {"policy": {"id": 1, "nam": "x"}, "affinity": {"agent": "x"}, "prioritty": "low",
            "tags": ["ok", 2]}  # fmt: skip
    places = refused(writer, body, "tasks?lod=huge&x=1")
    assert set(places) == {"type", "policy.id", "policy.nam", "affinity.agent", "prioritty",
                           "tags[1]", "lod", "x"}  # fmt: skip
    assert "did you mean 'name'?" in places["policy.nam"]
    assert "did you mean 'priority'?" in places["prioritty"]


def test_limits_are_met_exactly(writer):
    part = {"x": "y" * (BIG - len('{"x":""}'))}
    body = {"type": "x" * 256, "context": part, "argument": "y" * (BIG - 2),
            "tags": ["x" * 128] * 32, "queueTimeout": 1e-9}  # fmt: skip
    answer = writer.call("POST", "tasks", body)
    assert answer.status_code == 201
    assert (answer.json["context"], answer.json["queueTimeout"]) == (part, 1e-9)
    deep = writer.call("POST", "tasks", nested(64))
    assert deep.status_code == 201
    long = writer.call("POST", "tasks", b'{"type":"t","argument":' + b"9" * 60_000 + b"}")
    assert long.status_code == 201
    assert b"9" * 60_000 in long.data
    writer.database.run("DELETE FROM tasks")


@pytest.mark.parametrize(
    ("path", "limit"), [("tasks", 1 << 20), ("tasks/claim", 1 << 20), ("tasks/bulk", 16 << 20)]
)
def test_a_body_has_a_limit_that_comes_before_its_type_and_content(writer, path, limit):
    big = writer.call("POST", path, b"x" * (limit + 1), content_type="text/plain")
    assert (big.status_code, big.json["code"]) == (413, "body_too_large")
    other = writer.call("POST", path, b"x" * limit, content_type="text/plain")
    assert (other.status_code, other.json["code"]) == (415, "unsupported_media_type")
    assert refused(writer, b"x" * limit, path)


@pytest.mark.parametrize("kind", ["text/json", "application/x-www-form-urlencoded", "", "json"])
def test_another_content_type_is_refused(writer, kind):
    answer = writer.call("POST", "tasks", b'{"type":"t"}', content_type=kind)
    assert answer.status_code == 415


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_be_said_in_other_ways(writer, kind):
    answer = writer.call("POST", "tasks", b'{"type":""}', content_type=kind)
    assert answer.status_code == 400


BODIES = [
    ("started", {"x": 1}, {"x"}),
    ("progress", {}, {"progress"}),
    ("progress", {"progress": []}, {"progress"}),
    ("progress", {"progress": {}, "context": 1}, {"context"}),
    ("enqueued", {"delay": -1, "failed": 1, "reason": 2}, {"delay", "failed", "reason"}),
    ("enqueued", {"reason": "x" * 257}, {"reason"}),
    ("completed", {}, {"result"}),
    ("completed", {"result": {}}, {"result.code"}),
    ("completed", {"result": {"code": "fine", "warnings": {}, "error": "x", "payload": None}},
     {"result.code", "result.warnings", "result.error", "result.payload"}),
    ("cancelRequested", {"grace": 86_401}, {"grace"}),
    ("restored", {"x": 1}, {"x"}),
]  # fmt: skip


@pytest.mark.parametrize(("step", "body", "places"), BODIES)
def test_a_wrong_body_of_a_step_is_told_before_whether_the_task_is_there(
    writer, step, body, places
):
    answer = writer.step(4, step, "x", body, "admin")
    assert answer.status_code == 400
    assert {row["parameter"] for row in answer.json["errors"]} == places


def test_the_missing_lease_is_told_with_the_faults_of_the_body(writer):
    answer = writer.step(4, "progress", None, {"progres": 1})
    places = {row["parameter"] for row in answer.json["errors"]}
    assert places == {"Lease-Token", "progress", "progres"}


def test_an_absent_body_is_an_empty_one(writer):
    assert writer.step(4, "started", "x").status_code == 404
    assert set(refused(writer, b"")) == {"type"}


@pytest.mark.parametrize("raw", [b"", b'{"type":"t"}', b"{"])
def test_a_body_that_breaks_off_is_not_taken_for_a_shorter_one(writer, raw):
    """What is lost may have said the contrary; an empty rest would be `{}`."""
    said = {"CONTENT_LENGTH": str(len(raw) + 5), "wsgi.input_terminated": True}
    answer = writer.call("POST", "tasks", raw, environ_overrides=said)
    assert answer.status_code == 400
    assert [row["parameter"] for row in answer.json["errors"]] == ["body"]
    assert writer.call("GET", "tasks?lod=count").json["count"] == 0


def test_values_are_cut_at_a_hundred_characters(writer):
    answer = writer.call("POST", "tasks", {"type": "t", "priority": "x" * 5000})
    assert len(answer.json["errors"][0]["value"]) == 100
    assert len(json.dumps(answer.json)) < 2000


def test_long_numbers_are_not_read_for_minutes(writer):
    long = int("9" * 20_000)
    assert refused(writer, {"type": "t", "argument": {"many": [long] * 4}}) == {
        "body": "the body has numbers of more than 300 digits with over 66,000 in all"
    }
    task = writer.call("POST", "tasks", {"type": "t", "argument": {"some": [long] * 3}}).json
    assert task["argument"] == {"some": [long] * 3}


def test_what_has_no_fields_or_parameters_says_so(writer):
    answer = writer.call("DELETE", "tasks/1?lod=tiny", {"force": True})
    assert [fault["message"] for fault in answer.json["errors"]] == [
        "bad condition field 'lod': none is accepted",
        "bad field 'force': none is accepted",
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [({"_schema": 1}, "_schema"), ({"policy": {"_schema": []}}, "policy._schema")],
)
def test_a_field_may_have_any_name_and_is_refused_by_it(writer, body, place):
    assert refused(writer, {"type": "t", **body}) == {
        place: writer.call("POST", "tasks", {"type": "t", **body}).json["errors"][0]["message"]
    }


def test_a_body_of_nothing_but_faults_gets_an_answer_of_bounded_length(writer):
    body = {f"n{number}": 0 for number in range(20_000)}
    answer = writer.call("POST", "tasks", {"type": "t", **body})
    assert answer.status_code == 400
    assert len(answer.json["errors"]) == places.TOLD
    assert len(answer.data) < 4 << 20
    answer = writer.call("POST", "tasks", {"type": "t", "x" * 900_000: 0})
    assert answer.status_code == 400
    assert len(answer.data) < 4_096


def test_a_name_that_comes_twice_among_many_is_found_at_once(writer):
    names = ",".join(f'"n{number}":0' for number in range(40_000))
    began = clock.monotonic()
    answer = writer.call("POST", "tasks", f'{{{names},"n39999":1}}'.encode())
    assert (answer.status_code, answer.json["errors"][0]["value"]) == (400, "n39999")
    assert clock.monotonic() - began < 2
