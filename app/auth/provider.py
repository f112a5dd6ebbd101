"""The keys of an outside identity provider, fetched from where it publishes them."""

import http.client
import logging
from collections.abc import Iterator
from threading import Lock
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from app import clock
from app.auth.keys import VerifyingKey
from app.errors import Unavailable

TIMEOUT_SECONDS = 5.0
LARGEST = 65_536
"""Bytes of a key set; more is not read."""
PAUSE_SECONDS = 10.0
"""Least time between two fetches, however many unknown key ids come in."""
FRESH_SECONDS = 600.0
"""How long a fetched key set is relied on; then a removed key is noticed."""
RSA_BITS = range(2048, 8193)
LEAST_DIGITS = 342
"""Characters of base64url that the modulus of 2048 bits has."""
log = logging.getLogger(__name__)


class NoRedirects(HTTPRedirectHandler):
    """The keys come from the address that was set, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: urllib then reports the redirect as an error."""


OPENER = build_opener(NoRedirects, ProxyHandler({}))


def fetched(url: str) -> bytes:
    """What `url` answers. Raises OSError, ValueError or HTTPException."""
    deadline = clock.monotonic() + TIMEOUT_SECONDS
    content = b""
    with OPENER.open(
        Request(url, headers={"Accept": "application/json"}), timeout=TIMEOUT_SECONDS
    ) as answer:
        while block := answer.read1(LARGEST):
            content += block
            # The socket's own limit starts again with every byte that drips in.
            if len(content) > LARGEST or clock.monotonic() > deadline:
                raise ValueError("the key set is too large or comes too slowly")
    return content


def verifying_key(row: Any) -> VerifyingKey | None:
    """The key that a member of a key set describes; None: not one that we verify with."""
    if not isinstance(row, dict) or not isinstance(row.get("kid"), str):
        return None
    if row.get("use", "sig") != "sig" or "d" in row:
        return None
    try:
        match row.get("kty"), row.get("alg"), row.get("crv"):
            case "RSA", None | "RS256", _ if len(row["n"]) >= LEAST_DIGITS:
                rsa = RSAKey.import_key(row)
                usable = rsa.raw_value.key_size in RSA_BITS
                return VerifyingKey(row["kid"], "RS256", rsa) if usable else None
            case "EC", None | "ES256", "P-256":
                return VerifyingKey(row["kid"], "ES256", ECKey.import_key(row))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("identity provider: key %.100r is not usable: %s", row["kid"], error)
    return None


def key_set(content: bytes) -> Iterator[VerifyingKey]:
    """The usable keys of a published key set. Raises ValueError when it is none."""
    document = orjson.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("the answer is no key set")
    yield from filter(None, map(verifying_key, document["keys"]))


class ProviderKeys:
    """The outside provider's keys as one process knows them."""

    def __init__(self, url: str) -> None:
        """Nothing is fetched before the first need."""
        self.url = url
        self.known: dict[str, VerifyingKey] = {}
        self.tried: float | None = None
        self.read: float | None = None
        self.lock = Lock()

    def verifying(self, kid: str) -> VerifyingKey | None:
        """The key with this id, or None. Raises Unavailable while no key set could be had."""
        old = self.read is None or clock.monotonic() > self.read + FRESH_SECONDS
        if old or kid not in self.known:
            self.refresh()
        if self.read is None:
            raise Unavailable(reason="the identity provider does not answer", seconds=10)
        return self.known.get(kid)

    def refresh(self) -> None:
        """Fetch the keys, unless that was tried just now; those known stay when it fails."""
        with self.lock:
            if self.tried is not None and clock.monotonic() < self.tried + PAUSE_SECONDS:
                return
            try:
                found = {key.kid: key for key in key_set(fetched(self.url))}
                self.known = {kid: self.same(key) for kid, key in found.items()}
                self.read = clock.monotonic()
            except (OSError, URLError, ValueError, http.client.HTTPException) as error:
                log.warning("identity provider: no keys from %s: %s", self.url, error)
            finally:
                self.tried = clock.monotonic()

    def same(self, key: VerifyingKey) -> VerifyingKey:
        """The object known already when it is the same key: what it verified stays verified."""
        old = self.known.get(key.kid)
        unchanged = old and old.key.as_dict(private=False) == key.key.as_dict(private=False)
        return old if old and unchanged else key
