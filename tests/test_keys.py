"""Signing keys: made once, sealed, shared by all servers, rotated with overlap."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from identities import SECRET, House, claims, decoded, header, signed, stored_key
from joserfc import jwt
from joserfc.jwk import KeySet

from app import clock
from app.auth import keys
from app.auth.keys import Seal, SigningKeys, rotate
from app.errors import Unavailable
from app.models import SigningKey
from app.repository import signing_keys

SECOND = 10**9
LIFE = 7200 * SECOND


@pytest.fixture
def house(engine: str) -> Iterator[House]:
    made = House(engine)
    yield made
    made.close()


def published(house: House) -> list[str]:
    return [row["kid"] for row in house.client.get("/api/2/idp/jwks").json["keys"]]


def test_it_works(house: House) -> None:
    """Who has only the published keys can verify our tokens."""
    token = house.by_client(house.program()).json["access_token"]
    answer = house.client.get("/api/2/idp/jwks")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert b"\n" not in answer.data
    (row,) = answer.json["keys"]
    assert {row["kty"], row["use"], row["alg"], row["kid"]} == {
        "RSA", "sig", "RS256", stored_key().kid,
    }  # fmt: skip
    assert set(row) == {"kty", "use", "alg", "kid", "n", "e"}
    read = jwt.decode(token, KeySet.import_key_set(answer.json), algorithms=["RS256"])
    assert read.claims["iss"] == house.settings.public_url


def test_the_first_key_is_made_when_it_is_needed(engine: str) -> None:
    house = House(engine, key=False)
    (kid,) = published(house)
    token = house.by_client(house.program()).json["access_token"]
    assert jwt.decode(token, house.identity.own_keys.private[kid]).header["kid"] == kid
    assert house.look(token).status_code == 200
    assert house.identity.own_keys.private[kid].raw_value.key_size == 2048
    house.close()


def test_servers_that_start_at_once_understand_each_other(engine: str) -> None:
    houses = [House(engine, key=False)]
    houses += [Server(houses[0]) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda house: issue(house), houses))
    for house in houses:
        assert {house.look(token).status_code for token in tokens} == {200}
    assert len(signing_keys.active(houses[0].database)) <= len(houses)
    if houses[0].database.dialect == "sqlite":
        assert len(signing_keys.active(houses[0].database)) == 1
    for house in houses:
        house.close()


class Server(House):
    """Another server of the deployment of `first`."""

    def __init__(self, first: House, **settings: Any) -> None:
        super().__init__(first.settings.database_url, **settings)

    def fill(self, key: bool) -> None:
        """All is there already."""


def issue(house: House) -> str:
    token: str = house.by_client(house.program()).json["access_token"]
    house.database.close()
    return token


def test_a_rotation_holds_at_once_and_the_old_key_is_published_until_its_last_token_ends(
    house: House,
) -> None:
    other = Server(house)
    old = issue(house)
    assert other.look(old).status_code == 200
    now = clock.now()
    kid = rotate(house.database, house.settings, now)
    fresh = issue(house)
    assert jwt.decode(fresh, house.identity.own_keys.private[kid]).header["kid"] == kid
    assert issue(other)
    assert other.look(fresh).status_code == house.look(fresh).status_code == 200
    assert house.look(old).status_code == other.look(old).status_code == 200
    assert published(house) == published(other) == [kid, stored_key().kid]
    stored = signing_keys.stored(house.database)
    kept = house.identity.own_keys.kept
    assert kept >= LIFE
    assert set(keys.public_keys(stored, kept, now + kept - 1)) == {kid, stored_key().kid}
    assert set(keys.public_keys(stored, kept, now + kept)) == {kid}
    rotate(house.database, house.settings, now + kept + 1)
    assert stored_key().kid not in [row.kid for row in signing_keys.stored(house.database)]
    other.close()


def test_a_retired_key_verifies_nothing_once_its_time_is_over(house: House) -> None:
    token = issue(house)
    kept = house.identity.own_keys.kept
    rotate(house.database, house.settings, clock.now() - kept)
    house.identity.own_keys.read()
    assert house.look(token).status_code == 401
    assert len(published(house)) == 1


def test_a_new_key_is_found_by_a_server_that_has_not_heard_of_it(house: House) -> None:
    other = Server(house)
    assert other.look(issue(house)).status_code == 200
    rotate(house.database, house.settings, clock.now())
    assert other.look(issue(house)).status_code == 200
    other.close()


def test_an_invented_key_id_never_reaches_the_database(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    assert house.look(issue(house)).status_code == 200
    caplog.set_level(logging.DEBUG, "peewee")
    for kid in ("x", "a.b", "é.é", stored_key().kid[:-1], "." * 50):
        assert house.look(signed(header(kid=kid), claims())).status_code == 401
    assert not caplog.records
    forgotten = house.identity.own_keys.seal.new_id()
    for _ in range(3):
        assert house.look(signed(header(kid=forgotten), claims())).status_code == 401
    assert len(caplog.records) == 1


def test_keys_stay_good_while_the_database_is_away(
    sqlite_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(sqlite_engine.fresh())
    token = issue(house)
    assert house.look(token).status_code == 200
    house.database.run("DROP TABLE signing_keys")
    house.identity.own_keys.due = 0.0
    assert house.look(token).status_code == 200
    empty = Server(house)
    assert empty.look(token).status_code == 503
    with pytest.raises(Unavailable):
        empty.identity.own_keys.signing(1)
    assert empty.client.get("/api/2/idp/jwks").status_code == 503
    empty.close()
    house.close()


def test_the_private_half_is_sealed_under_the_deployment_s_secret(house: House) -> None:
    seal, stored = Seal.of(house.settings), stored_key()
    opened = seal.open(stored)
    assert opened
    assert opened.is_private
    assert "d" not in json.loads(stored.public)
    assert str(opened.as_dict(private=True)["d"]) not in stored.sealed
    # The seal is for this key id alone, and it is noticed when a byte is another.
    assert seal.open(signing_keys.StoredKey("other", stored.sealed, stored.public, 1)) is None
    bent = stored.sealed[:-2] + ("A" if stored.sealed[-2] != "A" else "B") + stored.sealed[-1]
    for sealed in (bent, stored.sealed[:40], "", "not base64!"):
        assert seal.open(signing_keys.StoredKey(stored.kid, sealed, stored.public, 1)) is None


def test_with_another_secret_key_a_new_signing_key_is_made(house: House) -> None:
    old = issue(house)
    changed = Server(house, TASKS_SECRET_KEY=SECRET[::-1])
    fresh = issue(changed)
    assert changed.look(fresh).status_code == 200
    # The public halves are no secret: what was signed before stays good to its end.
    assert changed.look(old).status_code == 200
    assert len(signing_keys.active(house.database)) == 2
    issue(changed)
    assert decoded(issue(house))[0]["kid"] == stored_key().kid
    assert len(signing_keys.active(house.database)) == 2
    changed.close()


def test_a_key_that_nobody_can_read_makes_no_token_good(house: House) -> None:
    kept = SigningKeys(house.settings, house.database)
    assert kept.verifying("nobody") is None
    house.database.change(SigningKey.delete())
    kept.read()
    assert kept.verifying(stored_key().kid) is None
    assert kept.verifying(stored_key().kid) is None
