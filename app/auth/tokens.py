"""Access tokens as they come back: JWTs of RFC 9068, believed only when every part is right."""

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from threading import Lock
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import orjson

from app.auth.keys import VerifyingKey
from app.auth.scopes import UUID_PATTERN, Words, words

LONGEST = 8_192
"""Characters of a token; those issued here have about 900."""
LEEWAY_SECONDS = 30
"""How far the clocks of issuer and reader may differ; an expired token is never good."""
TYPES = ("at+jwt", "application/at+jwt")
REMEMBERED = 10_000
"""Verified tokens that a process remembers (about 1 KB each)."""
SCOPES = 1_000
"""Texts of scopes whose words a process remembers: a deployment's tokens say few different ones."""
HEADS = 100
"""First parts of tokens that a process remembers."""
TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
"""From base64url to base64; what only the latter knows becomes what neither does."""

signed_words = lru_cache(SCOPES)(words)


class BadToken(Exception):
    """The token is not good; the text says why, to people."""


class Keys(Protocol):
    """Where the keys come from that may verify a token."""

    def verifying(self, kid: str) -> VerifyingKey | None:
        """The key with this id, the same object as long as it is the same key."""


class Verified(NamedTuple):
    """What a good token says. `expires`: unix seconds."""

    client_id: str
    subject: str
    said: Words
    tenant: UUID
    expires: float
    key: VerifyingKey


def unpacked(text: bytes) -> bytes:
    """The bytes of base64url `text`, of which there is one spelling only. Raises BadToken."""
    standard = text.translate(TO_STANDARD) + b"=" * (-len(text) % 4)
    try:
        content = a2b_base64(standard, strict_mode=True)
    except Base64Error:
        raise BadToken("is damaged") from None
    if b2a_base64(content, newline=False) != standard:
        raise BadToken("is damaged")
    return content


def json_object(text: bytes) -> dict[str, Any]:
    """The JSON object that base64url `text` holds. Raises BadToken."""
    try:
        content = orjson.loads(unpacked(text))
    except orjson.JSONDecodeError:
        raise BadToken("is damaged") from None
    if not isinstance(content, dict):
        raise BadToken("is damaged")
    return content


def moment(claims: Mapping[str, Any], name: str) -> float:
    """The time that a claim names, in unix seconds. Raises BadToken."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise BadToken(f"has no usable claim '{name}'")
    return value


def text_of(claims: Mapping[str, Any], name: str) -> str:
    """The text that a claim holds. Raises BadToken."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise BadToken(f"has no usable claim '{name}'")
    return value


def is_for(audience: str, claims: Mapping[str, Any]) -> bool:
    """Whether the claim `aud`, a text or a list of texts, names `audience`."""
    named = claims.get("aud")
    return audience in named if isinstance(named, list) else audience == named


class Reader:
    """Tells good tokens of one issuer from all others."""

    def __init__(self, keys: Keys, issuer: str, audience: str) -> None:
        """`issuer`, `audience`: what `iss` must say and `aud` must name."""
        self.keys = keys
        self.issuer = issuer
        self.audience = audience
        self.seen: OrderedDict[bytes, Verified] = OrderedDict()
        self.heads: dict[bytes, VerifyingKey] = {}
        """The key that a token's first part names: all tokens that one key signed begin alike."""
        self.lock = Lock()

    def read(self, token: str, now: int) -> Verified:
        """What `token` says, at the time `now` (epoch ns). Raises BadToken, Unavailable."""
        if len(token) > LONGEST:
            raise BadToken("is too long")
        # The digest stands for the whole text, so that no other spelling finds the entry.
        text = token.encode()
        digest = sha256(text).digest()
        found = self.recall(digest)
        if found is None:
            found = self.verified(text, now)
            self.remember(digest, found)
        if found.expires * 10**9 <= now:
            raise BadToken("has expired")
        return found

    def recall(self, digest: bytes) -> Verified | None:
        """What is remembered of a token whose key is still in use."""
        with self.lock:
            found = self.seen.get(digest)
            if found is None:
                return None
            self.seen.move_to_end(digest)
        return found if self.keys.verifying(found.key.kid) is found.key else None

    def remember(self, digest: bytes, verified: Verified) -> None:
        """Know this token again; the one not asked for longest is forgotten."""
        with self.lock:
            self.seen[digest] = verified
            if len(self.seen) > REMEMBERED:
                self.seen.popitem(last=False)

    def verified(self, token: bytes, now: int) -> Verified:
        """What a token says that was not seen before. Raises BadToken, Unavailable."""
        signed, _, signature = token.rpartition(b".")
        header, dot, payload = signed.partition(b".")
        if not dot:
            raise BadToken("is no JWT")
        key = self.signer(header)
        if not key.verifies(signed, unpacked(signature)):
            raise BadToken("has a wrong signature")
        return self.believed(json_object(payload), key, now)

    def signer(self, header: bytes) -> VerifyingKey:
        """The key that the first part of a token names. Raises BadToken."""
        key = self.heads.get(header)
        if key is None or self.keys.verifying(key.kid) is not key:
            key = self.key_of(json_object(header))
            if len(self.heads) >= HEADS:
                self.heads.clear()
            self.heads[header] = key
        return key

    def key_of(self, header: Mapping[str, Any]) -> VerifyingKey:
        """The key that a header names; the key says the algorithm. Raises BadToken."""
        kid, kind = header.get("kid"), header.get("typ")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise BadToken("is no access token: its typ is not at+jwt")
        if "crit" in header or "b64" in header or "zip" in header:
            raise BadToken("uses an extension that is not understood")
        key = self.keys.verifying(kid) if isinstance(kid, str) else None
        if key is None or header.get("alg") != key.algorithm:
            raise BadToken("is not signed by a known key")
        return key

    def believed(self, claims: Mapping[str, Any], key: VerifyingKey, now: int) -> Verified:
        """What the claims of a token with a right signature say. Raises BadToken."""
        if claims.get("iss") != self.issuer or not is_for(self.audience, claims):
            raise BadToken("was issued by or for somebody else")
        latest = now / 10**9 + LEEWAY_SECONDS
        if moment(claims, "iat") > latest or ("nbf" in claims and moment(claims, "nbf") > latest):
            raise BadToken("is not valid yet")
        scope, tenant = claims.get("scope", ""), claims.get("tenant_id")
        if not isinstance(scope, str):
            raise BadToken("has a claim of a wrong type")
        text_of(claims, "jti")
        if not isinstance(tenant, str) or not UUID_PATTERN.fullmatch(tenant):
            raise BadToken("names no tenant")
        return Verified(
            text_of(claims, "client_id"), text_of(claims, "sub"), signed_words(scope), UUID(tenant),
            moment(claims, "exp"), key,
        )  # fmt: skip
