"""Page tokens: what may stand beside one, what makes one bad, and how much one can carry."""

import re
from random import Random
from string import ascii_letters, digits

import pytest
import reading
import worlds

from app.repository.lists import listing

FIRST = (
    "state=completed&state=started&type=backup&type=Backup&type=e&type=z&type=axb"
    "&updatedAt=ge(1678-01-01)&order=desc(startedAt),asc(type)&lod=short&allow_deleted=true&limit=2"
)
UNQUOTED = f"{ascii_letters}{digits}-._~!$'()*,;:@/?"
"""What stands for itself in a query."""
COLLECTIONS = ("tasks", "activities")


def token(reader, collection: str = "tasks", query: str = FIRST, tenant: int = 1) -> str:
    """The token that the first page of `query` ends with."""
    return str(reader.page(collection, query, tenant)["paging"]["cursors"]["after"])


def code(answer) -> str:
    """The code of a refusal."""
    assert answer.status_code == 400, answer.text
    return str(answer.json["code"])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_it_continues_the_list_that_it_came_with(reader, collection):
    whole = reader.page(collection, FIRST.replace("limit=2", "limit=1000"))["items"]
    first = reader.page(collection, FIRST)
    after = first["paging"]["cursors"]["after"]
    assert re.fullmatch("[A-Za-z0-9_-]{16,}", after)
    rest = reader.page(collection, f"limit=1000&after={after}")
    assert first["items"] + rest["items"] == whole
    assert rest["paging"]["cursors"] == {}
    assert set(rest["items"][0]) <= set(whole[0]) | set(whole[1]) | set(whole[-1]) | {"result"}


@pytest.mark.parametrize(
    "same",
    [
        "lod=short", "allow_deleted=1", "allow_deleted=true", "state=started&state=completed",
        "state=completed&state=started&state=completed", "order=desc(startedAt)&order=asc(type)",
        "order=desc(startedAt),asc(type)", "updatedAt=ge(1678-01-01T00:00:00Z)",
        "updatedAt=ge(1678-01-01T01:00:00%2B01:00)",
        "type=z&type=axb&type=e&type=Backup&type=backup", FIRST.replace("&limit=2", ""),
        "updatedAt=ge(Sat Jan  1 00:00:00 1678)",
    ],
)  # fmt: skip
def test_what_says_the_same_may_be_repeated_in_any_spelling(reader, same):
    after = token(reader)
    alone = reader.page("tasks", f"limit=2&after={after}")["items"]
    assert reader.page("tasks", f"after={after}&limit=2&{same}")["items"] == alone


@pytest.mark.parametrize(
    ("differing", "name"),
    [
        ("state=started", "state"), ("state=completed&state=started&state=paused", "state"),
        ("lod=long", "lod"), ("allow_deleted=false", "allow_deleted"), ("order=asc(id)", "order"),
        ("order=asc(type),desc(startedAt)", "order"), ("order=desc(startedAt)", "order"),
        ("updatedAt=gt(1678-01-01)", "updatedAt"), ("updatedAt=ge(1678-01-02)", "updatedAt"),
        ("type=backup", "type"), ("priority=high", "priority"), ("tag=weekly", "tag"),
    ],
)  # fmt: skip
def test_what_differs_is_named(reader, differing, name):
    answer = reader.get("tasks", f"limit=2&after={token(reader)}&{differing}")
    assert code(answer) == "cursor_mismatch"
    assert f"'{name}'" in answer.json["message"]
    value = differing.rpartition("=")[2]
    said = {"parameter": name, "value": value, "message": answer.json["message"]}
    assert answer.json["errors"] == [said]


def test_all_that_differs_is_named_at_once(reader):
    differing = "lod=tiny&order=asc(id)&allow_deleted=1&state=paused&tag=x"
    answer = reader.get("tasks", f"limit=2&after={token(reader)}&{differing}")
    assert code(answer) == "cursor_mismatch"
    named = {fault["parameter"]: fault["value"] for fault in answer.json["errors"]}
    assert named == {"lod": "tiny", "order": "asc(id)", "state": "paused", "tag": "x"}
    assert all(f"'{name}'" in answer.json["message"] for name in named)


