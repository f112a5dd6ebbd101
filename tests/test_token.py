"""The token endpoint: what a good request gets."""

from collections.abc import Iterator
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
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
    decoded,
    stored_key,
)

from app import clock
from app.repository import credentials

TENANT = "urn:acronis.com:tenant-id:"
ALL = (VIEWER, ISSUER, CONSUMER, ADMIN)


@pytest.fixture
def house(engine: str) -> Iterator[House]:
    made = House(engine)
    yield made
    made.close()


def scopes_of(answer: Any) -> list[str]:
    return sorted(word.rpartition(":")[2] for word in answer.json["scope"].split())


def test_it_works(house: House) -> None:
    name, secret = house.program(VIEWER, ISSUER)
    before = clock.now() // 10**9
    answer = house.by_client((name, secret))
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"\n" not in answer.data
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "expires_on", "scope"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 7200)
    assert before + 7200 <= answer.json["expires_on"] <= clock.now() // 10**9 + 7200
    assert answer.json["scope"] == f"{VIEWER.value} {ISSUER.value}"
    header, claims = decoded(answer.json["access_token"])
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": stored_key().kid}
    assert (claims["iss"], claims["aud"]) == (HERE, HERE)
    assert (claims["sub"], claims["client_id"]) == (name, name)
    assert claims["exp"] == answer.json["expires_on"] == claims["iat"] + 7200
    assert (claims["tenant_id"], claims["scope"]) == (str(CUSTOMER), answer.json["scope"])
    seen = house.look(answer.json["access_token"]).json
    assert seen == {
        "client": name, "subject": name, "roles": ["issuer", "viewer"], "tenant": "/1/2/",
    }  # fmt: skip


def test_credentials_may_come_in_the_body_and_the_path_has_an_alias(house: House) -> None:
    name, secret = house.program()
    for path in ("/api/2/idp/token", "/idp/token"):
        answer = house.ask(
            path=path, grant_type="client_credentials", client_id=name, client_secret=secret
        )
        assert answer.status_code == 200


def test_no_two_tokens_are_the_same(house: House) -> None:
    auth = house.program()
    assert len({house.by_client(auth).json["access_token"] for _ in range(3)}) == 3


@pytest.mark.parametrize("scope", [None, "", " ", "openid", "offline_access", "openid  openid"])
def test_who_names_no_scope_gets_all(house: House, scope: str | None) -> None:
    form = {} if scope is None else {"scope": scope}
    assert scopes_of(house.by_client(house.program(VIEWER, CONSUMER), **form)) == [
        "consumer", "viewer",
    ]  # fmt: skip


# What the client may have, what it asks for, and what it gets: (scope, tenant of the token).
def asked() -> Iterator[tuple[tuple[Any, ...], str, tuple[str, Any] | None]]:
    viewer, issuer = VIEWER.value, ISSUER.value
    yield (VIEWER, ISSUER), viewer, (viewer, CUSTOMER)
    yield (VIEWER, ISSUER), f"openid {issuer} {viewer} {viewer}", (f"{issuer} {viewer}", CUSTOMER)
    yield (ADMIN,), viewer, (viewer, CUSTOMER)
    yield (VIEWER,), ADMIN.value, None
    yield (VIEWER,), f"{viewer} {issuer}", None
    yield (VIEWER,), "viewer", None
    yield (VIEWER,), f"{viewer}\t{viewer}", None
    yield (VIEWER,), viewer.upper(), None
    for tenant in (BELOW, CUSTOMER):
        narrowing = f"{TENANT}{tenant}"
        yield (VIEWER,), narrowing, (f"{viewer} {narrowing}", tenant)
        yield (VIEWER,), narrowing.replace(str(tenant), str(tenant).upper()), (
            f"{viewer} {narrowing}", tenant,
        )  # fmt: skip
        yield (VIEWER,), f"{narrowing} offline_access {viewer}", (f"{viewer} {narrowing}", tenant)
        right = VIEWER.within(str(tenant))
        yield (VIEWER, ISSUER), right, (right, tenant)
        yield (VIEWER, ISSUER), f"{right} {issuer}", (f"{right} {issuer}", CUSTOMER)
        yield (VIEWER,), f"{right} {narrowing}", (f"{right} {narrowing}", tenant)
        yield (VIEWER,), ISSUER.within(str(tenant)), None
    yield (VIEWER,), f"{TENANT}{OTHER}", None
    yield (VIEWER,), f"{TENANT}{str(OTHER)[:-1]}9", None
    yield (VIEWER,), VIEWER.within(str(OTHER)), None
    yield (VIEWER,), f"{TENANT}{BELOW} {TENANT}{CUSTOMER}", None
    yield (VIEWER,), f"{TENANT}{BELOW} {VIEWER.within(str(CUSTOMER))}", None
    yield (VIEWER,), f"{TENANT}{{{BELOW}}}", None
    yield (VIEWER,), TENANT, None


@pytest.mark.parametrize(("scopes", "scope", "expected"), list(asked()))
def test_a_scope_is_granted_as_asked_or_refused(
    house: House, scopes: Any, scope: str, expected: Any
) -> None:
    answer = house.by_client(house.program(*scopes), scope=scope)
    if expected is None:
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")
    else:
        assert (answer.status_code, answer.json["scope"]) == (200, expected[0])
        claims = decoded(answer.json["access_token"])[1]
        assert (claims["scope"], claims["tenant_id"]) == (expected[0], str(expected[1]))


def test_a_narrowed_token_sees_the_subtree_only(house: House) -> None:
    auth = house.program()
    for scope in (f"{TENANT}{BELOW}", VIEWER.within(str(BELOW))):
        token = house.by_client(auth, scope=scope).json["access_token"]
        assert house.look(token).json["tenant"] == "/1/2/3/"


class TestPassword:
    """The grant in which a program acts for a user."""

    @pytest.mark.parametrize("auth", [None, ("", "")])
    @pytest.mark.parametrize(
        "body", [{}, {"client_id": "", "client_secret": ""}, {"client_id": "public"}]
    )
    def test_without_a_client_the_public_one_acts(self, house: House, auth: Any, body: Any) -> None:
        answer = house.by_password(house.person(ISSUER, VIEWER), auth=auth, **body)
        assert (answer.status_code, scopes_of(answer)) == (200, ["issuer", "viewer"])
        claims = decoded(answer.json["access_token"])[1]
        assert (claims["sub"], claims["client_id"]) == ("ann@example.org", "public")

    @pytest.mark.parametrize("auth", [None, ("", "")])
    def test_a_setting_turns_the_public_client_off(self, engine: str, auth: Any) -> None:
        house = House(engine, TASKS_PUBLIC_CLIENT="0")
        answer = house.by_password(house.person(), auth=auth)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
        assert house.by_password("ann@example.org", auth=house.program()).status_code == 200
        house.close()

    @pytest.mark.parametrize(
        ("client", "user", "expected"),
        [
            ((VIEWER, ISSUER), (ISSUER, CONSUMER), ["issuer"]),
            ((ADMIN,), (VIEWER,), ["viewer"]),
            ((CONSUMER,), (ADMIN,), ["consumer"]),
            (ALL, (VIEWER, ADMIN), ["admin", "viewer"]),
            ((VIEWER,), (ISSUER,), None),
        ],
    )
    def test_the_token_has_what_client_and_user_share(
        self, house: House, client: Any, user: Any, expected: Any
    ) -> None:
        answer = house.by_password(house.person(*user), auth=house.program(*client))
        if expected is None:
            assert answer.json["error"] == "invalid_scope"
        else:
            assert scopes_of(answer) == expected

    @pytest.mark.parametrize(
        ("client", "user", "expected"),
        [(1, 2, CUSTOMER), (2, 1, CUSTOMER), (2, 3, BELOW), (3, 2, BELOW), (2, 4, None)],
    )
    def test_the_token_is_for_the_lower_of_the_two_tenants(
        self, house: House, client: int, user: int, expected: Any
    ) -> None:
        answer = house.by_password(house.person(tenant=user), auth=house.program(tenant=client))
        if expected is None:
            assert answer.json["error"] == "invalid_scope"
        else:
            claims = decoded(answer.json["access_token"])[1]
            assert claims["tenant_id"] == str(expected)

    def test_a_login_and_a_password_may_be_of_any_script(self, house: House) -> None:
        login = house.person(login="Ольга 小林", password="naïve ☕ + % &=")
        assert house.by_password(login, "naïve ☕ + % &=").status_code == 200
        assert house.by_password(login, "naive ☕ + % &=").json["error"] == "invalid_grant"


class TestDisabled:
    """Who is disabled, deleted or has a new secret."""

    def test_a_disabled_client_gets_no_new_token(self, house: House) -> None:
        name, secret = house.program()
        token = house.by_client((name, secret)).json["access_token"]
        credentials.disable_client(house.database, name, 2)
        assert house.by_client((name, secret)).json["error"] == "invalid_client"
        assert house.look(token).status_code == 200
        credentials.enable_client(house.database, name)
        assert house.by_client((name, secret)).status_code == 200
        credentials.delete_client(house.database, name)
        assert house.by_client((name, secret)).json["error"] == "invalid_client"

    def test_a_disabled_user_gets_no_new_token(self, house: House) -> None:
        login = house.person()
        credentials.disable_user(house.database, login, 2)
        assert house.by_password(login).json["error"] == "invalid_grant"
        credentials.enable_user(house.database, login)
        credentials.rename_user(house.database, login, "bob")
        assert house.by_password("bob").status_code == 200
        credentials.delete_user(house.database, "bob")
        assert house.by_password("bob").json["error"] == "invalid_grant"

    def test_a_new_secret_or_password_voids_the_old(self, house: House) -> None:
        name, secret = house.program()
        login = house.person()
        fresh = credentials.rotate_secret(house.database, name)
        credentials.set_password(house.database, login, "new")
        assert house.by_client((name, secret)).status_code == 401
        assert house.by_client((name, fresh)).status_code == 200
        assert house.by_password(login).status_code == 400
        assert house.by_password(login, "new").status_code == 200


def test_the_metadata_is_what_rfc_8414_asks(house: House) -> None:
    answer = house.client.get("/.well-known/oauth-authorization-server")
    AuthorizationServerMetadata(answer.json).validate()
    assert answer.json["token_endpoint"] == f"{HERE}/api/2/idp/token"
    assert answer.json["jwks_uri"] == f"{HERE}/api/2/idp/jwks"


def test_the_life_of_a_token_is_a_setting(engine: str) -> None:
    house = House(engine, TASKS_TOKEN_SECONDS="60")
    answer = house.by_client(house.program())
    claims = decoded(answer.json["access_token"])[1]
    assert (answer.json["expires_in"], claims["exp"] - claims["iat"]) == (60, 60)
    house.close()
