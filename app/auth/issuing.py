"""Access tokens as they go out: signed JWTs (RFC 9068) that no table keeps."""

from secrets import token_urlsafe
from typing import Any

from joserfc import jwt

from app.auth.allowance import Grant
from app.auth.identity import Identity
from app.auth.keys import ALGORITHM, SECOND


def claims(
    identity: Identity, client_id: str, subject: str, grant: Grant, now: int
) -> dict[str, Any]:
    """What a token issued `now` (epoch ns) says."""
    settings = identity.service.settings
    issued = now // SECOND
    return {
        "iss": settings.public_url,
        "aud": settings.public_url,
        "sub": subject,
        "client_id": client_id,
        "iat": issued,
        "exp": issued + settings.token_seconds,
        "jti": token_urlsafe(16),
        "scope": grant.scope,
        "tenant_id": str(grant.tenant.uuid),
    }


def issued(
    identity: Identity, client_id: str, subject: str, grant: Grant, now: int
) -> dict[str, Any]:
    """A new token, as the token endpoint answers it. Raises Unavailable."""
    kid, key = identity.own_keys.signing(now)
    said = claims(identity, client_id, subject, grant, now)
    header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": kid}
    return {
        "access_token": jwt.encode(header, said, key, algorithms=[ALGORITHM]),
        "token_type": "bearer",
        "expires_in": said["exp"] - said["iat"],
        "expires_on": said["exp"],
        "scope": grant.scope,
    }
