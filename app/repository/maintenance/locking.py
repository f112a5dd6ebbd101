"""Locks that a MySQL server gives out by name, each to one connection, which its end lets go.

They belong to the whole server: the name says which of its databases is meant.
"""

from app.database import Database
from app.errors import Unavailable

OURS = "SHA1(CONCAT(DATABASE(), %s))"
TAKE = f"SELECT GET_LOCK({OURS}, %s)"
GIVE = f"SELECT RELEASE_LOCK({OURS})"
LOOK = f"SELECT IS_USED_LOCK({OURS})"
TAKEN, HELD_BY_ANOTHER = (1,), (0,)


def take(database: Database, name: str, seconds: int) -> bool:
    """Whether this connection has the lock, waited for so long. Raises Unavailable, also where the
    server answers neither yes nor no: somebody ended the wait, or it has no memory left."""
    told = database.row(TAKE, (name, seconds))
    if told not in (TAKEN, HELD_BY_ANOTHER):
        raise Unavailable(reason="the database server gives out no lock", seconds=60)
    return told == TAKEN


def give(database: Database, name: str) -> None:
    """The lock is given back."""
    database.row(GIVE, (name,))


def taken(database: Database, name: str) -> bool:
    """Whether somebody has the lock."""
    told = database.row(LOOK, (name,))
    return bool(told and told[0])
