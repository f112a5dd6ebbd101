"""An outside identity provider: its tokens are believed by the keys that it publishes."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from identities import CUSTOMER, HERE, House, b64, claims, header, signed
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from app import clock
from app.auth import provider
from app.auth.provider import ProviderKeys, key_set
from app.config import BadSetting, load
from app.errors import Unavailable

ISSUER, AUDIENCE = "https://id.example.org/", "tasks"
RSA, EC = RSAKey.generate_key(2048), ECKey.generate_key("P-256")
P384 = ECKey.generate_key("P-384")
WEAK = {"kid": "x", "kty": "RSA", "n": b64(b"\xff" * 128), "e": "AQAB"}


def public(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """A key as a provider publishes it."""
    return {**key.as_dict(private=False), "kid": kid, **more}


class Publisher(ThreadingHTTPServer):
    """A provider's key server on loopback: answers `content` and counts the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.keys: list[dict[str, Any]] = [public(RSA, "rsa", use="sig"), public(EC, "ec")]
        self.status, self.raw, self.asked = 200, b"", 0
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/keys"

    @property
    def content(self) -> bytes:
        return self.raw or json.dumps({"keys": self.keys}).encode()


class Answer(BaseHTTPRequestHandler):
    """Answers one request of a Publisher."""

    server: Publisher

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    server = Publisher()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(engine: str, publisher: Publisher) -> Iterator[House]:
    made = House(
        engine, TASKS_AUTH_ISSUER=ISSUER, TASKS_AUTH_AUDIENCE=AUDIENCE,
        TASKS_AUTH_JWKS_URL=publisher.url,
    )  # fmt: skip
    yield made
    made.close()


def token(key: Any = RSA, kid: str = "rsa", alg: str = "RS256", **changed: Any) -> str:
    said = claims(**{"iss": ISSUER, "aud": [AUDIENCE, "other"], **changed})
    return jwt.encode({"alg": alg, "typ": "at+jwt", "kid": kid}, said, key, algorithms=[alg])


def test_it_works(house: House, publisher: Publisher) -> None:
    for sent in (token(), token(EC, "ec", "ES256"), token()):
        answer = house.look(sent)
        assert (answer.status_code, answer.json["tenant"]) == (200, "/1/2/")
    assert publisher.asked == 1


# What makes a provider's token bad: key, key id, algorithm and claims.
BAD: list[tuple[Any, str, str, dict[str, Any]]] = [
    (RSA, "unknown", "RS256", {}),
    (EC, "rsa", "ES256", {}),
    (RSA, "rsa", "PS256", {}),
    (RSA, "rsa", "RS512", {}),
    (RSAKey.generate_key(2048), "rsa", "RS256", {}),
    (RSA, "rsa", "RS256", {"iss": HERE}),
    (RSA, "rsa", "RS256", {"aud": HERE}),
    (RSA, "rsa", "RS256", {"tenant_id": None}),
    (RSA, "rsa", "RS256", {"tenant_id": str(CUSTOMER).replace("2", "9")}),
    (RSA, "rsa", "RS256", {"scope": ["viewer"]}),
    (RSA, "rsa", "RS256", {"exp": 1}),
]


@pytest.mark.parametrize(("key", "kid", "alg", "changed"), BAD, ids=range(len(BAD)))
def test_a_bad_token_is_401(house: House, key: Any, kid: str, alg: str, changed: Any) -> None:
    assert house.look(token(key, kid, alg, **changed)).status_code == 401


def test_our_own_tokens_are_not_believed_and_none_are_issued(house: House) -> None:
    assert house.look(signed(header(), claims())).status_code == 401
    for path in ("/api/2/idp/token", "/idp/token"):
        assert house.ask(path=path, grant_type="client_credentials").status_code == 404
    for path in ("/api/2/idp/jwks", "/.well-known/oauth-authorization-server"):
        assert house.client.get(path).json["code"] == "no_such_path"


