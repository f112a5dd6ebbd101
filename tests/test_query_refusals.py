"""Every way in which a query can be wrong is a 400 that names the parameter, value and remedy."""

from unittest.mock import ANY
from urllib.parse import quote

import oracle_grammar
import pytest
from reading import faults

WORDS = {
    "number": ["0", "-1", "+1", "1.0", "1e3", "1_000", "abc", "٣", "９", "9223372036854775808",
               "1" * 20, "0x10", "1,2"],
    "uuid": ["0016750aee5649e6bf597c768c9869ac", "{0016750a-ee56-49e6-bf59-7c768c9869ac}",
             "0016750g-ee56-49e6-bf59-7c768c9869ac", "0016750a-ee56-49e6-bf59-7c768c9869ac0",
             "٣016750a-ee56-49e6-bf59-7c768c9869ac"],
    "text": [],
    "word": [],
    "like": ["like()"],
    "state": ["startd", "Started", "started,paused", "1", "failed"],
    "priority": ["belownormal", "urgent", "3", "High"],
    "result": ["OK", "success", "timeout"],
    "time": [
        "yesterday", "gt(yesterday)", "gt()", "gt", "GT(2020-04-22)", "eq(2020-04-22)",
        "gt( 2020-04-22)", "gt (2020-04-22)", "gt(2020-04-22", "like(2020-04-22)", "isnull",
        "isnull(1)", "notnull", "ISNULL()", "between(2020-04-22)", "between(2020-04-23,2020-04-22)",
        "between(2020-04-22,2020-04-22)", "between(2020-04-22, 2020-04-23)", "between(,)",
        "2020-04-22T11:00:00", "2020-04-22T11:00Z", "2020-04-22 11:00:00Z", "2020-04-31",
        "2020-04-22T11:00:60Z", "2020-04-22T24:00:00Z", "2020-04-22T11:00:00,5Z", "2020-W17-3",
        "2020-04-22T11:00:00.1234567890Z", "2020-04-22T11:00:00.Z", "2020-04-22T11:00:00+0530",
        "2020-04-22T11:00:00+24:00", "20200422110", "20200422T110000Z", "-1", "-1ns",
        "1677-12-31", "2262-01-01", "9999999999", "9214646400000000000ns", "1.5", "1587553200s",
        "1677-12-31T23:59:59.999999999Z", "2261-12-31T23:00:00-01:00", "٢٠٢٠-04-22",
        "Thu, 22 Apr 2020 11:00:00 GMT", "Wed, 22 Apr 2020 11:00:00 UTC", "Wed, 31 Apr 2020 1:0:0",
        "Thursday, 22-Apr-20 11:00:00 GMT", "Wed, 22-Apr-20 11:00:00 GMT",
        "Thu Apr 22 11:00:00 2020", "Wed Apr 22 11:00:00 UTC 2020", "wed apr 22 11:00:00 2020",
    ],
    "flag": ["True", "yes", "on", "2", "TRUE", "null"],
    "level": ["Short", "huge", "tiny,short"],
    "limit": ["0", "1001", "1000000", "-1", "ten", "1.0", "٣", "+5"],
    "token": [],
    "order": ["id", "asc(queue)", "asc(ID)", "ASC(id)", "asc( id )", "up(id)", "asc(id),",
              ",asc(id)", "asc(id),asc(id)", "asc(id),desc(id)", "asc(id)desc(type)", "-id",
              "asc()", "asc(id), desc(type)"],
}  # fmt: skip
"""What each kind of parameter refuses, beyond what all of them refuse."""
ALWAYS = ("", "\0", "a\0b", "x" * 1025, "é" * 1025)
GOOD = {
    "number": "7", "uuid": "0016750A-EE56-49e6-bf59-7c768c9869ac", "text": "a b",
    "word": "x" * 1024, "like": "like(())", "state": "paused", "priority": "belowNormal",
    "result": "timedout",
    "time": "ne(1587553200)", "flag": "1", "level": "debug", "limit": "1000",
    "order": "asc(id),desc(type)",
}  # fmt: skip
COLLECTIONS = ("tasks", "activities")
PARAMETERS = [(name, parameter) for name in COLLECTIONS for parameter in oracle_grammar.KINDS[name]]


@pytest.fixture
def reader(sqlite_reader):
    """Bad input is refused before any engine is asked: one will do."""
    return sqlite_reader


@pytest.mark.parametrize(("collection", "name"), PARAMETERS)
def test_a_parameter_refuses_what_it_cannot_read(reader, collection, name):
    kind = oracle_grammar.KINDS[collection][name]
    beside = "&limit=5" if name == "after" else ""
    for value in (*WORDS[kind], *(ALWAYS if name != "after" else ALWAYS[:3])):
        found = reader.errors(collection, f"{name}={quote(value, safe='(),:')}{beside}")
        assert [fault["parameter"] for fault in found] == [name], value
        assert found[0]["value"] == value[:100]
        assert name in found[0]["message"]
        assert set(found[0]) == {"parameter", "value", "message"}


