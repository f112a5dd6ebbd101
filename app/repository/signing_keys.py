"""The keys that sign access tokens, as every server of a deployment shares them.

The private halves come and go sealed; nothing here can open them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from app.database import Database
from app.models import SigningKey


@dataclass(frozen=True)
class StoredKey:
    """A key as it is kept; `retired_at`: since when it signs no more, None while it does."""

    kid: str
    sealed: str
    public: str
    created_at: int
    retired_at: int | None = None


COLUMNS = (
    SigningKey.kid, SigningKey.sealed, SigningKey.public, SigningKey.created_at,
    SigningKey.retired_at,
)  # fmt: skip


def stored(database: Database) -> list[StoredKey]:
    """All keys, the newest first."""
    query = SigningKey.select(*COLUMNS).order_by(
        SigningKey.created_at.desc(), SigningKey.kid.desc()
    )
    return [StoredKey(*row) for row in database.select(query.tuples())]


def active(database: Database) -> list[str]:
    """The ids of the keys that may sign, the newest first."""
    query = SigningKey.select(SigningKey.kid).where(SigningKey.retired_at.is_null())
    rows = database.select(
        query.order_by(SigningKey.created_at.desc(), SigningKey.kid.desc()).tuples()
    )
    return [row[0] for row in rows]


def insert(database: Database, key: StoredKey) -> None:
    """Keep `key`, in the transaction that is open."""
    row = dict(
        zip(COLUMNS, (key.kid, key.sealed, key.public, key.created_at, key.retired_at), strict=True)
    )
    database.change(SigningKey.insert(row))


def add(database: Database, key: StoredKey, useless: Collection[str]) -> None:
    """`key` may sign, unless somebody made another meanwhile that is not among the `useless`."""
    with database.write_transaction():
        if all(kid in useless for kid in active(database)):
            insert(database, key)


def replace(database: Database, key: StoredKey, forgotten_before: int) -> None:
    """`key` alone signs; those retired before `forgotten_before` (epoch ns) are gone."""
    with database.write_transaction():
        database.change(SigningKey.delete().where(SigningKey.retired_at < forgotten_before))
        database.change(
            SigningKey.update(retired_at=key.created_at).where(SigningKey.retired_at.is_null())
        )
        insert(database, key)
