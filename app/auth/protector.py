"""Protects routes by scope: who has no good token learns nothing of what lies behind.

Authlib's protector and validator, with a strict reading of the header (RFC 6750, section 2.1), our
own reading of tokens, and refusals that the HTTP door answers like all others.
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.oauth2.rfc6750 import BearerTokenValidator
from flask import current_app, g, request
from flask_smorest.utils import deepupdate

from app import clock
from app.auth.callers import Caller
from app.auth.identity import Identity, identity_of
from app.auth.scopes import in_force
from app.auth.tokens import BadToken, Verified
from app.errors import NotAuthenticated, NotAuthorized
from app.standins import itself
from app.vocabulary import Scope

BEARER = re.compile(r"Bearer ([0-9a-zA-Z\-._~+/]*=*)")
"""The reference's pattern, its `=$` read as RFC 6750's `=*`."""
SCHEME = "oauth2"
"""The security scheme's name in the OpenAPI document."""
View = TypeVar("View", bound=Callable[..., Any])


class Validator(BearerTokenValidator):
    """Tells what a bearer token says, and whether that is enough for a call."""

    def __init__(self, identity: Identity) -> None:
        """`identity`: of the application that the calls come to."""
        super().__init__(realm="tasks")
        self.identity = identity

    def authenticate_token(self, token_string: str) -> Verified:
        """What the token says. Raises NotAuthenticated, Unavailable."""
        try:
            return self.identity.reader.read(token_string, clock.now())
        except BadToken as reason:
            raise NotAuthenticated(reason=f"The access token {reason}.") from None

    def validate_token(self, token: Verified, scopes: Iterable[Scope], _: Any) -> Caller:
        """The caller, when the token holds one of `scopes`. Raises NotAuthenticated,
        NotAuthorized."""
        own = self.identity.tenants.find(token.tenant)
        if own is None:
            raise NotAuthenticated(reason="The access token names a tenant that does not exist.")
        found = in_force(token.said, scopes, own, self.identity.tenants.find)
        if found is None:
            raise NotAuthorized([scope.value for scope in scopes])
        return Caller(token.client_id, token.subject, found.scopes, found.tenant)


class Protector(ResourceProtector):
    """Lets a call through when its token holds one of the scopes that it needs."""

    def parse_request_authorization(self, request: Any) -> tuple[Validator, str]:
        """The validator, and the token of the header `Authorization`. Raises NotAuthenticated."""
        header = request.headers.get("Authorization", "")
        match = BEARER.fullmatch(header)
        if match is None:
            raise NotAuthenticated(
                reason="The header 'Authorization: Bearer <access token>' is "
                + ("malformed." if header else "missing."),
                presented=bool(header),
            )
        return self.get_token_validator("bearer"), match[1]

    def acquire_token(self, scopes: Iterable[Scope] = (), **_: Any) -> Caller:
        """The caller of the request that is being answered. Raises NotAuthenticated,
        NotAuthorized, Unavailable."""
        # Not Authlib's way through a copy of the request and a signal: that costs 100 us.
        came = itself(request)
        validator, token = self.parse_request_authorization(came)
        return validator.validate_token(validator.authenticate_token(token), scopes, came)


def protector() -> Protector:
    """The protector of the application that answers."""
    app = itself(current_app)
    found: Protector | None = app.extensions.get("tasks.protector")
    if found is None:
        found = Protector()
        found.register_token_validator(Validator(identity_of(app)))
        app.extensions["tasks.protector"] = found
    return found


def documentation(scopes: Iterable[Scope]) -> dict[str, Any]:
    """What the OpenAPI document says of a route that needs one of `scopes`."""
    return {
        "security": [{SCHEME: [scope.value]} for scope in scopes],
        # Names of flask-smorest's own responses, which it adds to the document when they are used.
        "responses": {"401": "UNAUTHORIZED", "403": "FORBIDDEN"},
    }


def requires(*scopes: Scope) -> Callable[[View], View]:
    """The route answers only callers with one of `scopes`; `g.caller` says who it is.

    Goes above the decorators that read the request: who may not call learns nothing of them.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.caller = protector().acquire_token(scopes)
            return view(*args, **kwargs)

        known = dict(getattr(view, "_apidoc", {}))
        known["manual_doc"] = deepupdate(dict(known.get("manual_doc", {})), documentation(scopes))
        guarded._apidoc = known  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate
