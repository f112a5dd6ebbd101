"""What lies outside a token's subtree does not exist for it, whatever it asks."""

import pytest
import worlds
from oracle import visible
from oracle_grammar import Ask
from reading import bearer

COLLECTIONS = ("tasks", "activities")
TENANTS = list(worlds.PATHS)


def seen(reader, collection: str, tenant: int, deleted: bool = False) -> set[int]:
    """The ids that a token of `tenant` may see."""
    locator = worlds.PATHS[tenant]
    return {item["id"] for item in reader.world[collection] if visible(item, locator, deleted)}


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("deleted", [False, True])
def test_lists_and_counts_show_the_subtree_alone(reader, collection, tenant, deleted):
    ids = seen(reader, collection, tenant, deleted)
    query = f"allow_deleted={int(deleted)}"
    assert {item["id"] for item in reader.page(collection, query, tenant)["items"]} == ids
    assert reader.get(collection, f"{query}&lod=count", tenant).json["count"] == len(ids)
    assert {item["id"] for item in reader.walk(collection, query, 50, tenant)} == ids


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_one_object_is_found_by_number_and_uuid_within_the_subtree_alone(
    reader, collection, tenant
):
    nothing = reader.get(f"{collection}/4", tenant=tenant)
    assert nothing.status_code == 404
    ids, all_ids = (seen(reader, collection, tenant, deleted) for deleted in (False, True))
    for item in reader.world[collection][tenant % 5 :: 7]:
        for key in (item["id"], item["uuid"].upper()):
            answer = reader.get(f"{collection}/{key}", "lod=tiny", tenant)
            assert answer.status_code == (200 if item["id"] in ids else 404)
            assert answer.status_code == 200 or answer.data == nothing.data
            answer = reader.get(f"{collection}/{key}", "lod=tiny&allow_deleted=true", tenant)
            assert answer.status_code == (200 if item["id"] in all_ids else 404)


@pytest.mark.parametrize("tenant", [15, 210, 150])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_filters_that_name_what_lies_outside_find_nothing_of_it(reader, collection, tenant):
    ids = seen(reader, collection, tenant, True)
    outside = [item for item in reader.world[collection] if item["id"] not in ids][:40]
    asks = [f"id={item['id']}" for item in outside] + [f"uuid={item['uuid']}" for item in outside]
    if collection == "activities":
        asks += [f"taskId={item['taskId']}" for item in outside]
    for some in (asks[:40], asks[40:80], asks[80:]):
        query = "&".join(["allow_deleted=true", "limit=5", *some])
        assert not some or reader.page(collection, query, tenant)["items"] == []


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("within", [15, 210, 3000, 150, 2**40])
@pytest.mark.parametrize("form", ["urn:acronis.com:tenant-id:{}",
                                  "urn:acronis.com:{}:task_manager::viewer"])  # fmt: skip
def test_a_narrowed_token_sees_its_part_alone(reader, collection, within, form):
    above = 15 if worlds.PATHS[within].startswith("/1/15/") else 150
    authorization = reader.token(above, scope=form.format(worlds.uuid(within)))
    answer = reader.get(collection, "lod=tiny", headers={"Authorization": authorization})
    assert {item["id"] for item in answer.json["items"]} == seen(reader, collection, within)


@pytest.mark.parametrize("form", ["urn:acronis.com:tenant-id:{}",
                                  "urn:acronis.com:{}:task_manager::viewer"])  # fmt: skip
def test_no_token_is_narrowed_to_what_lies_outside(reader, form):
    for outside in (1, 150, 2**40):
        with pytest.raises(AssertionError, match="invalid_scope"):
            bearer(reader.app, 15, scope=form.format(worlds.uuid(outside)))


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(("viewer",), 200), (("admin",), 200), (("issuer",), 403), (("consumer",), 403),
     (("issuer", "consumer"), 403), (("issuer", "viewer"), 200)],
)  # fmt: skip
@pytest.mark.parametrize("path", ["tasks", "activities", "tasks/1", "activities/1", "tasks/9"])
def test_reading_needs_viewer_or_admin(reader, path, scopes, status):
    key = ("scoped", *scopes)
    reader.tokens.setdefault(key, bearer(reader.app, 1, scopes))
    answer = reader.get(path, headers={"Authorization": reader.tokens[key]})
    assert answer.status_code == (404 if (status, path) == (200, "tasks/9") else status)
    if status == 403:
        assert answer.json["code"] == "forbidden"
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
        assert "task_manager::viewer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, False), ("", False), ("Bearer", True), ("Bearer ", True), ("bearer x", True),
        ("Bearer expired-or-garbage", True), ("Basic eDp5", True), ("Bearer a b", True),
        ("Bearer  x", True), ("Bearer ====", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("query", ["", "state=startd", "after=x&limit=1"])
def test_a_caller_without_a_good_token_learns_nothing(reader, authorization, error, query):
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("tasks", "activities", "tasks/1", "tasks/99", "activities/x"):
        url = f"/api/task_manager/v2/{path}?{query}"
        answer = reader.http.get(url, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer")
        assert ("error=" in challenge) == error


def test_routes_and_methods_are_checked_before_the_token(reader):
    for path in ("/api/task_manager/v2/task", "/api/task_manager/v3/tasks", "/nothing"):
        assert reader.http.get(path).status_code == 404
    for path in ("tasks/1", "activities/1"):
        answer = reader.http.post(f"/api/task_manager/v2/{path}")
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


def test_the_model_sees_what_an_admin_of_the_root_sees(reader):
    reader.tokens.setdefault("admin", bearer(reader.app, 1, ("admin",)))
    answer = reader.get("tasks", headers={"Authorization": reader.tokens["admin"]})
    assert answer.json["items"] == reader.expected("tasks", Ask())
