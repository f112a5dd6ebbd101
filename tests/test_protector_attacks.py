"""Forged, bent and broken tokens: none is believed, none is answered 5xx."""

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from identities import HERE, House, b64, claims, header, private_key, signed, stored_key
from joserfc.jwk import RSAKey

from app.auth.tokens import BadToken

STRANGER = RSAKey.generate_key(2048)
PUBLIC = json.loads(stored_key().public)
NOW = claims()["iat"]
ALGORITHMS = ["none", "None", "HS256", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA",
              "rs256", "", 1, True, ["RS256"], {"alg": "RS256"}, None]  # fmt: skip
TYPES = ["JWT", "jwt", "at+jwt ", "application/jwt", "at", "", 1, ["at+jwt"], None]
KIDS = ["", "x", "../../etc/passwd", "' OR 1=1 --", "x" * 3000, "\x00", "é.é", ".", "a.b", 0, 1.5,
        [stored_key().kid], {"kid": 1}, None, stored_key().kid + "\n", stored_key().kid.upper(),
        stored_key().kid.partition(".")[0]]  # fmt: skip
TIMES = [None, "1", str(NOW + 600), True, False, [], {}, float("inf"), float("-inf"), float("nan")]
EXTRAS: list[dict[str, Any]] = [
    {"crit": []}, {"crit": ["exp"]}, {"crit": None}, {"crit": ["b64"], "b64": False},
    {"b64": False}, {"b64": True}, {"zip": "DEF"},
]  # fmt: skip
POINTERS: list[dict[str, Any]] = [
    {"jku": "http://127.0.0.1:9/"}, {"x5u": "http://127.0.0.1:9/"}, {"x5c": ["MIIB"]},
    {"jwk": STRANGER.as_dict(private=False)}, {"x5t": "x"},
]  # fmt: skip


def hmac_signed(key: bytes) -> str:
    """A token whose HMAC is made with what everybody knows: our public key."""
    message = (
        f"{b64(json.dumps(header(alg='HS256')).encode())}.{b64(json.dumps(claims()).encode())}"
    )
    return f"{message}.{b64(hmac.digest(key, message.encode(), 'sha256'))}"


def attacks() -> Iterator[tuple[str, str]]:
    """What is tried, and the token."""
    good = signed(header(), claims())
    head, body, signature = good.split(".")
    for name, values in (("alg", ALGORITHMS), ("typ", TYPES), ("kid", KIDS)):
        for value in values:
            yield f"{name} {value!r:.30}", signed(header(**{name: value}), claims())
            yield f"{name} {value!r:.30} unsigned", signed(header(**{name: value}), claims())[:-342]
    for extra in EXTRAS:
        yield f"{extra}", signed({**header(), **extra}, claims())
    for extra in POINTERS:
        yield f"stranger with {extra}"[:40], signed({**header(), **extra}, claims(), STRANGER)
    for form in (PUBLIC["n"].encode(), json.dumps(PUBLIC).encode(), b"", b"\0" * 32,
                 private_key().as_pem(private=False)):  # fmt: skip
        yield "hmac with the public key", hmac_signed(form)
    for name in ("exp", "iat", "nbf"):
        for value in TIMES[1:] if name == "nbf" else TIMES:
            yield f"{name} {value!r}", signed(header(), claims(**{name: value}))
    for value in (0, -1, NOW - 1, NOW - 10**9, 1.5, -1e300):
        yield f"exp {value}", signed(header(), claims(exp=value))
    for value in (NOW + 10_000, 1e300, 10**25, 10**400):
        yield "nbf ahead", signed(header(), claims(nbf=value))
        yield "iat ahead", signed(header(), claims(iat=value))
    for value in (None, "", f"{HERE}/", HERE.upper(), "x", 1, [HERE], {"x": HERE}):
        yield f"iss {value!r}", signed(header(), claims(iss=value))
    for value in (None, "", "x", [], ["x"], [[HERE]], {HERE: 1}, 1, True, [None], f"{HERE} x"):
        yield f"aud {value!r}", signed(header(), claims(aud=value))
    for name in ("sub", "client_id", "jti"):
        for value in (None, "", 1, True, ["x"], {}):
            yield f"{name} {value!r}", signed(header(), claims(**{name: value}))
    for value in (1, 1.5, True, False, {"scope": 1}, ["urn:acronis.com::task_manager::viewer"]):
        yield f"scope {value!r}", signed(header(), claims(scope=value))
    for raw in (b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 5000, b'{"a":' * 900,
                b'{"exp":1e999}', b'{"exp":NaN}'):  # fmt: skip
        yield f"payload {raw[:10]!r}", signed(header(), raw)
        yield f"header {raw[:10]!r}", signed(raw, claims())
    yield "the token of a stranger", signed(header(), claims(), STRANGER)
    yield "signature of zeros", f"{head}.{body}.{b64(bytes(256))}"
    yield "signature empty", f"{head}.{body}."
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{good}.{signature}"
    yield "five parts", f"{good}.x.y"
    yield "another's payload", f"{head}.{b64(json.dumps(claims(sub='admin')).encode())}.{signature}"
    yield "padding", f"{good}="
    yield "plain base64", f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}"
    yield "dots", "..."
    yield "too long", signed(header(), claims(pad="x" * 9000))
    yield "signed twice", signed({**header(), "cty": "JWT"}, good.encode())
    for cut in (1, 2, 100, 341, len(good) - 1):
        yield f"cut by {cut}", good[:-cut]