def test_a_bad_one_is_named_and_shown_in_part(reader):
    after = token(reader) + "x"
    answer = reader.get("tasks", f"limit=2&after={after}")
    said = {"parameter": "after", "value": after[:100], "message": answer.json["message"]}
    assert (code(answer), answer.json["errors"]) == ("bad_cursor", [said])


def test_filters_that_are_too_long_are_told_which_of_them_to_shorten(reader):
    uuids = "&".join(f"uuid={worlds.uuid(number)}" for number in range(257))
    answer = reader.get("tasks", f"type=backup&{uuids}&type=z&limit=2")
    said = {"parameter": "uuid", "value": worlds.uuid(256), "message": answer.json["message"]}
    assert (code(answer), answer.json["errors"]) == ("query_too_long", [said])


@pytest.mark.parametrize("same", ["lod=long", "order=asc(id)", "allow_deleted=0"])
def test_a_default_said_aloud_says_the_same(reader, same):
    after = token(reader, query="limit=3")
    alone = reader.page("tasks", f"limit=3&after={after}")["items"]
    assert reader.page("tasks", f"limit=3&after={after}&{same}")["items"] == alone
    said = token(reader, query=f"limit=3&{same}")
    assert reader.page("tasks", f"limit=3&after={said}")["items"] == alone


@pytest.mark.parametrize("text", ["like(MAIL)", "like(mail)", "like(Mail)"])
def test_caseless_text_may_be_repeated_in_another_case(reader, text):
    after = token(reader, query="policyName=like(mAiL)&limit=1")
    assert reader.get("tasks", f"limit=1&after={after}&policyName={text}").status_code == 200


def test_the_limit_may_change_from_page_to_page(reader):
    whole = reader.page("activities", "order=asc(state)&lod=tiny")["items"]
    after, items = token(reader, "activities", "order=asc(state)&lod=tiny&limit=1"), whole[:1]
    for limit in (5, 1, 40, 2, 1000):
        body = reader.page("activities", f"limit={limit}&after={after}")
        items += body["items"]
        after = body["paging"]["cursors"].get("after")
    assert items == whole
    assert after is None


def test_it_is_never_the_same_for_two_pages(reader):
    tokens = [token(reader, query=f"limit={limit}") for limit in range(1, 40)]
    assert len(set(tokens)) == len(tokens)


def test_any_change_makes_it_bad(reader):
    after = token(reader)
    for place, letter in enumerate(after):
        other = "A" if letter != "A" else "B"
        changed = after[:place] + other + after[place + 1 :]
        assert code(reader.get("tasks", f"limit=2&after={changed}")) == "bad_cursor", place


