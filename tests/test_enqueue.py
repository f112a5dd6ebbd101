"""POST /tasks and /tasks/bulk."""

import json

import identities
import pytest
from writers import BASE, Writer, uuid_of


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


FULL = {
    "type": "backup", "queue": "night", "priority": "high", "uuid": uuid_of(0xABC).upper(),
    "tenant": {"uuid": str(identities.BELOW).upper()},
    "policy": {"id": "p", "name": "Daily"}, "resource": {"id": "r", "type": "vm"},
    "startedByUser": "Ann", "issuer": {"id": "i", "clusterId": "c"},
    "affinity": {"agentId": "a1"}, "workflowId": 2**63 - 1, "tags": ["b", "a", "b"],
    "context": {"z": 1, "a": [None, {"ü": 1.5}]}, "argument": {"big": 10**40, "": "\U0001f600"},
    "cancellable": False, "notBefore": "2027-01-01T00:00:00Z", "queueTimeout": 0.5,
    "ackTimeout": 1, "heartbeatInterval": 1.25, "execTimeout": 3, "lifeTime": 4,
    "maxAssignCount": 7, "maxFailCount": 8,
}  # fmt: skip


def test_it_works(writer):
    answer = writer.call("POST", "tasks", FULL, role="issuer")
    assert answer.status_code == 201
    task = answer.json
    assert answer.headers["Location"] == f"{BASE}/tasks/{task['id']}"
    assert writer.task(task["id"], "full") == task
    assert answer.data == json.dumps(task, ensure_ascii=False, separators=(",", ":")).encode()
    shown = {name: task[name] for name in FULL if name not in ("tenant", "uuid", "notBefore")}
    assert shown == {name: FULL[name] for name in shown} | {"affinity": {"agentId": "a1"}}
    assert task["uuid"] == FULL["uuid"].lower()
    assert task["tenant"]["locator"] == "/1/2/3/"
    assert task["notBefore"] == "2027-01-01T00:00:00.000000000Z"
    assert (task["state"], task["idString"]) == ("enqueued", str(task["id"]))
    assert task["enqueuedAt"] == task["updatedAt"]
    assert task["id"] < 2**53


def test_what_is_not_said_takes_its_default(writer):
    task = writer.call("POST", "tasks", {"type": "t"}, role="issuer").json
    said = {"queue": "default", "priority": "normal", "cancellable": True, "tags": [],
            "context": {}, "ackTimeout": 60, "heartbeatInterval": 60, "maxAssignCount": 5,
            "maxFailCount": 5, "issuer": {"id": "", "clusterId": ""}}  # fmt: skip
    assert {name: task[name] for name in said} == said
    absent = {"queueTimeout", "execTimeout", "lifeTime", "argument", "policy", "affinity",
              "notBefore", "workflowId", "startedByUser", "progress"}  # fmt: skip
    assert not absent & task.keys()


@pytest.mark.parametrize("empty", [{}, {"id": ""}, {"id": "", "type": "", "name": ""}])
def test_a_policy_or_resource_of_which_nothing_is_told_is_not_set(writer, empty):
    body = {"type": "t", "policy": empty, "resource": empty}
    task = writer.call("POST", "tasks", body, role="issuer").json
    assert not {"policy", "resource"} & task.keys()
    assert not {"policy", "resource"} & writer.task(task["id"], "full").keys()


@pytest.mark.parametrize("argument", [{}, [], 0, False, "", [[]], "x\u0000y", -0.5])
def test_an_argument_comes_back_as_it_was(writer, argument):
    answer = writer.call("POST", "tasks", {"type": "t", "argument": argument}, role="issuer")
    assert answer.json["argument"] == argument


@pytest.mark.parametrize("lod", ["tiny", "short", "long", "full", "debug"])
def test_the_answer_has_the_level_that_is_asked(writer, lod):
    answer = writer.call("POST", f"tasks?lod={lod}", {"type": "t"}, role="issuer")
    assert answer.json == writer.task(answer.json["id"], lod)


