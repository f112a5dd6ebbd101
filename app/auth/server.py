"""The token endpoint: Authlib's authorization server with the two grants of the contract."""

import logging
from collections.abc import Iterator
from typing import Any

import orjson
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError, UnsupportedGrantTypeError
from flask import Request, Response

from app import clock, passwords
from app.auth.allowance import Allowance, granted, together
from app.auth.clients import METHODS, PUBLIC, Client
from app.auth.identity import Identity
from app.auth.issuing import issued
from app.auth.requests import TokenRequest, WrongClient
from app.auth.throttle import Bucket, address_buckets
from app.errors import TooManyAttempts, Unavailable
from app.repository import credentials, tenants
from app.repository.credentials import ClientAccount, UserAccount

# At DEBUG Authlib logs the tokens that it issues and the names of those who fail.
logging.getLogger("authlib").setLevel(logging.INFO)


class Refused(OAuth2Error):
    """A refusal of ours in the words of RFC 6749."""

    def __init__(self, error: str, refusal: TooManyAttempts | Unavailable) -> None:
        """`error`: the stable word."""
        super().__init__(refusal.message, status_code=refusal.status, error=error)
        self.seconds = refusal.facts["seconds"]

    def get_headers(self) -> list[tuple[str, str]]:
        """When to come again."""
        return [("Retry-After", str(self.seconds))]


class Scoped:
    """What both grants share: the client learns what it is granted, before anything is signed."""

    server: "TokenServer"
    request: TokenRequest

    def validate_requested_scope(self) -> None:
        """The client has its grant. Raises InvalidScopeError."""
        client, user = self.request.client, self.request.user
        allowed = together(self.server.allowances(client.account, user))
        client.grant = granted(
            allowed, self.request.payload.scope or "", self.server.identity.tenants.find
        )


class ClientCredentials(Scoped, grants.ClientCredentialsGrant):
    """A program acts for itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class Password(Scoped, grants.ResourceOwnerPasswordCredentialsGrant):
    """A program acts for a user who gave it the password."""

    TOKEN_ENDPOINT_AUTH_METHODS = (*METHODS, "none")

    def authenticate_user(self, username: str, password: str) -> UserAccount:
        """The user. Raises InvalidGrantError, Unavailable."""
        return self.server.user(username, password)


GRANTS = {grant.GRANT_TYPE: grant for grant in (ClientCredentials, Password)}
"""The grants by the word that asks for them."""


class TokenServer(AuthorizationServer):
    """Answers the token requests of one application."""

    def __init__(self, identity: Identity) -> None:
        """`identity`: of the application."""
        super().__init__()
        self.identity = identity
        self.database = identity.service.database
        for grant in GRANTS.values():
            self.register_grant(grant)
        self.register_token_generator("default", self.token)

    def answer(self, request: Request) -> Response:
        """The answer to `request`, whatever it is."""
        try:
            asked = TokenRequest(request)
            self.identity.throttle.admit(buckets(asked), clock.now())
            answer: Response = self.create_token_response(asked)
            return answer
        except OAuth2Error as error:
            return self.handle_error_response(None, error)
        except TooManyAttempts as refusal:
            return self.handle_error_response(None, Refused("too_many_attempts", refusal))
        except Unavailable as refusal:
            return self.handle_error_response(None, Refused("temporarily_unavailable", refusal))

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """The request, which was read already."""
        return request

    def get_token_grant(self, request: TokenRequest) -> Any:
        """The grant that is asked for. Raises UnsupportedGrantTypeError."""
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError as error:
            error.description = f"The grant types here are: {', '.join(GRANTS)}."
            raise

    def authenticate_client(
        self, request: TokenRequest, methods: tuple[str, ...], endpoint: str = "token"
    ) -> Client:
        """The client that the request proves. Raises WrongClient."""
        proof = request.proof
        client = self.query_client(proof.client_id)
        fits = proof.method in methods and client.check_endpoint_auth_method(proof.method, endpoint)
        if not fits or (proof.secret and not client.check_client_secret(proof.secret)):
            raise WrongClient
        if self.barred(client.account):
            raise WrongClient
        return client

    def query_client(self, client_id: str) -> Client:
        """The client of this id, or one that can prove nothing."""
        if client_id in ("", PUBLIC.client_id):
            return Client(PUBLIC if self.identity.service.settings.public_client else None)
        return Client(credentials.client(self.database, client_id))

    def user(self, login: str, password: str) -> UserAccount:
        """The user who has this password. Raises InvalidGrantError, Unavailable."""
        found = credentials.user(self.database, login)
        same = passwords.matches(found.password_hash if found else None, password)
        if found is None or not same or found.disabled_at is not None or self.barred(found):
            raise InvalidGrantError("The user is unknown or the password is wrong.")
        return found

    def barred(self, party: ClientAccount | UserAccount | None) -> bool:
        """Whether the tenant that `party` is of, or one above it, is disabled."""
        if party is None or party is PUBLIC:
            return False
        return tenants.barred(self.database, party.tenant_id)

    def allowances(self, *parties: ClientAccount | UserAccount | None) -> list[Allowance]:
        """What each of `parties` may have."""
        there = [party for party in parties if party]
        nodes = tenants.by_ids(self.database, {party.tenant_id for party in there})
        return [Allowance(party.scopes, nodes[party.tenant_id]) for party in there]

    def token(self, client: Client, user: UserAccount | None = None, **_: Any) -> dict[str, Any]:
        """A token of what `client` was granted, as the endpoint answers it."""
        assert client.grant, "a grant was decided before a token is made"
        client_id = client.get_client_id()
        subject = user.login if user else client_id
        return issued(self.identity, client_id, subject, client.grant, clock.now())

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        """Tokens are kept nowhere: their signature vouches for them."""

    def handle_error_response(self, request: TokenRequest | None, error: OAuth2Error) -> Response:
        """The answer to `error`; where it is a wrong guess, it counts."""
        if request and isinstance(error, WrongClient | InvalidGrantError):
            wrong = "client" if isinstance(error, WrongClient) else "user"
            guessed = (row for row in buckets(request) if row.kind in ("address", wrong))
            self.identity.throttle.failed(guessed, clock.now())
        answer: Response = super().handle_error_response(request, error)
        return answer

    def handle_response(self, status_code: int, payload: Any, headers: Any) -> Response:
        """One line of JSON that nobody may keep (RFC 6749, section 5.1)."""
        answer = Response(orjson.dumps(payload), status_code, content_type="application/json")
        for name, value in headers:
            answer.headers[name] = value
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


def buckets(asked: TokenRequest) -> Iterator[Bucket]:
    """What a wrong guess in `asked` counts for: whom it names, and whence it comes."""
    yield from address_buckets(asked.address)
    # Without a secret nothing is guessed: else anybody could lock the public client out.
    if asked.proof.secret:
        yield Bucket("client", asked.proof.client_id)
    if asked.payload.grant_type == Password.GRANT_TYPE and "username" in asked.form:
        yield Bucket("user", asked.form["username"])
