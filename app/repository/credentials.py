"""Who may get tokens: clients (programs, with a generated secret) and users (with a password).

Neither a secret nor a password can be read again: what is kept only recognises it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from peewee import IntegrityError

from app.database import Database
from app.errors import BadRequest, Fault, NameTaken, NotFound
from app.models import TEXT, Client, User
from app.passwords import hashed
from app.vocabulary import Scope

SECRET_BYTES = 32
"""256 random bits: too many to guess, so a fast digest is enough."""
ROLES = {scope.role: scope for scope in Scope}
"""The word in the database to the scope that it stands for."""


@dataclass(frozen=True)
class ClientAccount:
    """A client as it is kept; `secret_digest`: SHA-256 of its secret."""

    client_id: str
    name: str
    tenant_id: int
    scopes: tuple[Scope, ...]
    secret_digest: bytes
    created_at: int
    disabled_at: int | None


@dataclass(frozen=True)
class UserAccount:
    """A user as it is kept; `password_hash`: argon2id."""

    login: str
    tenant_id: int
    scopes: tuple[Scope, ...]
    password_hash: str
    created_at: int
    disabled_at: int | None


CLIENT_COLUMNS = (
    Client.client_id, Client.name, Client.tenant_id, Client.scopes, Client.secret_digest,
    Client.created_at, Client.disabled_at,
)  # fmt: skip
USER_COLUMNS = (
    User.login, User.tenant_id, User.scopes, User.password_hash, User.created_at, User.disabled_at,
)  # fmt: skip


def digest_of(secret: str) -> bytes:
    """What is kept of a client's secret: its SHA-256."""
    return sha256(secret.encode()).digest()


def written(scopes: Iterable[Scope]) -> str:
    """Scopes as the database holds them: `viewer issuer`, in the order of the enumeration.

    Raises BadRequest when there is none.
    """
    wanted = set(scopes)
    if not wanted:
        raise BadRequest([Fault("scope", "", f"at least one scope is needed: {', '.join(ROLES)}")])
    return " ".join(scope.role for scope in Scope if scope in wanted)


def read(text: str) -> tuple[Scope, ...]:
    """The scopes that the database's words stand for."""
    return tuple(ROLES[role] for role in text.split())


def named(parameter: str, value: str) -> str:
    """`value` when it can name a client or a user. Raises BadRequest."""
    if not 0 < len(value) <= TEXT or not value.isprintable() or value != value.strip():
        message = (
            f"the {parameter} must be 1 to {TEXT} printable characters without blanks at its ends"
        )
        raise BadRequest([Fault(parameter, value[:100], message)])
    return value


def client_account(row: tuple[Any, ...]) -> ClientAccount:
    """The client that a row of CLIENT_COLUMNS describes."""
    client_id, name, tenant, scopes, digest, created, disabled = row
    return ClientAccount(
        client_id, name, tenant, read(scopes), bytes(digest or b""), created, disabled
    )


def user_account(row: tuple[Any, ...]) -> UserAccount:
    """The user that a row of USER_COLUMNS describes."""
    login, tenant, scopes, password_hash, created, disabled = row
    return UserAccount(login, tenant, read(scopes), password_hash, created, disabled)


def clients(database: Database) -> list[ClientAccount]:
    """All clients, in the order in which they were made."""
    query = Client.select(*CLIENT_COLUMNS).order_by(Client.created_at, Client.client_id)
    return [client_account(row) for row in database.select(query.tuples())]


def client(database: Database, client_id: str) -> ClientAccount | None:
    """The client with this id, or None."""
    query = Client.select(*CLIENT_COLUMNS).where(Client.client_id == client_id)
    rows = database.select(query.tuples())
    return client_account(rows[0]) if rows else None


def create_client(
    database: Database, name: str, tenant_id: int, scopes: Iterable[Scope], now: int
) -> tuple[str, str]:
    """A new client -> its id, and its secret, which nobody can read again. Raises BadRequest."""
    client_id, secret = str(uuid4()), token_urlsafe(SECRET_BYTES)
    row = {
        Client.client_id: client_id, Client.name: named("name", name),
        Client.tenant_id: tenant_id, Client.scopes: written(scopes),
        Client.secret_digest: digest_of(secret), Client.created_at: now,
    }  # fmt: skip
    with database.write_transaction():
        database.change(Client.insert(row))
    return client_id, secret