def test_the_same_uuid_with_the_same_body_is_the_same_task(writer):
    first = writer.call("POST", "tasks", FULL, role="issuer")
    again = dict(reversed(FULL.items())) | {"uuid": FULL["uuid"].lower()}
    again["context"] = {"a": [None, {"ü": 1.5}], "z": 1.0}
    second = writer.call("POST", "tasks", again, role="issuer")
    assert (second.status_code, second.json) == (200, first.json)
    assert second.headers["Location"] == first.headers["Location"]


def test_a_default_that_is_said_is_the_same_body(writer):
    uuid = {"uuid": uuid_of(5), "type": "t"}
    said = {"queue": "default", "priority": "normal", "context": {}, "tags": [], "ackTimeout": 60,
            "maxFailCount": 5, "cancellable": True, "affinity": {},
            "tenant": {"uuid": str(identities.CUSTOMER)}}  # fmt: skip
    assert writer.call("POST", "tasks", uuid, role="issuer").status_code == 201
    assert writer.call("POST", "tasks", uuid | said, role="issuer").status_code == 200


def test_it_is_the_task_as_it_is_now(writer):
    body = {"type": "t", "uuid": uuid_of(6)}
    task, lease = writer.held(**body)
    writer.step(task, "started", lease)
    answer = writer.call("POST", "tasks", body, role="issuer")
    assert (answer.status_code, answer.json["state"]) == (200, "started")


@pytest.mark.parametrize("change", [{"type": "u"}, {"priority": "low"}, {"argument": {}},
                                    {"tenant": {"uuid": str(identities.BELOW)}}])  # fmt: skip
def test_the_same_uuid_with_another_body_is_a_conflict(writer, change):
    body = {"type": "t", "uuid": uuid_of(7)}
    writer.call("POST", "tasks", body, role="issuer")
    answer = writer.call("POST", "tasks", body | change, role="issuer")
    assert (answer.status_code, answer.json["code"]) == (409, "uuid_conflict")
    assert uuid_of(7) in answer.json["detail"]
    assert [row["parameter"] for row in answer.json["errors"]] == ["uuid"]


def test_a_uuid_that_is_taken_out_of_sight_or_deleted_is_the_same_conflict(writer):
    body = {"type": "t", "uuid": uuid_of(8)}
    task = writer.call("POST", "tasks", body, role="issuer", tenant=4).json["id"]
    outside = writer.call("POST", "tasks", body, role="issuer")
    writer.step(task, "cancelRequested", role="issuer", tenant=4)
    answer = writer.call("DELETE", f"tasks/{task}", role="issuer", tenant=4)
    assert (answer.status_code, answer.data, answer.content_type) == (204, b"", None)
    deleted = writer.call("POST", "tasks", body, role="issuer", tenant=4)
    assert outside.status_code == deleted.status_code == 409
    assert outside.json == deleted.json


@pytest.mark.parametrize("tenant", [identities.OTHER, uuid_of(99)])
def test_a_tenant_outside_is_a_fault(writer, tenant):
    body = {"type": "t", "tenant": {"uuid": str(tenant)}}
    answer = writer.call("POST", "tasks", body, role="issuer")
    assert [row["parameter"] for row in answer.json["errors"]] == ["tenant.uuid"]
    items = {"items": [{"type": "t"}, body]}
    answer = writer.call("POST", "tasks/bulk", items, role="issuer")
    assert [row["parameter"] for row in answer.json["errors"]] == ["items[1].tenant.uuid"]
    assert writer.call("GET", "tasks?lod=count").json["count"] == 0


def test_faults_of_bodies_tenants_and_uuids_are_told_together(writer):
    outside = {"uuid": str(identities.OTHER)}
    body = {"type": 1, "tenant": outside}
    answer = writer.call("POST", "tasks?x=1", body, role="issuer")
    places = {row["parameter"]: row["value"] for row in answer.json["errors"]}
    assert places == {"type": "1", "x": "1", "tenant.uuid": outside["uuid"]}
    items = [{"type": "t", "uuid": uuid_of(1)}, 5, {"priority": "x", "tenant": outside},
             {"type": "t", "uuid": uuid_of(1).upper(), "tenant": 3},
             {"type": "t", "uuid": 7, "tenant": {"uuid": []}}]  # fmt: skip
    answer = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert {row["parameter"] for row in answer.json["errors"]} == {
        "items[1]", "items[2].type", "items[2].priority", "items[2].tenant.uuid", "items[3].uuid",
        "items[3].tenant", "items[4].uuid", "items[4].tenant.uuid",
    }  # fmt: skip


