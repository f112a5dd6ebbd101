"""The keys that sign our access tokens: made when first needed, shared through the database.

The private half is sealed (AES-256-GCM) under a key derived from the deployment's secret. A key id
carries a code that only the deployment can make, so that invented ids never reach the database.
"""

import hmac
import json
import logging
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes, token_urlsafe
from threading import Lock
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from app import clock
from app.config import Settings
from app.database import Database
from app.errors import Unavailable
from app.keyring import key_for
from app.repository import signing_keys
from app.repository.signing_keys import StoredKey

ALGORITHM = "RS256"
BITS = 2048
SECOND = 10**9
FRESH_SECONDS = 60.0
"""How long a process relies on the keys that it has read; then a removed key is noticed."""
GRACE = 60 * SECOND
"""How much longer than its last token a retired key is published: clocks differ."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class VerifyingKey:
    """A public key and the one algorithm that it is for; `until`: epoch ns, None: for good."""

    kid: str
    algorithm: str
    key: RSAKey | ECKey
    until: int | None = None

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's on `message`."""
        return bool(JWSRegistry.algorithms[self.algorithm].verify(message, signature, self.key))


@dataclass(frozen=True)
class Seal:
    """Seals and opens private keys, and recognises key ids that this deployment made."""

    cipher: AESGCM
    mark: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "Seal":
        """The deployment's seal. Raises BadSetting."""
        return cls(AESGCM(key_for("signing keys", settings)), key_for("key ids", settings))

    def code(self, name: str) -> str:
        """What follows `name` in a key id: 96 bits that only the deployment can tell."""
        made = hmac.digest(self.mark, name.encode(), "sha256")[:12]
        return urlsafe_b64encode(made).decode()

    def new_id(self) -> str:
        """A key id that nobody had before."""
        name = token_urlsafe(12)
        return f"{name}.{self.code(name)}"

    def made(self, kid: str) -> bool:
        """Whether `kid` was made by this deployment."""
        name, _, code = kid.partition(".")
        return code.isascii() and hmac.compare_digest(code, self.code(name))

    def close(self, kid: str, key: RSAKey) -> str:
        """The private half of `key`, sealed for the key id `kid`."""
        nonce = token_bytes(12)
        private = json.dumps(key.as_dict(private=True)).encode()
        return b64encode(nonce + self.cipher.encrypt(nonce, private, kid.encode())).decode()

    def open(self, stored: StoredKey) -> RSAKey | None:
        """The private key that `stored` holds; None when another secret sealed it."""
        try:
            sealed = b64decode(stored.sealed, validate=True)
            private = self.cipher.decrypt(sealed[:12], sealed[12:], stored.kid.encode())
            return key_of(json.loads(private))
        except (InvalidTag, ValueError):
            log.error("signing key %s cannot be opened with the present secret key", stored.kid)
            return None


def key_of(jwk: Mapping[str, str]) -> RSAKey:
    """The private key that `jwk` (RFC 7518, 6.3) says.

    Not checked again, which takes 50 ms: the seal says that it is the one that was made here.
    """
    e, n, p, q, d, dp, dq, qi = (
        int.from_bytes(urlsafe_b64decode(jwk[name] + "=" * (-len(jwk[name]) % 4)))
        for name in ("e", "n", "p", "q", "d", "dp", "dq", "qi")
    )
    private = RSAPrivateNumbers(p, q, d, dp, dq, qi, RSAPublicNumbers(e, n))
    return RSAKey.import_key(private.private_key(unsafe_skip_rsa_key_validation=True))


def made(seal: Seal, now: int) -> StoredKey:
    """A new key, created `now`."""
    kid = seal.new_id()
    key = RSAKey.generate_key(BITS)
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    return StoredKey(kid, seal.close(kid, key), json.dumps(public), now)


def rotate(database: Database, settings: Settings, now: int) -> str:
    """A new key signs from now on -> its id. The others are published until their tokens expire."""
    key = made(Seal.of(settings), now)
    signing_keys.replace(database, key, now - settings.token_seconds * SECOND - GRACE)
    return key.kid


def public_keys(stored: Sequence[StoredKey], kept: int, now: int) -> dict[str, dict[str, Any]]:
    """Those of `stored` that are published `now`, by id; `kept`: ns after retirement."""
    return {
        key.kid: json.loads(key.public)
        for key in stored
        if key.retired_at is None or now < key.retired_at + kept
    }


class SigningKeys:
    """The deployment's keys as one process knows them."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Nothing is read before the first need."""
        self.database = database
        self.seal = Seal.of(settings)
        self.kept = settings.token_seconds * SECOND + GRACE
        self.known: dict[str, VerifyingKey] = {}
        self.private: dict[str, RSAKey | None] = {}
        self.missing: set[str] = set()
        self.due = 0.0
        self.lock = Lock()

    def verifying(self, kid: str) -> VerifyingKey | None:
        """The key with this id; None: no token that it signed is good. Raises Unavailable.

        The same object as long as the key is the same.
        """
        if clock.monotonic() > self.due:
            self.refresh()
        found = self.known.get(kid)
        if found is None and kid not in self.missing and self.seal.made(kid):
            # Another server may have made it a moment ago; one that is not there never will be.
            self.read()
            found = self.known.get(kid)
            if found is None:
                self.missing.add(kid)
        return found if found and (found.until is None or clock.now() < found.until) else None

    def refresh(self) -> None:
        """Read the keys again; while the database is away those known stay good."""
        self.due = clock.monotonic() + FRESH_SECONDS
        try:
            self.read()
        except Unavailable:
            if not self.known:
                self.due = 0.0
                raise

    def read(self) -> list[StoredKey]:
        """What the database holds is what this process knows -> all keys, the newest first."""
        stored = signing_keys.stored(self.database)
        with self.lock:
            self.known = {key.kid: self.public(key) for key in stored}
        return stored

    def public(self, stored: StoredKey) -> VerifyingKey:
        """The public half of `stored`; the object known already when nothing has changed."""
        until = None if stored.retired_at is None else stored.retired_at + self.kept
        old = self.known.get(stored.kid)
        if old and old.until == until:
            return old
        key = old.key if old else RSAKey.import_key(json.loads(stored.public))
        return VerifyingKey(stored.kid, ALGORITHM, key, until)

    def signing(self, now: int) -> tuple[str, RSAKey]:
        """The key that signs now, and its id; made when there is none. Raises Unavailable.

        Asks the database each time, so that a rotation holds for all servers at once.
        """
        for kid in signing_keys.active(self.database):
            if key := self.opened(kid):
                return kid, key
        useless = [kid for kid, key in self.private.items() if key is None]
        fresh = made(self.seal, now)
        self.database.retried(
            lambda: signing_keys.add(self.database, fresh, useless), repeatable=True
        )
        return self.signing(now)

    def opened(self, kid: str) -> RSAKey | None:
        """The private key with this id; None when it cannot be opened."""
        if kid not in self.private:
            self.private = {
                key.kid: self.seal.open(key) for key in self.read() if key.retired_at is None
            }
        return self.private.get(kid)

    def published(self, now: int) -> list[dict[str, Any]]:
        """The public keys as JWKs, the newest first. Raises Unavailable."""
        self.signing(now)
        return list(public_keys(signing_keys.stored(self.database), self.kept, now).values())