def change_client(database: Database, client_id: str, /, **columns: Any) -> None:
    """The client has these values from now on. Raises NotFound."""
    with database.write_transaction():
        # Looked up first: MySQL counts no row where an UPDATE changes nothing.
        if client(database, client_id) is None:
            raise NotFound(kind="client")
        database.change(Client.update(**columns).where(Client.client_id == client_id))


def rename_client(database: Database, client_id: str, name: str) -> None:
    """The client bears this name. Raises NotFound, BadRequest."""
    change_client(database, client_id, name=named("name", name))


def disable_client(database: Database, client_id: str, now: int) -> None:
    """The client gets no new tokens. Raises NotFound."""
    change_client(database, client_id, disabled_at=now)


def enable_client(database: Database, client_id: str) -> None:
    """The client gets tokens again. Raises NotFound."""
    change_client(database, client_id, disabled_at=None)


def rotate_secret(database: Database, client_id: str) -> str:
    """The client's new secret; the old one is void at once. Raises NotFound."""
    secret = token_urlsafe(SECRET_BYTES)
    change_client(database, client_id, secret_digest=digest_of(secret))
    return secret


def delete_client(database: Database, client_id: str) -> None:
    """The client is gone; its tokens live on until they expire. Raises NotFound."""
    with database.write_transaction():
        if not database.change(Client.delete().where(Client.client_id == client_id)):
            raise NotFound(kind="client")


def users(database: Database) -> list[UserAccount]:
    """All users, in the order in which they were made."""
    query = User.select(*USER_COLUMNS).order_by(User.created_at, User.login)
    return [user_account(row) for row in database.select(query.tuples())]


def user(database: Database, login: str) -> UserAccount | None:
    """The user with this login, or None."""
    rows = database.select(User.select(*USER_COLUMNS).where(User.login == login).tuples())
    return user_account(rows[0]) if rows else None


def create_user(
    database: Database, login: str, password: str, tenant_id: int, scopes: Iterable[Scope], now: int
) -> None:
    """A new user. Raises BadRequest, NameTaken."""
    row = {
        User.login: named("login", login), User.password_hash: hashed(chosen(password)),
        User.tenant_id: tenant_id, User.scopes: written(scopes), User.created_at: now,
    }  # fmt: skip
    with database.write_transaction():
        if user(database, login):
            raise NameTaken(kind="user", name=login)
        database.change(User.insert(row))


def chosen(password: str) -> str:
    """`password` when it can be one. Raises BadRequest."""
    if not password:
        raise BadRequest([Fault("password", "", "must not be empty")])
    return password


def change_user(database: Database, login: str, /, **columns: Any) -> None:
    """The user has these values from now on. Raises NotFound, NameTaken."""
    try:
        with database.write_transaction():
            if user(database, login) is None:
                raise NotFound(kind="user")
            database.change(User.update(**columns).where(User.login == login))
    except IntegrityError:
        raise NameTaken(kind="user", name=columns.get("login", login)) from None


def rename_user(database: Database, login: str, name: str) -> None:
    """The user logs in as `name`. Raises NotFound, BadRequest, NameTaken."""
    change_user(database, login, login=named("login", name))


def set_password(database: Database, login: str, password: str) -> None:
    """The user's password is this one. Raises NotFound, BadRequest."""
    change_user(database, login, password_hash=hashed(chosen(password)))


def disable_user(database: Database, login: str, now: int) -> None:
    """The user gets no new tokens. Raises NotFound."""
    change_user(database, login, disabled_at=now)


def enable_user(database: Database, login: str) -> None:
    """The user gets tokens again. Raises NotFound."""
    change_user(database, login, disabled_at=None)


def delete_user(database: Database, login: str) -> None:
    """The user is gone; his tokens live on until they expire. Raises NotFound."""
    with database.write_transaction():
        if not database.change(User.delete().where(User.login == login)):
            raise NotFound(kind="user")