@pytest.fixture(scope="module")
def house(sqlite_engine: Any) -> Iterator[House]:
    url = sqlite_engine.fresh()
    made = House(url)
    yield made
    made.close()
    sqlite_engine.forget(url)


TRIED = list(attacks())


def test_there_is_a_good_token_to_bend(house: House) -> None:
    assert house.look(signed(header(), claims())).status_code == 200
    for kind in ("application/at+jwt", "AT+JWT"):
        assert house.look(signed(header(typ=kind), claims())).status_code == 200
    for more in ({"nbf": NOW - 5}, {"aud": ["x", HERE]}, {"exp": NOW + 6_000.5}):
        assert house.look(signed(header(), claims(**more))).status_code == 200
    assert len(TRIED) > 200


@pytest.mark.parametrize(("name", "token"), TRIED, ids=range(len(TRIED)))
def test_no_attack_gets_through(house: House, name: str, token: str) -> None:
    answer = house.look(token)
    assert answer.status_code == 401, name
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tasks", error="invalid_token"'


def test_odd_members_of_a_header_change_nothing(house: House) -> None:
    """What a header points to is never fetched or believed; our own signature still counts."""
    for extra in POINTERS:
        assert house.look(signed({**header(), **extra}, claims())).status_code == 200


GOOD = signed(header(), claims(exp=NOW + 10**6))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/="


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    place=some.integers(0, len(GOOD)),
    width=some.integers(0, 4),
    text=some.text(ALPHABET, max_size=4),
)
def test_a_mutated_token_is_believed_only_if_it_is_the_same(
    house: House, place: int, width: int, text: str
) -> None:
    mutated = GOOD[:place] + text + GOOD[place + width :]
    if mutated == GOOD:
        assert house.identity.reader.read(mutated, NOW * 10**9).subject == "s"
    else:
        with pytest.raises(BadToken):
            house.identity.reader.read(mutated, NOW * 10**9)


def test_the_spare_bits_of_the_last_character_are_no_second_spelling(house: House) -> None:
    head, body, signature = GOOD.split(".")
    last = ALPHABET.index(signature[-1])
    twins = [f"{signature[:-1]}{ALPHABET[last + bits]}" for bits in (1, 2, 3) if last % 4 == 0]
    same = urlsafe_b64decode(signature + "==")
    for twin in twins:
        assert urlsafe_b64decode(twin + "==") == same
        assert house.look(f"{head}.{body}.{twin}").status_code == 401
