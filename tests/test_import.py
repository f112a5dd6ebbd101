"""`flask import`: what is taken, what is refused and how that is told."""

import functools
import json

import pytest

from app.catalog.kinds import LARGEST_ID

UUID = "0a{:06x}-1111-4222-8333-444455556666"


def task(number=1, **members):
    return {
        "id": number,
        "uuid": UUID.format(number),
        "type": "backup",
        "state": "enqueued",
    } | members


def activity(number=1, of=1, **members):
    return task(number, state="started", taskId=of) | members


def ended(number=1, **members):
    return task(number, state="completed", result={"code": "ok"}) | members


def test_it_works(cli):
    counts = cli.load(task(1), task(2, priority="high"), activity(1, of=2))
    assert counts == {"tasks": 2, "activities": 1, "skipped": 0, "replaced": 0}
    first, second, third = cli.exported()
    assert (first["id"], first["priority"], first["queue"]) == (1, "normal", "default")
    assert (second["id"], second["priority"]) == (2, "high")
    assert (third["taskId"], third["tenant"]) == (2, first["tenant"])


ONE, TWO = task(1), task(2)
SHAPES = {
    "lines": f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
    "lines without an end": f"{json.dumps(ONE)}\r\n\r\n{json.dumps(TWO)}",
    "pretty lines": f"{json.dumps(ONE, indent=2)}\n{json.dumps(TWO, indent=2)}",
    "byte order mark": f"\ufeff{json.dumps(ONE)}\n{json.dumps(TWO)}",
    "array": json.dumps([ONE, TWO]),
    "pretty array": json.dumps([ONE, TWO], indent=1),
    "answer": json.dumps({"items": [ONE, TWO], "paging": {"cursors": {}}}),
    "answer, items last": json.dumps({"size": 2, "items": [ONE, TWO]}),
    "answers one after the other": f"{json.dumps({'items': [ONE]})}{json.dumps({'items': [TWO]})}",
    "answers in an array": json.dumps([{"items": [ONE]}, {"items": [TWO]}]),
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_file_is_read(cli, text):
    assert cli.json("import", cli.file("saved.json", text))["tasks"] == 2
    assert [item["id"] for item in cli.exported()] == [1, 2]


@pytest.mark.parametrize("text", ["", "[]", '{"items": []}', "\n\n"])
def test_a_file_may_hold_nothing(cli, text):
    assert cli.json("import", cli.file("saved.json", text))["tasks"] == 0


def test_several_files_and_standard_input_are_one_load(cli):
    tasks = cli.file("tasks.ndjson", [task(1)])
    counts = cli.json("import", tasks, "-", stdin=json.dumps(activity(1)).encode())
    assert (counts["tasks"], counts["activities"]) == (1, 1)


FULL_TASK = {
    "id": 2**53 + 1, "idString": str(2**53 + 1), "uuid": "0016750a-ee56-49e6-bf59-7c768c9869ac",
    "type": "backup", "state": "completed",
    "result": {
        "code": "error",
        "error": {"code": "x", "message": "ü", "debug": {"z": 1, "a": [None, True]}},
        "warnings": [{"code": "w"}, 5],
        "payload": {"big": 2**200, "small": 1e-07, "half": 0.5, "minus": -0.0, "nothing": None},
    },
    "queue": "q" * 256, "priority": "aboveNormal",
    "enqueuedAt": "2026-11-23T20:00:00.000000001Z", "assignedAt": "2026-11-23T20:00:01.000000000Z",
    "startedAt": "2026-11-23T20:00:02.000000000Z", "updatedAt": "2026-11-23T20:00:04.000000000Z",
    "completedAt": "2026-11-23T20:00:03.999999999Z", "cancellable": False, "cancelRequested": True,
    "startedByUser": "佐藤 ", "policy": {"id": "p", "type": "t", "name": "100%_\\ 🚀"},
    "resource": {"id": "r", "name": "vm"},
    "tenant": {"id": "210", "uuid": "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
               "locator": "/1/15/210/", "name": "عميل"},
    "issuer": {"id": "i", "clusterId": ""}, "executor": {"id": "e", "clusterId": "c"},
    "affinity": {"agentId": "e"}, "workflowId": LARGEST_ID, "workflowIdString": str(LARGEST_ID),
    "tags": ["b", "a", "b"], "context": {"z": {"y": []}, "a": "\u0000\u2028\"\\"},
    "progress": {"current": 1, "total": 3, "more": "x"},
    "deletedAt": "2026-11-23T20:00:04.000000000Z",
    "argument": [], "notBefore": "2026-11-23T20:00:00.500000000Z", "queueTimeout": 0.25,
    "ackTimeout": 61, "heartbeatInterval": 1.000000001, "execTimeout": 86400, "lifeTime": 604800,
    "maxAssignCount": 7, "assignCount": 3, "maxFailCount": 2, "failCount": 1,
    "revision": 17,
    "attempts": [
        {"number": 1, "executor": {"id": "e", "clusterId": "c"},
         "assignedAt": "2026-11-23T20:00:00.700000000Z",
         "endedAt": "2026-11-23T20:00:00.800000000Z", "outcome": "requeued", "reason": "full"},
        {"number": 3, "executor": {"id": "f", "clusterId": ""},
         "assignedAt": "2026-11-23T20:00:01.000000000Z",
         "startedAt": "2026-11-23T20:00:02.000000000Z"},
    ],
}  # fmt: skip
FULL_ACTIVITIES = [
    {
        "id": 9, "idString": "9", "uuid": "0016750a-ee56-49e6-bf59-7c768c9869ac", "type": "copy",
        "state": "started", "taskId": 2**53 + 1, "taskIdString": str(2**53 + 1),
        "createdAt": "2026-11-23T20:00:02.000000000Z", "sustainable": True,
        "tenant": FULL_TASK["tenant"], "executor": {"id": "", "clusterId": ""}, "tags": [],
        "context": {}, "argument": 0, "revision": 1,
    },
    {
        "id": 4, "idString": "4", "uuid": "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "type": "copy",
        "state": "completed", "result": {"code": "abandoned", "payload": ""},
        "taskId": 2**53 + 1, "taskIdString": str(2**53 + 1), "parentActivityId": 9,
        "parentActivityIdString": "9", "createdAt": "1969-12-31T23:59:59.999999999Z",
        "startedAt": "1678-01-01T00:00:00.000000000Z",
        "completedAt": "2261-12-31T23:59:59.999999999Z", "sustainable": False,
        "startedByUser": "", "tenant": FULL_TASK["tenant"],
        "executor": {"id": "e", "clusterId": "c"}, "tags": ["x"], "context": {}, "progress": 0,
        "argument": False, "revision": 2,
    },
]  # fmt: skip


def test_what_came_in_comes_out(cli):
    everything = [FULL_TASK, *FULL_ACTIVITIES]
    cli.load(*everything)
    assert [json.dumps(item) for item in cli.exported()] == [
        json.dumps(item) for item in everything
    ]


def test_an_export_is_imported_byte_for_byte(cli, engine, tmp_path):
    cli.load(task(1), FULL_TASK, *FULL_ACTIVITIES, task(3, tenant={"id": "1", "name": "Top"}))
    first = cli.run("export").stdout
    path = cli.file("first.ndjson", first)
    assert cli.json("import", path, "--replace")["replaced"] == 5
    assert cli.run("export").stdout == first


TIMES = {
    "2020-04-22T11:00:00Z": 0, "2020-04-22T13:00:00.5+02:00": 500_000_000,
    "Wed, 22 Apr 2020 11:00:00 GMT": 0, "Wednesday, 22-Apr-20 11:00:00 GMT": 0,
    "Wed Apr 22 11:00:00 2020": 0, "1587553200": 0, "1587553200000000007ns": 7,
    "2020-04-22T11:00:00.123456789Z": 123_456_789,
}  # fmt: skip


def test_times_are_read_in_all_formats(cli):
    cli.load(*(task(number, enqueuedAt=text) for number, text in enumerate(TIMES, 1)))
    assert [item["enqueuedAt"] for item in cli.exported()] == [
        f"2020-04-22T11:00:00.{fraction:09}Z" for fraction in TIMES.values()
    ]


def test_uuids_come_in_any_case_and_null_is_absent(cli):
    cli.load(task(1, uuid=UUID.format(1).upper(), priority=None, tenant=None, result=None))
    assert cli.exported()[0]["uuid"] == UUID.format(1)


def test_what_a_low_level_lacks_takes_its_default(cli):
    cli.load({**task(1), "idString": "1"})
    item = cli.exported()[0]
    assert item["revision"] == 1
    assert item["tags"] == item["attempts"] == []
    assert (item["ackTimeout"], item["maxAssignCount"], item["cancellable"]) == (60, 5, True)
    assert "enqueuedAt" not in item


def test_what_the_api_does_not_have_is_ignored_and_counted(cli):
    objects = [task(1, colour="red", policy={"id": "p", "mood": 1}), task(2, colour="blue")]
    result = cli.run("import", cli.file("objects.ndjson", objects))
    assert result.exit_code == 0
    assert "'colour'" in result.stderr
    assert "2 times" in result.stderr
    assert "'policy.mood'" in result.stderr
    assert cli.exported()[0]["policy"] == {"id": "p"}


def test_a_lease_is_not_imported(cli):
    lease = {"executor": {"id": "e"}, "fence": 4, "expiresAt": "2099-01-01T00:00:00Z"}
    result = cli.run("import", cli.file("x.ndjson", [task(1, state="started", lease=lease)]))
    assert result.exit_code == 0
    assert "lease" not in result.stderr
    assert "lease" not in cli.exported()[0]


def test_what_is_there_is_skipped_or_replaced(cli):
    cli.load(task(1, tags=["a", "b"]), activity(1))
    assert cli.load(task(1, tags=["c"]), activity(1), task(2)) == {
        "tasks": 1, "activities": 0, "skipped": 2, "replaced": 0
    }  # fmt: skip
    assert cli.exported()[0]["tags"] == ["a", "b"]
    counts = cli.load(task(1, tags=["c"]), activity(1, type="copy"), options=("--replace",))
    assert counts == {"tasks": 0, "activities": 0, "skipped": 0, "replaced": 2}
    first, _, third = cli.exported()
    assert (first["tags"], third["type"]) == (["c"], "copy")


def test_of_two_with_one_id_the_first_is_taken_and_the_last_replaces(cli):
    pair = task(1, tags=["a"]), task(1, tags=["b"])
    assert cli.load(*pair) == {"tasks": 1, "activities": 0, "skipped": 1, "replaced": 0}
    assert cli.exported()[0]["tags"] == ["a"]
    assert cli.load(*pair, options=("--replace",))["replaced"] == 2
    assert cli.exported()[0]["tags"] == ["b"]


def test_people_are_told_what_was_there_and_what_was_given_twice(cli):
    cli.load(task(1))
    file = cli.file("some.ndjson", [task(1), task(2), task(2, type="other"), task(2), task(1)])
    assert cli.run("import", file).stdout == (
        "Imported 1 task and 0 activities, 2 there already, skipped, "
        "2 given again: the first is taken.\n"
    )
    assert cli.exported()[1]["type"] == "backup"
    file = cli.file("some.ndjson", [task(1), task(3), task(3, type="last"), task(1)])
    assert cli.run("import", "--replace", file).stdout == (
        "Imported 1 task and 0 activities, 1 replaced, 2 given again: the last is taken.\n"
    )
    assert cli.exported()[2]["type"] == "last"


def test_what_only_requests_are_limited_to_comes_in(cli):
    """Another service may have had other limits: what it answered is taken, and given back."""
    tags = ["", "x" * 256, "a\0b", *(f"tag {number}" for number in range(40))]
    deep = functools.reduce(lambda inner, _: [inner], range(200), "x" * 70_000)
    odd = {"tags": tags, "context": {"deep": deep}, "startedByUser": "", "argument": None}
    cli.load(task(1, **odd))
    [found] = cli.exported()
    assert (found["tags"], found["context"]["deep"]) == (tags, deep)
    assert found["startedByUser"] == ""
    assert "argument" not in found
    assert cli.load(found, options=("--replace",))["replaced"] == 1
    assert cli.exported() == [found]


def test_a_replaced_task_takes_its_activities_to_its_new_tenant(cli):
    cli.load(task(1), activity(1))
    cli.load(task(1, tenant={"id": "7", "locator": "/1/7/"}), options=("--replace",))
    assert [item["tenant"]["id"] for item in cli.exported()] == ["7", "7"]


def test_imported_attempts_keep_their_numbers(cli):
    attempts = [{"number": 4, "executor": {"id": "e"}, "assignedAt": "2026-01-01T00:00:00Z"}]
    cli.load(task(1, attempts=attempts))
    assert cli.exported()[0]["attempts"][0]["number"] == 4
    cli.load(task(1), options=("--replace",))
    assert cli.exported()[0]["attempts"] == []