@pytest.mark.parametrize(
    "spoil",
    [
        lambda after: after[:-1], lambda after: after[1:], lambda after: after[: len(after) // 2],
        lambda after: after + "A", lambda after: after + "=", lambda after: after * 2,
        lambda after: after.swapcase(), lambda after: "A" * len(after), lambda _: "x",
        lambda _: "true", lambda _: "%00"[:2], lambda _: "é" * 20, lambda _: "A" * 7000,
        lambda after: after[::-1], lambda after: f"{after}%20", lambda _: "null",
    ],
)  # fmt: skip
def test_a_forged_or_damaged_one_is_bad(reader, spoil):
    assert code(reader.get("tasks", f"limit=2&after={spoil(token(reader))}")) == "bad_cursor"


def test_it_belongs_to_its_collection_and_tenant(reader):
    after = token(reader, query="limit=2")
    assert code(reader.get("activities", f"limit=2&after={after}")) == "bad_cursor"
    assert code(reader.get("tasks", f"limit=2&after={after}", tenant=15)) == "bad_cursor"
    below = token(reader, query="limit=2", tenant=15)
    assert code(reader.get("tasks", f"limit=2&after={below}")) == "bad_cursor"


def test_it_outlives_the_server_but_not_the_secret(reader, tmp_path):
    after = token(reader)
    url = reader.service.settings.database_url
    again = reading.Reader(reading.served(url, tmp_path), reader.world)
    page = reader.page("tasks", f"limit=2&after={after}")["items"]
    assert again.page("tasks", f"limit=2&after={after}")["items"] == page
    other = reading.Reader(reading.served(url, tmp_path, "another secret, as long as this is"), {})
    assert code(other.get("tasks", f"limit=2&after={after}")) == "bad_cursor"


def test_faults_come_first_then_the_token_then_what_differs(reader):
    after = token(reader)
    assert code(reader.get("tasks", f"limit=2&after={after}x&state=startd")) == "bad_request"
    assert code(reader.get("tasks", f"limit=2&after={after}x&state=paused")) == "bad_cursor"
    assert code(reader.get("tasks", f"limit=2&after={after}&state=paused")) == "cursor_mismatch"


def test_190_uuids_fit_the_request_line_and_so_does_their_token(reader):
    known = [item["uuid"] for item in reader.world["activities"] if "deletedAt" not in item][:20]
    uuids = [*known, *(worlds.uuid(10**6 + number) for number in range(190 - len(known)))]
    query = "&".join(["limit=7", *(f"uuid={uuid}" for uuid in uuids)])
    line = f"GET {reading.BASE}/activities?{{}} HTTP/1.1\r\n"
    assert len(line.format(query)) <= 8_190
    after = token(reader, "activities", query)
    assert len(line.format(f"limit=1000&after={after}")) <= 8_190
    assert {item["uuid"] for item in reader.walk("activities", query[8:], 7)} == set(known)


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ([f"uuid={worlds.uuid(number)}" for number in range(256)], True),
        ([f"uuid={worlds.uuid(number)}" for number in range(257)], False),
        ([f"type={letter * 1024}" for letter in "abc"], True),
        ([f"type={letter * 1024}" for letter in "abcde"], False),
        ([f"type={letter}{'é' * 1000}" for letter in "abc"], False),
        ([f"policyName=like({letter * 1000})" for letter in "abcde"], False),
    ],
)  # fmt: skip
def test_filters_that_a_token_cannot_carry_are_refused_with_a_limit_alone(reader, values, fits):
    query = "&".join(values)
    assert reader.get("tasks", query).status_code == 200
    answer = reader.get("tasks", f"{query}&limit=1000")
    assert answer.status_code == 200 if fits else code(answer) == "query_too_long"


def test_without_a_limit_a_token_too_long_to_be_sent_is_refused_where_it_is_needed(
    reader, monkeypatch
):
    # As many letters as a request line holds, which hardly compress.
    dice = Random(1)
    odd = ["".join(dice.choices(UNQUOTED, k=1000)) for _ in range(8)]
    query = "&".join(["tag=weekly", *(f"tag={text}" for text in odd)])
    assert len(f"GET {reading.BASE}/tasks?{query} HTTP/1.1\r\n") <= 8_190
    whole = reader.page("tasks", "tag=weekly")["items"]
    assert reader.page("tasks", query)["items"] == whole
    monkeypatch.setattr(listing, "PAGE", 1)
    assert reader.page("tasks", "tag=weekly")["paging"]["cursors"] != {}
    answer = reader.get("tasks", query)
    assert (code(answer), answer.json["errors"][0]["parameter"]) == ("query_too_long", "tag")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_last_page_has_no_token_even_when_it_is_full(reader, collection):
    total = reader.get(collection, "lod=count").json["count"]
    assert reader.page(collection, f"limit={total}")["paging"]["cursors"] == {}
    nearly = reader.page(collection, f"limit={total - 1}")["paging"]["cursors"]["after"]
    last = reader.page(collection, f"limit=1000&after={nearly}")
    assert (last["size"], last["paging"]["cursors"]) == (1, {})
    assert reader.page(collection, "limit=5&type=nobody")["paging"]["cursors"] == {}
