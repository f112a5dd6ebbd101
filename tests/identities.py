"""A small application with the identity's routes and one protected route, for tests of identity."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from flask import Flask, g
from flask_smorest import Api, Blueprint
from joserfc import jwt
from joserfc.jwk import RSAKey

from app import clock, config
from app.api import problems, token
from app.auth import keys
from app.auth.identity import Identity, identity_of
from app.auth.protector import requires
from app.config import Settings
from app.database import connect
from app.models import Tenant
from app.repository import credentials, signing_keys
from app.repository.signing_keys import StoredKey
from app.service import NAME, Service
from app.vocabulary import Scope

SECRET = "the tests' secret key, of more than 32 characters"
HERE = "http://127.0.0.1:8080"
VIEWER, ISSUER, CONSUMER, ADMIN = Scope
CUSTOMER, BELOW, OTHER = (UUID(int=number << 64 | 7) for number in (2, 3, 4))
"""Tenants under the root: a customer, a unit below it, and another customer."""
LOCATORS = {2: (CUSTOMER, 1, 2, "/1/2/"), 3: (BELOW, 2, 2, "/1/2/3/"), 4: (OTHER, 1, 4, "/1/4/")}


@cache
def stored_key(settings_key: str = SECRET) -> StoredKey:
    """One signing key for all tests: making one takes a tenth of a second."""
    return keys.made(keys.Seal.of(config.load({"TASKS_SECRET_KEY": settings_key})), 1)


def probe_blueprint() -> Blueprint:
    """A route for viewers and admins, and one that anybody may call."""
    blp = Blueprint("probe", "probe")

    @blp.route("/probe")
    @requires(VIEWER, ADMIN)
    def look() -> dict[str, Any]:
        """Look."""
        caller = g.caller
        roles = sorted(scope.role for scope in caller.scopes)
        return {
            "client": caller.client_id, "subject": caller.subject, "roles": roles,
            "tenant": caller.tenant.locator,
        }  # fmt: skip

    return blp


class House:
    """An application on the database at `url`, with tenants and a signing key in it."""

    def __init__(self, url: str, key: bool = True, **settings: Any) -> None:
        given = {"TASKS_DATABASE_URL": url, "TASKS_SECRET_KEY": SECRET, **settings}
        self.settings: Settings = config.load(given)
        self.database = connect(self.settings)
        self.app = Flask("identities")
        self.app.extensions[NAME] = Service(self.settings, self.database)
        self.app.config.update(API_TITLE="t", API_VERSION="1", OPENAPI_VERSION="3.0.3")
        self.api = Api(self.app)
        self.api.register_blueprint(token.blp)
        self.api.register_blueprint(probe_blueprint())
        problems.register(self.app)
        self.client = self.app.test_client()
        self.fill(key)

    def fill(self, key: bool) -> None:
        with self.database.write_transaction():
            for number, (uuid, parent, branch, locator) in LOCATORS.items():
                row = {
                    "id": number, "uuid": uuid.bytes, "parent_id": parent, "branch_id": branch,
                    "locator": locator, "name": locator,
                }  # fmt: skip
                self.database.change(Tenant.insert(row))
            if key:
                signing_keys.insert(self.database, stored_key())

    @property
    def identity(self) -> Identity:
        return identity_of(self.app)

    @property
    def root(self) -> UUID:
        rows = self.database.select(Tenant.select(Tenant.uuid).where(Tenant.id == 1).tuples())
        return UUID(bytes=bytes(rows[0][0]))

    def program(self, *scopes: Scope, tenant: int = 2) -> tuple[str, str]:
        """A new client -> its id and secret."""
        wanted = scopes or (VIEWER,)
        return credentials.create_client(self.database, "a program", tenant, wanted, 1)

    def person(
        self, *scopes: Scope, tenant: int = 2, login: str = "ann@example.org", password: str = "pw"
    ) -> str:
        """A new user -> the login."""
        credentials.create_user(self.database, login, password, tenant, scopes or (VIEWER,), 1)
        return login

    def ask(self, auth: Any = None, path: str = "/api/2/idp/token", **form: str) -> Any:
        """The answer to a token request."""
        return self.client.post(path, data=form, auth=auth)

    def by_client(self, auth: Any, **form: str) -> Any:
        return self.ask(auth, grant_type="client_credentials", **form)

    def by_password(
        self, username: str, password: str = "pw", auth: Any = None, **form: str
    ) -> Any:
        """The answer to a user's token request."""
        known = {"username": username, "password": password}
        return self.ask(auth, grant_type="password", **known, **form)

    def look(self, access_token: str) -> Any:
        """The answer of the protected route."""
        return self.client.get("/probe", headers={"Authorization": f"Bearer {access_token}"})

    def close(self) -> None:
        self.database.close()


@cache
def private_key() -> RSAKey:
    """The private half of the tests' signing key."""
    opened = keys.Seal.of(config.load({"TASKS_SECRET_KEY": SECRET})).open(stored_key())
    assert opened
    return opened


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says, but for what is `changed`; None takes a claim away."""
    now = clock.now() // 10**9
    said = {
        "iss": HERE, "aud": HERE, "sub": "s", "client_id": "c", "iat": now, "exp": now + 600,
        "jti": str(uuid4()), "scope": VIEWER.value, "tenant_id": str(CUSTOMER), **changed,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    """What a good token's header says, but for what is `changed`; None takes a member away."""
    said = {"alg": "RS256", "typ": "at+jwt", "kid": stored_key().kid, **changed}
    return {name: value for name, value in said.items() if value is not None}


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(head: Any, body: Any, key: RSAKey | None = None) -> str:
    """A compact token with exactly this header and body, signed by RS256 whatever they say."""
    parts = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in (head, body)]
    message = ".".join(map(b64, parts)).encode()
    algorithm = keys.JWSRegistry.algorithms["RS256"]
    return f"{message.decode()}.{b64(algorithm.sign(message, key or private_key()))}"


def decoded(access_token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that the tests' key signed."""
    read = jwt.decode(access_token, private_key(), algorithms=["RS256"])
    return read.header, read.claims
