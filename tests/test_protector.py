"""The protected side: which requests get through, and what the others are told."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from identities import (
    ADMIN,
    BELOW,
    CONSUMER,
    CUSTOMER,
    HERE,
    ISSUER,
    OTHER,
    VIEWER,
    House,
    claims,
    header,
    signed,
)

from app import clock
from app.auth import callers, tokens
from app.auth.provider import ProviderKeys
from app.auth.scopes import in_force, words
from app.auth.tokens import BadToken, Reader
from app.models import SigningKey
from app.repository import tenants
from app.repository.tenants import Node
from app.vocabulary import Scope

TENANT = "urn:acronis.com:tenant-id:"
INVALID = 'Bearer realm="tasks", error="invalid_token"'
SECOND = 10**9


@pytest.fixture
def house(engine: str) -> Iterator[House]:
    made = House(engine)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(sqlite_engine: Any) -> Iterator[House]:
    """One application for many requests that change nothing."""
    url = sqlite_engine.fresh()
    made = House(url)
    yield made
    made.close()
    sqlite_engine.forget(url)


def good(**changed: Any) -> str:
    """A token that the tests' key signed, good but for what is `changed`."""
    return signed(header(), claims(**changed))


def test_it_works(house: House) -> None:
    answer = house.look(good(scope=f"openid {VIEWER.value} {ISSUER.value}"))
    assert answer.json == {
        "client": "c", "subject": "s", "roles": ["issuer", "viewer"], "tenant": "/1/2/",
    }  # fmt: skip


# What follows `Authorization:`, and the challenge that answers it.
HEADERS = [
    (None, 'Bearer realm="tasks"'),
    ("", 'Bearer realm="tasks"'),
    ("Bearer", INVALID),
    ("Bearer ", INVALID),
    ("Bearer =", INVALID),
    ("Bearer x", INVALID),
    ("Bearer  {token}", INVALID),
    ("Bearer\t{token}", INVALID),
    ("bearer {token}", INVALID),
    ("BEARER {token}", INVALID),
    ("Bearer {token} x", INVALID),
    ("Bearer {token},Bearer {token}", INVALID),
    ("Bearer {token}=", INVALID),
    ("Bearer {token}==x", INVALID),
    ("Bearer {token}\xe9", INVALID),
    ("Bearer \xb2", INVALID),
    ("Basic dTpw", INVALID),
    ("{token}", INVALID),
    ("Bearer " + "x" * 9000, INVALID),
]


@pytest.mark.parametrize(("sent", "challenge"), HEADERS)
def test_a_header_that_is_not_right_is_401(
    lasting: House, sent: str | None, challenge: str
) -> None:
    headers = {} if sent is None else {"Authorization": sent.replace("{token}", good())}
    answer = lasting.client.get("/probe", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == challenge


def test_a_token_in_the_query_or_in_a_form_is_not_read(lasting: House) -> None:
    assert lasting.client.get(f"/probe?access_token={good()}").status_code == 401
    assert lasting.client.get("/probe", data={"access_token": good()}).status_code == 401


def test_the_scheme_s_padding_is_part_of_the_pattern(lasting: House) -> None:
    """The pattern admits `=`, which no JWT has: such a token is read, and then found bad."""
    answer = lasting.client.get("/probe", headers={"Authorization": "Bearer a.b.c="})
    assert answer.json["message"] == "The access token is damaged."


@pytest.mark.parametrize("scope", ["", ISSUER.value, "openid profile", CONSUMER.value, None])
def test_a_token_without_the_scope_is_403_and_told_which_would_do(
    lasting: House, scope: str | None
) -> None:
    answer = lasting.look(good(scope=scope))
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="tasks", error="insufficient_scope", scope="{VIEWER.value} {ADMIN.value}"'
    )


UNKNOWN = "00000000-0000-0009-0000-000000000007"
BELOW_VIEWER, OTHER_VIEWER = VIEWER.within(str(BELOW)), VIEWER.within(str(OTHER))
# What a token of CUSTOMER says, and in which tenant it may what; None: 403.
NARROWED = [
    (BELOW_VIEWER, ("/1/2/3/", ["viewer"])),
    (BELOW_VIEWER.replace("0003", "0003").upper().replace("URN:ACRONIS.COM", "urn:acronis.com")
     .replace("TASK_MANAGER::VIEWER", "task_manager::viewer"), ("/1/2/3/", ["viewer"])),
    (VIEWER.within(str(CUSTOMER)), ("/1/2/", ["viewer"])),
    (f"{TENANT}{BELOW} {VIEWER.value}", ("/1/2/3/", ["viewer"])),
    (f"{TENANT}{BELOW} {TENANT}{CUSTOMER} {VIEWER.value}", None),
    (f"{TENANT}{CUSTOMER} {TENANT}{BELOW} {VIEWER.value}", ("/1/2/3/", ["viewer"])),
    (f"{BELOW_VIEWER} {ISSUER.value}", ("/1/2/3/", ["issuer", "viewer"])),
    (f"{VIEWER.value} {ADMIN.within(str(BELOW))}", ("/1/2/", ["viewer"])),
    (f"{VIEWER.value} {OTHER_VIEWER}", ("/1/2/", ["viewer"])),
    (OTHER_VIEWER, None),
    (VIEWER.within(UNKNOWN), None),
    (f"{TENANT}{OTHER} {VIEWER.value}", None),
    (f"{TENANT}{UNKNOWN} {VIEWER.value}", None),
    (f"{TENANT}{BELOW}", None),
    (ISSUER.within(str(BELOW)), None),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "expected"), NARROWED)
