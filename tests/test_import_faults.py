"""`flask import`: every fault is told with file, line and place, and then nothing is written."""

import json

import pytest
from commands import Commands
from test_import import UUID, activity, ended, task

LONG = "x" * 257


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database that stays empty, since everything is refused; no engine has a part in that."""
    folder = tmp_path_factory.mktemp("empty")
    cli = Commands(f"sqlite:///{folder}/tasks.db", folder)
    cli.json("db", "upgrade")
    return cli


FAULTS = {
    "id missing": ({"id": None}, "id: is needed"),
    "id zero": ({"id": 0}, "id: a whole number from 1"),
    "id beyond 64 bit": ({"id": 2**63}, "id: a whole number from 1"),
    "id a string": ({"id": "1"}, "id: a whole number from 1"),
    "id true": ({"id": True}, "id: a whole number from 1"),
    "id a fraction": ({"id": 1.0}, "id: a whole number from 1"),
    "twin differs": ({"idString": "2"}, "idString: should repeat 1"),
    "uuid missing": ({"uuid": None}, "uuid: is needed"),
    "uuid malformed": ({"uuid": "0a"}, "uuid: a UUID such as"),
    "type missing": ({"type": None}, "type: is needed"),
    "type empty": ({"type": ""}, "type: must not be empty"),
    "queue empty": ({"queue": ""}, "queue: must not be empty"),
    "type a number": ({"type": 5}, "type: a string is accepted"),
    "type too long": ({"type": LONG}, "type: at most 256 characters"),
    "state missing": ({"state": None}, "state: is needed"),
    "state misspelt": (
        {"state": "startd"},
        "state: one of enqueued, assigned, started, paused, completed is accepted; "
        "did you mean started?",
    ),
    "state a list": ({"state": ["started"]}, "state: one of enqueued"),
    "priority unknown": ({"priority": "HIGH"}, "priority: one of low"),
    "time malformed": ({"enqueuedAt": "yesterday"}, "enqueuedAt: a time such as"),
    "time a number": ({"enqueuedAt": 5}, "enqueuedAt: a time such as"),
    "time out of range": ({"startedAt": "2262-01-01T00:00:00Z"}, "startedAt: a time such as"),
    "flag a number": ({"cancellable": 1}, "cancellable: true or false"),
    "interval zero": ({"ackTimeout": 0}, "ackTimeout: seconds above 0"),
    "interval true": ({"ackTimeout": True}, "ackTimeout: seconds above 0"),
    "interval too long": ({"lifeTime": 10**12}, "lifeTime: seconds above 0"),
    "count negative": ({"failCount": -1}, "failCount: a whole number from 0"),
    "policy a string": ({"policy": "p"}, "policy: an object is accepted"),
    "policy's name too long": ({"policy": {"name": LONG}}, "policy.name: at most 256"),
    "affinity's id a number": ({"affinity": {"agentId": 5}}, "affinity.agentId: a string"),
    "context a list": ({"context": []}, "context: an object is accepted"),
    "tags a string": ({"tags": "a"}, "tags: a list is accepted"),
    "tag a number": ({"tags": ["a", 5]}, "tags[1]: a string"),
    "attempts an object": ({"attempts": {}}, "attempts: a list is accepted"),
    "attempt a number": ({"attempts": [5]}, "attempts[0]: an object is accepted"),
    "attempt without number": ({"attempts": [{}]}, "attempts[0].number: is needed"),
    "result too early": ({"result": {"code": "ok"}}, "result: is accepted only once completed"),
    "completedAt too early": ({"completedAt": "2026-01-01T00:00:00Z"},
                              "completedAt: is accepted only once completed"),
    "result missing": ({"state": "completed"}, "result.code: is needed once completed"),
    "result without code": ({"state": "completed", "result": {}}, "result.code: is needed"),
    "result's code unknown": ({"state": "completed", "result": {"code": "okay"}},
                              "result.code: one of ok"),
    "result's error a string": ({"state": "completed", "result": {"code": "ok", "error": "x"}},
                                "result.error: an object is accepted"),
    "tenant a string": ({"tenant": "1"}, "tenant: an object is accepted"),
    "tenant empty": ({"tenant": {}}, "tenant: its id, uuid or locator is needed"),
    "tenant unknown": ({"tenant": {"id": "99"}}, "tenant.locator: is needed"),
    "tenant's uuid unknown": ({"tenant": {"uuid": UUID.format(1)}}, "tenant.locator: is needed"),
    "tenant's id no number": ({"tenant": {"id": "x"}}, "tenant.id: digits"),
    "tenant's id a list": ({"tenant": {"id": ["5"]}}, "tenant.id: digits"),
    "tenant's uuid malformed": ({"tenant": {"uuid": "x"}}, "tenant.uuid: a UUID such as"),
    "tenant's name too long": ({"tenant": {"name": LONG}}, "tenant.name: at most 256"),
    "tenant elsewhere": ({"tenant": {"locator": "/2/5/"}}, "tenant.locator: ids from the root"),
    "tenant in a ring": ({"tenant": {"locator": "/1/5/5/"}}, "tenant.locator: ids from the root"),
    "locator of another": ({"tenant": {"id": "5", "locator": "/1/6/"}},
                           "tenant.locator: should end with the tenant's id, 5"),
}  # fmt: skip


INNER = {
    "a member": ({"state": "completed", "result": {"code": "okay", "payload": 1}}, '"okay"'),
    "a tenant's": ({"tenant": {"id": "5", "locator": "/2/5/"}}, '"/2/5/"'),
    "one of a list": ({"tags": ["a", 5]}, "5"),
    "one of a list's": ({"attempts": [{"number": "x", "assignedAt": "2026-01-01"}]}, '"x"'),
}


@pytest.mark.parametrize(("changes", "value"), INNER.values(), ids=INNER)
def test_a_fault_shows_the_very_value_that_is_wrong(empty, changes, value):
    (line, _) = empty.complaints(task(1, **changes))
    assert line.endswith(f" (not {value})")


def test_of_what_is_missing_within_no_value_is_shown(empty):
    (line, _) = empty.complaints(task(1, tenant={"id": "99"}))
    assert line.endswith(": tenant.locator: is needed: no tenant 99 is known")


@pytest.mark.parametrize(("changes", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_nothing_is_written(empty, changes, message):
    lines = empty.complaints(task(2), task(1, **changes))
    assert any(f"objects.ndjson:2: {message}" in line for line in lines)
    assert lines[0].startswith(f"{empty.folder}/objects.ndjson:2: ")
    assert lines[-1] == "Error: 1 object is bad: nothing was imported."
    assert empty.exported() == []


def test_all_faults_of_all_objects_are_told(cli):
    bad = {"id": 0, "state": "x", "policy": {"id": 1, "name": 2}}
    lines = cli.complaints(bad, task(5), {"taskId": 77})
    assert sum(":1: " in line for line in lines) == 6
    assert sum(":3: " in line for line in lines) == 5
    assert lines[-1].startswith("Error: 2 objects are bad")


def test_an_item_of_an_array_is_named_by_its_place(cli):
    text = json.dumps([task(1), task(2, priority="x")], indent=1)
    told = cli.refused("import", cli.file("a.json", text))
    # One line for the bracket, six for the first object, and then the second one's own.
    assert "a.json:8: items[1].priority: one of" in told


BROKEN = {
    "not JSON": (b"{'id': 1}", ":2: this is not JSON"),
    "cut off": (b'{"id": 1, "uuid": "0a', ":2: this is not JSON"),
    "twice the same name": (b'{"id": 1, "id": 2}', "the name 'id' comes twice"),
    "twice, without blanks": (b'{"id":1,"id":2}', "the name 'id' comes twice"),
    "twice inside": (b'{"context": {"a": 1, "a": 1}}', "the name 'a' comes twice"),
    "NaN": (b'{"id": NaN}', "NaN is no JSON number"),
    "infinity": (b'{"context": {"a": -Infinity}}', "-Infinity is no JSON number"),
    "beyond doubles": (b'{"context": {"a": 1e999}}', "1e999 is beyond"),
    "not UTF-8": (b'{"type": "\xff"}', "this is not UTF-8"),
    "lone surrogate": (b'{"type": "\\ud800"}', "half of a surrogate pair"),
    "lone in a name": (b'{"context": {"\\udc00": 1}}', "half of a surrogate pair"),
    "a number": (b"5", "an object is needed"),
    "too deep": (b'{"a":' * 100_000, "nested too deeply"),
    "too many digits": (b'{"id": ' + b"9" * 200_000 + b"}", "too many digits"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_does_not_hide_the_next(empty, line, message):
    good, after = json.dumps(task(1)).encode(), json.dumps(task(2, state="x")).encode()
    told = empty.refused("import", empty.file("x.ndjson", b"\n".join((good, line, after))))
    assert message in told
    assert "x.ndjson:3: state: one of" in told
    assert empty.exported() == []


def test_however_deep_something_is_nested_it_is_taken_or_refused_in_words(empty):
    """What Python reads just so, it may not write: an emoji in escapes has it written."""
    lines = []
    for depth in range(900, 1000):
        for name, heart in (("queue", "1"), ("argument", '"\\ud83d\\ude00"'), ("queue", "2")):
            lines.append(json.dumps(task(1, queue=None))[:-1])
            lines[-1] += f', "{name}": {"[" * depth}{heart}{"]" * depth}}}'
    told = empty.refused("import", empty.file("deep.ndjson", "\n".join(lines)))
    assert "this is nested too deeply" in told


ARRAYS = {
    "a comma too many": '[{"id": 1}, ]', "no end": "[" + json.dumps(task(1)), "no comma": "[1 2]",
    "an answer cut off": '{"items": [' + json.dumps(task(1)), "the wrong end": "[1}",
}  # fmt: skip


@pytest.mark.parametrize("text", ARRAYS.values(), ids=ARRAYS)
def test_a_broken_array_is_refused(empty, text):
    assert "bad: nothing was imported" in empty.refused("import", empty.file("a.json", text))
    assert empty.exported() == []


def test_bad_ones_can_be_left_out_with_what_depends_on_them(cli):
    objects = [task(1), task(2, state="x"), activity(1), activity(2, of=2),
               activity(3, parentActivityId=4), activity(5, of=1, parentActivityId=1)]  # fmt: skip
    result = cli.run("import", cli.file("o.ndjson", objects), "--skip-bad")
    assert result.exit_code == 0
    assert "3 bad" in result.stdout
    assert [item["id"] for item in cli.exported()] == [1, 1, 5]


def test_a_script_is_told_how_many_were_left_out(cli):
    assert cli.load(task(1), task(2, state="x"), options=("--skip-bad",))["bad"] == 1
    assert cli.load(task(3), options=("--skip-bad",))["bad"] == 0


RELATIONS = {
    "activity before its task": ([activity(1), task(1)], "taskId: no such task came before"),
    "no such task": ([activity(1, of=9)], "taskId: no such task came before"),
    "child before its parent": (
        [task(1), activity(1, parentActivityId=2), activity(2)],
        "parentActivityId: no such activity came before"),
    "its own parent": ([task(1), activity(1, parentActivityId=1)],
                       "parentActivityId: no such activity came before"),
    "another task's parent": (
        [task(1), task(2), activity(1), activity(2, of=2, parentActivityId=1)],
        "parentActivityId: is of another task"),
    "another task's tenant": ([task(1), activity(1, tenant={"id": "5", "locator": "/1/5/"})],
                              "tenant: its task belongs to tenant 1"),
    "uuid of another task": ([task(1), task(2, uuid=UUID.format(1))],
                             "uuid: belongs to the task 1"),
    "uuid of another activity": (
        [task(1), activity(1), activity(2, uuid=UUID.format(1).upper())],
        "uuid: belongs to the activity 1"),
}  # fmt: skip


@pytest.mark.parametrize(("objects", "message"), RELATIONS.values(), ids=RELATIONS)
def test_what_objects_say_of_each_other_is_checked(cli, objects, message):
    assert any(message in line for line in cli.complaints(*objects))
    assert cli.exported() == []


def test_what_is_there_already_counts_as_well(cli):
    cli.load(task(1), activity(1))
    assert cli.load(activity(2, parentActivityId=1))["activities"] == 1
    assert "uuid: belongs to the task 1" in cli.complaints(task(3, uuid=UUID.format(1)))[0]
    told = cli.complaints(ended(4), activity(4, of=4, parentActivityId=2))
    assert "is of another task" in told[0]


def test_a_missing_file_is_told_before_anything_is_read(cli):
    good = cli.file("good.ndjson", [task(1)])
    told = cli.refused("import", good, cli.folder / "none.ndjson")
    assert told == f"Error: No such file or directory: {cli.folder}/none.ndjson\n"
    assert cli.exported() == []
    assert "Is a directory" in cli.refused("import", cli.folder)
