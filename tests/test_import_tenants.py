"""`flask import`: tenants come with the objects that they own."""

import pytest
from test_import import activity, task

PARTNER = {"id": "15", "uuid": "0016750a-ee56-49e6-bf59-7c768c9869ac", "locator": "/1/15/",
           "name": "Partner"}  # fmt: skip
UNIT = {"id": "210", "uuid": "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "locator": "/1/15/210/",
        "name": "Unit"}  # fmt: skip


def tenants(cli):
    return {row["locator"]: (row["uuid"], row["name"]) for row in cli.json("tenants", "list")[1:]}


def test_unknown_ancestors_are_made_and_named_later(cli):
    cli.load(task(1, tenant=UNIT))
    assert tenants(cli) == {"/1/15/": (None, None), "/1/15/210/": (UNIT["uuid"], "Unit")}
    cli.load(task(2, tenant=PARTNER))
    assert tenants(cli)["/1/15/"] == (PARTNER["uuid"], "Partner")
    assert cli.exported()[0]["tenant"] == UNIT


def test_a_tenant_that_is_there_may_be_named_by_its_uuid_alone(cli):
    cli.load(task(1, tenant=UNIT), task(2, tenant={"uuid": UNIT["uuid"].upper()}))
    assert [item["tenant"] for item in cli.exported()] == [UNIT, UNIT]
    assert cli.load(task(3, tenant={"id": 210}))["tasks"] == 1


def test_an_object_without_tenant_goes_to_the_one_of_the_command(cli):
    made = cli.json("tenants", "create", "--name", "Here")
    cli.load(task(1), activity(1), options=("--tenant", made["uuid"]))
    assert [item["tenant"] for item in cli.exported()] == [made, made]


def test_the_root_takes_its_name_from_the_first_that_brings_it(cli):
    root = {"id": "1", "uuid": PARTNER["uuid"], "locator": "/1/", "name": "Cloud"}
    cli.load(task(1, tenant=root))
    assert cli.json("tenants", "list")[0] == root | {"disabled_at": None}
    # Later ones are the root all the same, whatever another deployment calls its own.
    cli.load(task(2, tenant={**root, "uuid": UNIT["uuid"], "name": "Other"}))
    assert [item["tenant"] for item in cli.exported()] == [root, root]


def test_a_tenant_cannot_be_in_two_places_or_have_two_uuids(cli):
    cli.load(task(1, tenant=UNIT), task(2, tenant=PARTNER))
    wrong = {
        "tenant 210 is at /1/15/210/": {"id": "210", "locator": "/1/210/"},
        "tenant 210 has the UUID": {**UNIT, "uuid": "5a4e28ba-2fa1-41d2-883f-0016d3cca427"},
        "is that of tenant 15": {"locator": "/1/15/211/", "uuid": PARTNER["uuid"]},
        "tenant 210 is at /1/15/": {"locator": "/1/210/15/300/"},
    }
    for message, tenant in wrong.items():
        assert message in "\n".join(cli.complaints(task(9, tenant=tenant)))
    assert len(tenants(cli)) == 2


def test_tenants_of_bad_objects_are_not_made(cli):
    bad = task(2, state="x", tenant=UNIT)
    assert cli.load(task(1), bad, options=("--skip-bad",))["tasks"] == 1
    assert tenants(cli) == {}


@pytest.mark.parametrize("number", [True, 1.0])
def test_what_equals_a_number_is_none(cli, number):
    """Not for Python either, once it has seen the number itself."""
    for first in ("1", 1):
        lines = cli.complaints(task(1, tenant={"id": first}), task(2, tenant={"id": number}))
        assert ":2: tenant.id: digits of a number" in lines[0]


def test_members_of_tenants_that_the_api_does_not_have_are_counted_each_time(cli):
    told = {**UNIT, "labels": ["x"], "kind": "unit"}
    objects = [task(1, tenant=told), task(2, tenant=told), task(3, tenant=UNIT)]
    result = cli.run("import", cli.file("o.ndjson", objects))
    assert "'tenant.labels', which the API does not have: 2 times" in result.stderr
    assert "'tenant.kind', which the API does not have: 2 times" in result.stderr
    assert [item["tenant"] for item in cli.exported()] == [UNIT] * 3
    assert "its id, uuid or locator is needed" in cli.complaints(task(4, tenant={}))[0]