def test_a_narrowed_scope_holds_in_its_subtree_alone(
    house: House, scope: str, expected: Any
) -> None:
    answer = house.look(good(scope=scope))
    if expected is None:
        assert answer.status_code == 403
    else:
        assert (answer.json["tenant"], answer.json["roles"]) == expected


def node(*path: int) -> Node:
    uuid = {2: CUSTOMER, 3: BELOW, 4: OTHER}.get(path[-1])
    return Node(path[-1], uuid, path[1] if path[1:] else 1, f"/{'/'.join(map(str, path))}/", None)


def test_of_two_subtrees_the_wider_is_in_force() -> None:
    find = {CUSTOMER: node(1, 2), BELOW: node(1, 2, 3)}.get
    said = words(f"{VIEWER.within(str(BELOW))} {ADMIN.within(str(CUSTOMER))}")
    found = in_force(said, (VIEWER, ADMIN), node(1), find)
    assert found
    assert (found.tenant, found.scopes) == (node(1, 2), {ADMIN})


def test_a_tenant_whose_number_begins_like_another_s_is_not_below_it() -> None:
    assert not node(1, 2).holds(node(1, 25))


@pytest.mark.parametrize("tenant", [UNKNOWN, "", "no uuid", None, 7, {}, str(CUSTOMER) + " "])
def test_a_token_of_no_tenant_is_401(house: House, tenant: Any) -> None:
    answer = house.look(good(tenant_id=tenant))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, INVALID)


def test_a_tenant_is_read_again_after_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = callers.Tenants(house.database)
    assert known.find(CUSTOMER) == tenants.by_uuid(house.database, CUSTOMER)
    house.database.run("UPDATE tenants SET name = 'new' WHERE id = 2")
    assert known.find(CUSTOMER).name == "/1/2/"  # type: ignore[union-attr]
    later = clock.monotonic() + callers.FRESH_SECONDS
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert known.find(CUSTOMER).name == "new"  # type: ignore[union-attr]


def test_only_so_many_tenants_are_remembered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REMEMBERED", 1)
    known = callers.Tenants(house.database)
    assert known.find(CUSTOMER)
    assert known.find(BELOW)
    assert list(known.known) == [BELOW]


def test_a_token_seen_before_is_believed_without_asking_the_database(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    token = good()
    assert house.look(token).status_code == 200
    caplog.set_level(logging.DEBUG, "peewee")
    assert house.look(token).status_code == 200
    assert house.look(good()).status_code == 200
    assert not [row for row in caplog.records if row.name == "peewee"]


class TestReader:
    """Reading tokens at given times."""

    @pytest.fixture
    def reader(self, lasting: House) -> Reader:
        return Reader(lasting.identity.own_keys, HERE, HERE)

    def test_a_token_seen_before_expires_all_the_same(self, reader: Reader) -> None:
        token = good(exp=claims()["iat"] + 600)
        now = claims()["iat"] * SECOND
        assert reader.read(token, now).expires == claims()["iat"] + 600
        assert reader.read(token, now + 600 * SECOND - 1)
        for at in (600, 601, 10**6):
            with pytest.raises(BadToken, match="expired"):
                reader.read(token, now + at * SECOND)
        assert reader.read(token, now)

    def test_clocks_may_differ_by_half_a_minute_but_not_for_the_end(self, reader: Reader) -> None:
        said = claims()
        now = said["iat"] * SECOND
        for name in ("iat", "nbf"):
            assert reader.read(good(**{name: said["iat"] + 30}), now)
            with pytest.raises(BadToken, match="not valid yet"):
                reader.read(good(**{name: said["iat"] + 31}), now)

    def test_what_is_remembered_is_bounded(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "REMEMBERED", 2)
        first, second, third = good(), good(), good()
        for token in (first, second, first, third):
            reader.read(token, clock.now())
        assert len(reader.seen) == 2
        assert tokens.sha256(second.encode()).digest() not in reader.seen

    def test_a_removed_key_makes_its_tokens_bad_at_once(self, house: House) -> None:
        token = good()
        assert house.look(token).status_code == 200
        house.database.change(SigningKey.delete())
        house.identity.own_keys.read()
        assert house.look(token).status_code == 401


def test_the_document_says_what_a_route_needs(lasting: House) -> None:
    said = lasting.api.spec.to_dict()["paths"]["/probe"]["get"]
    assert said["security"] == [{"oauth2": [VIEWER.value]}, {"oauth2": [ADMIN.value]}]
    assert {"401", "403"} <= set(said["responses"])
    assert said["summary"] == "Look."


@pytest.mark.parametrize("scope", Scope)
def test_every_role_is_told_apart(lasting: House, scope: Scope) -> None:
    expected = 200 if scope in (VIEWER, ADMIN) else 403
    assert lasting.look(good(scope=scope.value)).status_code == expected


def test_an_unreachable_provider_is_503(lasting: House) -> None:
    reader = Reader(ProviderKeys("http://127.0.0.1:9/"), HERE, HERE)
    kept, lasting.identity.reader = lasting.identity.reader, reader
    answer = lasting.look(good())
    lasting.identity.reader = kept
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