@pytest.mark.parametrize(("collection", "name"), [row for row in PARAMETERS if row[1] != "after"])
def test_a_parameter_reads_what_it_should(reader, collection, name):
    value = GOOD[oracle_grammar.KINDS[collection][name]]
    assert reader.get(collection, f"{name}={quote(value)}").status_code == 200


@pytest.mark.parametrize(("collection", "name"), PARAMETERS)
def test_a_single_parameter_is_refused_twice_and_the_others_are_not(reader, collection, name):
    kind = oracle_grammar.KINDS[collection][name]
    value = GOOD.get(kind, "x" * 20)
    again = value if kind != "order" else "desc(state)"
    query = f"{name}={quote(value)}&{name}={quote(again)}" + "&limit=5" * (name == "after")
    if kind in oracle_grammar.SINGLE:
        found = reader.errors(collection, query)
        assert {fault["parameter"] for fault in found} == {name}
        assert "single" in found[0]["message"]
    else:
        assert reader.get(collection, query).status_code == 200


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ("ge(2020-04-22) lt(2020-04-23T00:00:00.5Z)", "2020-04-22,2020-04-23T00:00:00.5Z"),
        ("lt(1587553200) ge(1587553199)", "1587553199,1587553200"),
        ("gt(2020-04-22) lt(2020-04-23)", "2020-04-22T00:00:00.000000001Z,2020-04-23"),
        ("ge(2020-04-22) le(2020-04-23)", "2020-04-22,2020-04-23T00:00:00.000000001Z"),
        ("gt(1ns) le(2ns)",
         "1970-01-01T00:00:00.000000002Z,1970-01-01T00:00:00.000000003Z"),
        ("ge(2020-04-22) lt(2020-04-25) ne(2020-04-23)", "2020-04-22,2020-04-25"),
        ("ge(2020-04-22) le(2261-12-31T23:59:59.999999999Z)", "2020-04-22,TO"),
        ("lt(2020-04-22) lt(2020-04-23)", "FROM,TO"), ("gt(2020-04-23) lt(2020-04-22)", "FROM,TO"),
        ("ge(2020-04-22) lt(2020-04-22)", "FROM,TO"), ("isnull() gt(yesterday)", "FROM,TO"),
    ],
)  # fmt: skip
def test_a_second_bound_of_a_time_is_answered_with_the_between_that_says_the_same(
    reader, bounds, said
):
    query = "&".join(f"startedAt={bound}" for bound in bounds.split())
    assert f"between({said}) says" in reader.errors("tasks", query)[0]["message"]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("lod=shrt&lod=tiny", ["tiny", "shrt"]),
        ("limit=5&limit=0&limit=6", ["6", "0"]),
        ("startedAt=gt(2020-04-22)&startedAt=lt(tomorrow)", ["lt(tomorrow)", "lt(tomorrow)"]),
        ("executorId=&executorId=a%00", ["a\0", "", "a\0"]),
        ("allow_deleted=2&allow_deleted=3", ["3", "2", "3"]),
    ],
)
def test_of_a_single_parameter_given_twice_each_bad_entry_is_told_too(reader, query, values):
    assert [fault["value"] for fault in reader.errors("tasks", query)] == values


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=startd", "started"),
        ("state=Completed", "completed"),
        ("priority=hihg", "high"),
        ("resultCode=timeout", "timedout"),
        ("lod=shrt", "short"),
        ("polcyName=a", "policyName"),
        ("States=started", "state"),
        ("allowDeleted=true", "allow_deleted"),
        ("startedByUser=me", "startedBy"),
        ("order=asc(startdAt)", "asc(startedAt)"),
        ("order=DESC(enqueuedat)", "desc(enqueuedAt)"),
        ("order=asc(id),desc(priorty)", "desc(priority)"),
    ],
)
def test_a_near_miss_is_told_what_was_meant(reader, query, said):
    message = reader.errors("tasks", query)[0]["message"]
    assert "did you mean" in message
    assert said in message.partition("did you mean")[2]


@pytest.mark.parametrize("name", ["stat", "polcyName", "offset"])
def test_an_unknown_parameter_is_told_all_that_would_do(reader, name):
    message = reader.errors("tasks", f"{name}=1")[0]["message"]
    accepted = message.partition("accepted are: ")[2].split(", ")
    assert accepted == sorted(oracle_grammar.KINDS["tasks"])