def test_a_new_key_is_fetched_but_not_more_often_than_every_ten_seconds(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.monotonic()
    known = ProviderKeys(publisher.url)
    first = known.verifying("rsa")
    publisher.keys.append(public(EC, "new"))
    for later, asked, found in ((0, 1, False), (9, 1, False), (10.1, 2, True), (11, 2, True)):
        monkeypatch.setattr(clock, "monotonic", lambda later=later: now + later)
        known.tried = now if publisher.asked == 1 else known.tried
        assert (known.verifying("new") is not None, publisher.asked) == (found, asked)
    assert known.verifying("rsa") is first
    publisher.keys = [public(RSAKey.generate_key(2048), "rsa")]
    monkeypatch.setattr(clock, "monotonic", lambda: now + provider.FRESH_SECONDS + 60)
    assert known.verifying("rsa") is not first
    assert known.verifying("ec") is None


def test_while_it_is_away_known_keys_stay_good(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ProviderKeys(publisher.url)
    publisher.status = 500
    with pytest.raises(Unavailable):
        known.verifying("rsa")
    publisher.status = 200
    with pytest.raises(Unavailable):
        known.verifying("rsa")
    later = clock.monotonic() + provider.PAUSE_SECONDS
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert known.verifying("rsa")
    publisher.status = 500
    monkeypatch.setattr(clock, "monotonic", lambda: later + provider.FRESH_SECONDS + 1)
    assert known.verifying("rsa")


@pytest.mark.parametrize(
    ("status", "raw"),
    [(302, b""), (404, b""), (200, b"x"), (200, b"[]"), (200, b'{"keys": 1}'), (200, b"\xff"),
     (200, b" " * (provider.LARGEST + 1))],
)  # fmt: skip
def test_what_is_no_key_set_is_not_taken(publisher: Publisher, status: int, raw: bytes) -> None:
    publisher.status, publisher.raw = status, raw
    with pytest.raises(Unavailable):
        ProviderKeys(publisher.url).verifying("rsa")
    assert publisher.asked == 1


@pytest.mark.parametrize(
    "row",
    [
        None, [], {}, {"kid": "x"}, {"kid": 1, "kty": "RSA"}, {"kid": "x", "kty": ["RSA"]},
        {"kid": "x", "kty": "RSA"}, {"kid": "x", "kty": "RSA", "n": 1, "e": "AQAB"},
        {"kid": "x", "kty": "RSA", "n": "", "e": ""}, {"kid": "x", "kty": "RSA", "n": "é" * 400},
        {"kid": "x", "kty": "RSA", "n": b64(b"\xff" * 2000), "e": "AQAB"},
        {"kid": "x", "kty": "RSA", "n": "é" * 400, "e": "A"},
        public(RSA, "x", use="enc"), public(RSA, "x", alg="PS256"), public(RSA, "x", alg="HS256"),
        {**RSA.as_dict(private=True), "kid": "x"}, public(P384, "x"), WEAK,
        {"kid": "x", "kty": "EC", "crv": "P-256", "x": b64(b"1"), "y": b64(b"2")},
        public(EC, "x", alg="RS256"),
        {**OctKey.import_key("a secret of more than sixteen bytes").as_dict(), "kid": "x"},
    ],
)  # fmt: skip
def test_an_unusable_key_is_left_out(row: Any) -> None:
    content = json.dumps({"keys": [row, public(RSA, "rsa")]}).encode()
    assert [key.kid for key in key_set(content)] == ["rsa"]


@pytest.mark.parametrize("url", ["http://id.example.org/keys", "ftp://127.0.0.1/", "file:///etc"])
def test_keys_come_over_https_or_from_loopback(url: str) -> None:
    given = {"TASKS_AUTH_ISSUER": ISSUER, "TASKS_AUTH_AUDIENCE": AUDIENCE}
    with pytest.raises(BadSetting, match="TASKS_AUTH_JWKS_URL"):
        load({**given, "TASKS_AUTH_JWKS_URL": url})
