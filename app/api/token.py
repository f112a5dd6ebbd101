"""Identity over HTTP: tokens, the keys that verify them, and where both are to be found."""

from typing import Any

from flask import Response, current_app, request
from flask_smorest import Blueprint

from app import clock
from app.api.answers import as_json
from app.auth.clients import METHODS
from app.auth.identity import Identity, identity_of
from app.auth.server import TokenServer
from app.errors import NoSuchPath
from app.vocabulary import Scope

KEYS_SECONDS = 300
"""How long others may keep our keys."""
PATH = "/api/2/idp"
blp = Blueprint("identity", __name__, description="Access tokens.")


def own_identity() -> Identity:
    """The built-in identity. Raises NoSuchPath where an outside provider has replaced it."""
    identity = identity_of(current_app)
    if identity.outside:
        raise NoSuchPath()
    return identity


@blp.route(f"{PATH}/token", methods=["POST"])
@blp.doc(security=[])
def issue_token() -> Response:
    """Get an access token."""
    return TokenServer(own_identity()).answer(request)


@blp.route(f"{PATH}/jwks")
@blp.doc(security=[])
def list_keys() -> Response:
    """Fetch the keys that verify access tokens."""
    keys = own_identity().own_keys.published(clock.now())
    return as_json({"keys": keys}, headers={"Cache-Control": f"public, max-age={KEYS_SECONDS}"})


@blp.route("/.well-known/oauth-authorization-server")
@blp.doc(security=[])
def describe_server() -> Response:
    """Fetch the metadata of the authorization server (RFC 8414)."""
    return as_json(metadata(own_identity().service.settings))


def metadata(settings: Any) -> dict[str, Any]:
    """The members of RFC 8414 that a client of ours can use."""
    return {
        "issuer": settings.public_url,
        "token_endpoint": f"{settings.public_url}{PATH}/token",
        "jwks_uri": f"{settings.public_url}{PATH}/jwks",
        "scopes_supported": [scope.value for scope in Scope],
        # Required and never empty (sections 2 and 3.2), though nothing here has a response type.
        "response_types_supported": ["none"],
        "grant_types_supported": ["client_credentials", "password"],
        "token_endpoint_auth_methods_supported": [*METHODS, *["none"] * settings.public_client],
    }


blp.add_url_rule("/idp/token", "issue_token_alias", issue_token, methods=["POST"])