@pytest.mark.parametrize(
    "name", ["status", "context.id", "tenant_id", "State", "states", "offset", "state[]",
             "createdAt", "taskId", "тип", "sustainable"],
)  # fmt: skip
def test_an_unknown_parameter_is_named_in_the_words_that_clients_know(reader, name):
    found = reader.errors("tasks", f"{quote(name)}=1&limit=20&order=desc(startedAt)")
    assert [fault["parameter"] for fault in found] == [name]
    assert f"bad condition field '{name}'" in found[0]["message"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=startd&state=pausd&priority=x&foo=1&limit=0", "state state priority foo limit"),
        ("startedAt=a&completedAt=b&order=c&lod=d&after=", "startedAt completedAt order lod after"),
        ("id=0&id=1&id=x&uuid=y", "id id uuid"),
        ("after=aaaaaaaaaaaaaaaaaaaa&state=x", "after state"),
        ("after=aaaaaaaaaaaaaaaaaaaa&limit=5&state=x&foo=1", "state foo"),
        ("=1&state=", "state "),
        ("bar&foo=&foo=", "bar foo"),
        ("type=%ff&state=x", "type state"),
        ("type=%ed%a0%80&id=0", "type id"),
    ],
)
def test_all_the_faults_are_told_at_once(reader, query, names):
    found = [fault["parameter"] for fault in reader.errors("tasks", query)]
    assert sorted(set(found)) == sorted(set(names.split(" ")))
    assert faults("tasks", query.encode()) == set(found)


@pytest.mark.parametrize(
    "query",
    [
        "after=aaaaaaaaaaaaaaaaaaaa",
        "after=aaaaaaaaaaaaaaaaaaaa&limit=5&lod=count",
        "after=&limit=5",
    ],
)
def test_a_page_token_goes_with_a_limit_and_with_no_count(reader, query):
    assert [fault["parameter"] for fault in reader.errors("tasks", query)] == ["after"]


@pytest.mark.parametrize("raw", [b"type=\xff", b"type=%C3", b"\xff=1", b"%ff=1", b"type=%80%80"])
def test_bytes_that_are_not_utf8_are_bad_input(reader, raw):
    assert reader.get("tasks", raw).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "type=caf%C3%A9", "type=100%", "type=%zz", "type=a+b", "type=a%2Bb",
        "startedAt=gt(2020-04-22T11:00:00+02:00)", "startedAt=gt(2020-04-22T11:00:00%2B02:00)",
        "resourceName=VM%20(1)", "state=started&", "type=;",
        "startedAt=between(Wed, 22 Apr 2020 11:00:00 GMT,Thu, 23 Apr 2020 11:00:00 GMT)",
        "id=0000000000000000001", "limit=0010", "type=like()", "queue=gt(1)", "tag=%0A",
    ],
)  # fmt: skip
def test_odd_but_sound_queries_are_answered(reader, query):
    assert reader.get("tasks", query).status_code == 200


def test_a_thousand_unknown_parameters_are_all_named_in_a_small_answer(reader):
    strange = [f"x{number}" for number in range(1_000)]
    query = "&".join(f"{name}=1" for name in strange)
    assert [fault["parameter"] for fault in reader.errors("tasks", query)] == strange
    assert len(reader.get("tasks", query).data) < 250_000


@pytest.mark.parametrize("lod", ["short", "count"])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_an_answer_leaves_what_is_remembered_of_its_query_as_it_was(reader, collection, lod):
    query = f"state=completed&type=like(a)&type=backup&order=desc(id)&lod={lod}"
    first = reader.get(collection, query).json
    assert reader.get(collection, query).json == {**first, "timeStamp": ANY}
    assert reader.get(collection, f"{query}&type=absent").json == {**first, "timeStamp": ANY}


@pytest.mark.parametrize("path", ["tasks/1", "activities/1"])
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("lod=count", ["lod"]), ("lod=", ["lod"]), ("lod=tiny&lod=tiny", ["lod"]),
        ("allow_deleted=maybe", ["allow_deleted"]), ("state=started", ["state"]),
        ("limit=1&x=2", ["limit", "x"]), ("lod=huge&allow_deleted=2", ["allow_deleted", "lod"]),
    ],
)  # fmt: skip
def test_one_object_takes_two_parameters_alone(reader, path, query, names):
    assert sorted({fault["parameter"] for fault in reader.errors(path, query)}) == names


def test_a_bad_query_comes_before_an_object_that_does_not_exist(reader):
    assert reader.get("tasks/3", "lod=huge").status_code == 400
    assert reader.get("tasks/3").status_code == 404


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize(
    "key", ["0", "-1", "abc", "9223372036854775808", "1" * 20, "٣", "1.0", "0016750a", "null",
            "0016750aee5649e6bf597c768c9869ac", "%00", "%ff", "1%20", "+1"],
)  # fmt: skip
def test_an_id_that_can_name_nothing_is_not_found(reader, collection, key):
    answer = reader.get(f"{collection}/{key}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_refusal_has_the_members_that_clients_read(reader):
    answer = reader.get("tasks", "state=startd")
    body = answer.json
    assert answer.content_type == "application/problem+json"
    assert b"\n" not in answer.data
    assert (body["domain"], body["code"], body["status"]) == ("TaskManager", "bad_request", 400)
    assert body["message"] == body["detail"]
    wrapped = {name: body[name] for name in ("domain", "code", "message")}
    assert {name: body["error"][name] for name in wrapped} == wrapped
    assert "info" in body["error"]["details"]
    assert {"type", "title"} <= set(body)
    assert answer.headers["X-Request-Id"]