@pytest.mark.parametrize("items", [None, 5, [], {}, [{"tenant": {"uuid": uuid_of(9)}}] * 1001])
def test_items_that_are_no_list_of_tasks_are_one_fault(writer, items):
    answer = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert [row["parameter"] for row in answer.json["errors"]] == ["items"]


def test_a_bulk_is_enqueued_in_order(writer):
    items = [{"type": f"t{place}"} for place in range(1000)]
    answer = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert answer.status_code == 201
    assert [item["type"] for item in answer.json["items"]] == [item["type"] for item in items]
    assert set(answer.json["items"][0]) == {"id", "idString", "uuid", "type", "state"}
    ids = [item["id"] for item in answer.json["items"]]
    assert ids == sorted(set(ids))
    assert writer.call("GET", "tasks?lod=count").json["count"] == 1000


def test_a_bulk_sent_again_makes_only_what_is_new(writer):
    items = [{"type": "t", "uuid": uuid_of(place)} for place in range(3)]
    first = writer.call("POST", "tasks/bulk", {"items": items[:2]}, role="issuer")
    again = writer.call("POST", "tasks/bulk", {"items": items[:2]}, role="issuer")
    more = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert [answer.status_code for answer in (first, again, more)] == [201, 200, 201]
    assert more.json["items"][:2] == again.json["items"] == first.json["items"]


def test_a_bulk_with_conflicts_names_them_all_and_changes_nothing(writer):
    for place in (1, 3):
        writer.enqueue(uuid=uuid_of(place))
    items = [{"type": "other", "uuid": uuid_of(place)} for place in range(4)]
    answer = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert (answer.status_code, answer.json["code"]) == (409, "uuid_conflict")
    named = [uuid_of(place) in answer.json["detail"] for place in range(4)]
    assert named == [False, True, False, True]
    assert [(row["parameter"], row["value"]) for row in answer.json["errors"]] == [
        (f"items[{place}].uuid", uuid_of(place)) for place in (1, 3)
    ]
    assert f"{uuid_of(1)} (items[1]), {uuid_of(3)} (items[3])" in answer.json["detail"]
    assert writer.call("GET", "tasks?lod=count").json["count"] == 2


def test_a_bulk_with_bad_items_names_their_places_and_changes_nothing(writer):
    items = [{"type": "t", "uuid": uuid_of(1)}, {"type": 1}, {"type": "t", "prio": 1},
             {"type": "t", "priority": "hgih"}, 5]  # fmt: skip
    answer = writer.call("POST", "tasks/bulk", {"items": items}, role="issuer")
    assert answer.status_code == 400
    places = [row["parameter"] for row in answer.json["errors"]]
    assert places == ["items[1].type", "items[2].prio", "items[3].priority", "items[4]"]
    assert "did you mean 'high'?" in answer.json["errors"][2]["message"]
    twice = {"items": [items[0], {"type": "t"}, items[0]]}
    answer = writer.call("POST", "tasks/bulk", twice, role="issuer")
    assert [row["parameter"] for row in answer.json["errors"]] == ["items[2].uuid"]
    assert writer.call("GET", "tasks?lod=count").json["count"] == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_a_bulk_has_one_to_a_thousand_items(writer, count):
    answer = writer.call("POST", "tasks/bulk", {"items": [{"type": "t"}] * count}, role="issuer")
    assert [row["parameter"] for row in answer.json["errors"]] == ["items"]


@pytest.mark.parametrize(
    "text",
    [
        "Fri Nov  5 11:00:00 2027", "Fri Nov 05 11:00:00 2027", "Fri, 05 Nov 2027 11:00:00 GMT",
        "Friday, 05-Nov-27 11:00:00 GMT", "2027-11-05t12:00:00+01:00", "1825412400",
        "1825412400000000000ns",
    ],
)  # fmt: skip
def test_a_body_takes_times_as_a_query_does(writer, text):
    moment = "2027-11-05T11:00:00.000000000Z"
    assert writer.enqueue(notBefore=text)["notBefore"] == moment
