"""The token endpoint: what it refuses, in the words of RFC 6749, and how it slows guessing down."""

import logging
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from time import perf_counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from identities import VIEWER, House, private_key

from app import passwords
from app.auth.throttle import Bucket, address_buckets
from app.errors import TooManyAttempts, Unavailable
from app.models import Client, FailedAttempt, SigningKey, User

FORM = "application/x-www-form-urlencoded"
MINUTE = 60 * 10**9
NOW = 1_700_000_000 * 10**9


@pytest.fixture
def house(engine: str) -> Iterator[House]:
    made = House(engine)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(sqlite_engine: Any) -> Iterator[House]:
    """One application for many requests, of which none may change anything."""
    url = sqlite_engine.fresh()
    made = House(url)
    yield made
    made.close()
    sqlite_engine.forget(url)


def basic(text: str | bytes) -> dict[str, str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return {"Authorization": "Basic " + b64encode(raw).decode()}


CREDENTIALS = "client_id={id}&client_secret={secret}"
CC = "grant_type=client_credentials"
PASSWORD = "grant_type=password"
# Body, headers, status and error; {id} and {secret} are those of a good client.
REFUSED: list[tuple[str, str | None, int, str]] = [
    ("", None, 400, "invalid_request"),
    (CREDENTIALS, None, 400, "invalid_request"),
    (f"grant_type=&{CREDENTIALS}", None, 400, "invalid_request"),
    (f"grant_type=implicit&{CREDENTIALS}", None, 400, "unsupported_grant_type"),
    (f"grant_type=refresh_token&{CREDENTIALS}", None, 400, "unsupported_grant_type"),
    (f"{CC}&{CC}&{CREDENTIALS}", None, 400, "invalid_request"),
    (f"{CC}&{CREDENTIALS}&scope=openid&scope=openid", None, 400, "invalid_request"),
    (f"{CC}&{CREDENTIALS}&x=1&x=2", None, 400, "invalid_request"),
    (f"{CC}&{CREDENTIALS}&scope=%FF", None, 400, "invalid_request"),
    (f"{CC}&{CREDENTIALS}&{'&'.join(f'p{n}=1' for n in range(60))}", None, 400, "invalid_request"),
    (f"{CC}&{CREDENTIALS}&pad={'x' * 70_000}", None, 413, "invalid_request"),
    (f"{CC}&{CREDENTIALS}", "basic a:b", 400, "invalid_request"),
    (f"{CC}&client_id={{id}}", "basic {id}:{secret}", 400, "invalid_request"),
    (CC, None, 401, "invalid_client"),
    (CC, "basic :", 401, "invalid_client"),
    (CC, "basic :{secret}", 401, "invalid_client"),
    (CC, "basic {id}:", 401, "invalid_client"),
    (CC, "basic {id}:wrong", 401, "invalid_client"),
    (CC, "basic {id}:{secret}x", 401, "invalid_client"),
    (CC, "basic nobody:{secret}", 401, "invalid_client"),
    (CC, "basic public:", 401, "invalid_client"),
    (CC, "basic public:x", 401, "invalid_client"),
    (CC, "basic {id}", 401, "invalid_client"),
    (CC, "Basic //46eA==", 401, "invalid_client"),
    (CC, "Basic", 401, "invalid_client"),
    (CC, "Basic ***", 401, "invalid_client"),
    (CC, "Bearer abc", 401, "invalid_client"),
    (CC, "Basic \xe9", 401, "invalid_client"),
    (f"{CC}&client_id={{id}}", None, 401, "invalid_client"),
    (f"{CC}&client_id=public", None, 401, "invalid_client"),
    (f"{CC}&client_secret={{secret}}", None, 401, "invalid_client"),
    (f"{CC}&client_id={{id}}&client_secret=wrong", None, 401, "invalid_client"),
    (f"{CC}&client_id=%00&client_secret=%00", None, 401, "invalid_client"),
    (PASSWORD, None, 400, "invalid_request"),
    (f"{PASSWORD}&username=ann", None, 400, "invalid_request"),
    (f"{PASSWORD}&password=pw", None, 400, "invalid_request"),
    (f"{PASSWORD}&username=ann&password=", None, 400, "invalid_request"),
    (f"{PASSWORD}&username=ann&password=no", None, 400, "invalid_grant"),
    (f"{PASSWORD}&username=nobody&password=pw", None, 400, "invalid_grant"),
    (f"{PASSWORD}&username=ANN&password=pw", None, 400, "invalid_grant"),
    (f"{PASSWORD}&username=ann%20&password=pw", None, 400, "invalid_grant"),
    (f"{PASSWORD}&username=ann&password=pw", "basic {id}:wrong", 401, "invalid_client"),
    (f"{PASSWORD}&username=ann&password=pw&client_id={{id}}", None, 401, "invalid_client"),
]  # fmt: skip


def filled(text: str, auth: tuple[str, str]) -> str:
    return text.replace("{id}", auth[0]).replace("{secret}", auth[1])


@pytest.mark.parametrize(("body", "proof", "status", "error"), REFUSED)
def test_a_bad_request_is_refused_in_the_words_of_rfc_6749(
    house: House, body: str, proof: str | None, status: int, error: str
) -> None:
    auth = house.program()
    house.person(login="ann")
    headers = {} if proof is None else {"Authorization": proof}
    if proof and proof.startswith("basic "):
        headers = basic(filled(proof.removeprefix("basic "), auth))
    answer = house.client.post(
        "/api/2/idp/token", data=filled(body, auth), headers=headers, content_type=FORM
    )
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert set(answer.json) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"\n" not in answer.data
    challenge = 'Basic realm="tasks"' if status == 401 else None
    assert answer.headers.get("WWW-Authenticate") == challenge


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain", None])
def test_only_a_form_is_read(house: House, kind: str | None) -> None:
    body = filled(f"{CC}&{CREDENTIALS}", house.program())
    answer = house.client.post("/api/2/idp/token", data=body, content_type=kind)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_a_form_in_chunks_has_the_same_limit(house: House) -> None:
    body = filled(f"{CC}&{CREDENTIALS}&pad=", house.program()).encode()
    for size, status in ((60_000, 200), (65_536, 413)):
        answer = house.client.post(
            "/api/2/idp/token", content_type=FORM, input_stream=BytesIO(body + b"x" * size),
            headers={"Transfer-Encoding": "chunked"}, environ_base={"wsgi.input_terminated": True},
        )  # fmt: skip
        assert answer.status_code == status


def test_credentials_in_the_query_are_not_read(house: House) -> None:
    name, secret = house.program()
    query = f"{CC}&client_id={name}&client_secret={secret}"
    answer = house.client.post(f"/api/2/idp/token?{query}", data="", content_type=FORM)
    assert answer.json["error"] == "invalid_request"
    answer = house.client.post(f"/api/2/idp/token?{query}", data=CC, content_type=FORM)
    assert answer.json["error"] == "invalid_client"


PIECES = some.sampled_from(
    ["grant_type=", "client_credentials", "password", "username=", "scope=", "urn:acronis.com:",
     "&", "%", "%00", "%ff", "=", "+", "client_id=", "client_secret=", "tenant-id:", "\x00", "é"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=some.one_of(some.binary(max_size=80), some.lists(PIECES, max_size=12).map("".join)),
    header=some.one_of(
        some.none(),
        some.binary(max_size=30).map(lambda raw: basic(raw)["Authorization"]),
        some.text("Basic aA:=\t\xe9", max_size=12),
    ),
)
def test_no_request_is_answered_5xx_or_gets_a_token(lasting: House, body: Any, header: Any) -> None:
    lasting.database.change(FailedAttempt.delete())
    headers = {} if header is None else {"Authorization": header}
    answer = lasting.client.post("/idp/token", data=body, headers=headers, content_type=FORM)
    assert answer.status_code in (400, 401)
    assert answer.json["error"].startswith(("invalid_", "unsupported_"))


class TestThrottle:
    """Failures in a minute, per name and per address."""

    def test_ten_failures_close_a_client_even_to_its_right_secret(self, house: House) -> None:
        name, secret = house.program()
        for _ in range(10):
            assert house.by_client((name, "wrong")).status_code == 401
        answer = house.by_client((name, secret))
        assert (answer.status_code, answer.json["error"]) == (429, "too_many_attempts")
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["Cache-Control"] == "no-store"
        assert house.by_client(house.program()).status_code == 200

    def test_ten_failures_close_a_user_but_no_client_of_that_name(self, house: House) -> None:
        name, secret = house.program()
        house.person(login=name)
        for _ in range(10):
            assert house.by_password(name, "wrong").status_code == 400
        assert house.by_password(name).status_code == 429
        assert house.by_client((name, secret)).status_code == 200

    def test_an_unknown_name_is_closed_like_a_known_one(self, house: House) -> None:
        for _ in range(10):
            assert house.by_password("nobody").status_code == 400
        assert house.by_password("nobody").status_code == 429

    def test_requests_without_a_secret_close_nobody(self, house: House) -> None:
        house.person()
        for body in ({}, {"client_id": "public"}) * 10:
            assert house.ask(grant_type="client_credentials", **body).status_code == 401
        assert house.by_password("ann@example.org").status_code == 200
        assert house.by_password("ann@example.org", client_id="public").status_code == 200

    def test_a_hundred_failures_close_an_address(self, house: House) -> None:
        for number in range(100):
            assert house.by_client((f"name-{number}", "wrong")).status_code == 401
        assert house.by_client(house.program()).status_code == 429
        elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
        answer = house.client.post(
            "/idp/token", data={"grant_type": "client_credentials"}, auth=house.program(),
            environ_base=elsewhere,
        )  # fmt: skip
        assert answer.status_code == 200

    def test_a_minute_later_it_is_open_again(self, house: House) -> None:
        throttle, bucket = house.identity.throttle, [Bucket("user", "ann")]
        for second in range(10):
            throttle.admit(bucket, NOW + second)
            throttle.failed(bucket, NOW + second)
        with pytest.raises(TooManyAttempts) as refusal:
            throttle.admit(bucket, NOW + MINUTE // 2)
        assert refusal.value.facts["seconds"] == 30
        throttle.admit(bucket, NOW + MINUTE)
        throttle.failed(bucket, NOW + MINUTE)
        throttle.admit(bucket, NOW + MINUTE)

    def test_what_is_kept_tells_no_name_and_does_not_pile_up(self, house: House) -> None:
        for number in range(3):
            house.identity.throttle.failed([Bucket("user", f"ann{number}")], NOW)
        assert "ann" not in str(house.database.select(FailedAttempt.select().tuples()))
        house.identity.throttle.failed([Bucket("user", "bob")], NOW + MINUTE)
        assert len(house.database.select(FailedAttempt.select().tuples())) == 1

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
            ("2001:db8::1", "2001:db8::ffff:1", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("fe80::1%eth0", "fe80::2", True),
        ],
    )
    def test_an_ipv6_network_is_one_address(self, one: str, other: str, same: bool) -> None:
        assert (address_buckets(one) == address_buckets(other)) is same

    def test_an_unknown_address_is_no_address(self) -> None:
        assert address_buckets("") == address_buckets("unix:") == []


def test_an_unknown_user_costs_as_much_as_a_known_one() -> None:
    kept = passwords.hashed("pw")

    def seconds(kept: str | None) -> float:
        began = perf_counter()
        assert not passwords.matches(kept, "wrong")
        return perf_counter() - began

    seconds(None)
    known, unknown = (min(seconds(who) for _ in range(7)) for who in (kept, None))
    assert 0.5 < known / unknown < 2


def test_only_so_many_passwords_are_compared_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "PATIENCE_SECONDS", 0.01)
    house.person()
    for _ in range(passwords.AT_ONCE):
        passwords.turns.acquire()
    try:
        with pytest.raises(Unavailable):
            passwords.matches(None, "pw")
        answer = house.by_password("ann@example.org")
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        for _ in range(passwords.AT_ONCE):
            passwords.turns.release()
    assert house.by_password("ann@example.org").status_code == 200


def test_a_broken_hash_lets_nobody_in(house: House) -> None:
    login = house.person()
    house.database.change(User.update(password_hash="no hash"))
    assert house.by_password(login).json["error"] == "invalid_grant"


def test_no_secret_is_kept_readable_or_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    name, secret = house.program(VIEWER)
    house.person(password="a very long password")
    tokens = [
        house.by_client((name, secret)).json["access_token"],
        house.by_password("ann@example.org", "a very long password").json["access_token"],
    ]
    house.by_password("ann@example.org", "a mistaken password")
    kept = [house.database.select(model.select().tuples()) for model in (Client, User, SigningKey)]
    private = private_key().as_dict(private=True)["d"]
    said = caplog.text + str(kept)
    for word in (secret, "a very long password", "a mistaken password", private, *tokens):
        assert word not in said.replace("peewee", "")


def test_a_database_that_fails_is_503(sqlite_engine: Any) -> None:
    house = House(sqlite_engine.fresh())
    auth = house.program()
    house.database.run("DROP TABLE failed_attempts")
    answer = house.by_client(auth)
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    house.close()
