"""Identity over HTTP: tokens, the keys that verify them, and where both are to be found."""

from typing import Any

from flask import Blueprint as FlaskBlueprint
from flask import Response, current_app, request
from flask_smorest import Blueprint

from app import clock
from app.api.answers import JSON, as_json
from app.auth.clients import METHODS
from app.auth.identity import Identity, identity_of
from app.auth.requests import FORM
from app.auth.server import GRANTS, TokenServer
from app.config import Settings
from app.errors import NoSuchPath
from app.vocabulary import TENANT_SCOPE_PREFIX, Scope

KEYS_SECONDS = 300
"""How long others may keep our keys."""
PATH = "/api/2/idp"
blp = Blueprint("identity", __name__, description="Access tokens.")


def answered(words: str, *members: str) -> dict[str, Any]:
    """How the OpenAPI document describes an answer that is an object with these members."""
    schema = {"type": "object", "required": [*members], "properties": {key: {} for key in members}}
    return {"description": words, "content": {JSON: {"schema": schema}}}


def refused(words: str) -> dict[str, Any]:
    """How the OpenAPI document describes a refusal in the words of RFC 6749."""
    return answered(words, "error", "error_description")


FORM_MEMBERS = {
    "grant_type": {"type": "string", "enum": list(GRANTS)},
    "client_id": {"type": "string", "description": "Unless HTTP Basic proves the client."},
    "client_secret": {"type": "string", "format": "password"},
    "username": {"type": "string", "description": "For `password`."},
    "password": {"type": "string", "format": "password", "description": "For `password`."},
    "scope": {
        "type": "string",
        "description": "Blank-separated; without it, all that the client may have. "
        f"`{TENANT_SCOPE_PREFIX}<uuid>` narrows the token to a tenant's subtree.",
        "example": Scope.VIEWER.value,
    },
}
TOKEN_DOCUMENT: dict[str, Any] = {
    "security": [],
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object", "required": ["grant_type"], "properties": FORM_MEMBERS,
                }
            }
        },
    },
    "responses": {
        "200": answered(
            "The token.", "access_token", "token_type", "expires_in", "expires_on", "scope"
        ),
        "400": refused("The request, the scope, the user or the password is not good."),
        "401": refused("The client is unknown or could not prove itself."),
        "413": refused("The body is too large."),
        "429": refused("Too many failures: try again after `Retry-After` seconds."),
        "503": refused("Not just now: try again after `Retry-After` seconds."),
    },
}  # fmt: skip


def own_identity() -> Identity:
    """The built-in identity. Raises NoSuchPath where an outside provider has replaced it."""
    identity = identity_of(current_app)
    if identity.outside:
        raise NoSuchPath()
    return identity


@blp.route(f"{PATH}/token", methods=["POST"])
@blp.doc(**TOKEN_DOCUMENT)
def issue_token() -> Response:
    """Get an access token.

    The client proves itself by HTTP Basic or in the form, not both; a `password` request may come
    without a client.
    """
    return TokenServer(own_identity()).answer(request)


@blp.route(f"{PATH}/jwks")
@blp.doc(security=[], responses={"200": answered("The keys (RFC 7517).", "keys")})
def list_keys() -> Response:
    """Fetch the keys that verify access tokens."""
    keys = own_identity().own_keys.published(clock.now())
    return as_json({"keys": keys}, headers={"Cache-Control": f"public, max-age={KEYS_SECONDS}"})


@blp.route("/.well-known/oauth-authorization-server")
@blp.doc(security=[], responses={"200": answered("The metadata.", "issuer", "token_endpoint")})
def describe_server() -> Response:
    """Fetch the metadata of the authorization server (RFC 8414)."""
    return as_json(metadata(own_identity().service.settings))


def metadata(settings: Settings) -> dict[str, Any]:
    """The members of RFC 8414 that a client of ours can use."""
    return {
        "issuer": settings.public_url,
        "token_endpoint": f"{settings.public_url}{PATH}/token",
        "jwks_uri": f"{settings.public_url}{PATH}/jwks",
        "scopes_supported": [scope.value for scope in Scope],
        # Required and never empty (sections 2 and 3.2), though nothing here has a response type.
        "response_types_supported": ["none"],
        "grant_types_supported": list(GRANTS),
        "token_endpoint_auth_methods_supported": [*METHODS, *["none"] * settings.public_client],
    }


# Flask's own way, which leaves the alias out of the document.
FlaskBlueprint.add_url_rule(blp, "/idp/token", "alias", issue_token, methods=["POST"])
