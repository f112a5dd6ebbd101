"""Passwords: kept as argon2id, compared at a cost that does not tell whether the name exists.

Parameters: the second of OWASP's equivalent choices (19 MiB, 2 passes, 1 lane), about 25 ms.
"""

from functools import cache
from secrets import token_urlsafe
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Unavailable

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
AT_ONCE = 2
"""Hashes that one process computes at a time: each takes 19 MiB and a core."""
PATIENCE_SECONDS = 2.0
"""How long a caller waits for its turn before it is told to come again."""

turns = BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """The argon2id text, with parameters and a salt of its own, that stands for `password`."""
    return HASHER.hash(password)


@cache
def nobodys() -> str:
    """A hash that stands in for that of a user who does not exist."""
    return hashed(token_urlsafe())


def matches(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` stands for; None: nobody's, after the same work.

    Raises Unavailable when too many are being compared.
    """
    if not turns.acquire(timeout=PATIENCE_SECONDS):
        raise Unavailable(reason="too many passwords are being checked")
    try:
        return HASHER.verify(kept or nobodys(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
    finally:
        turns.release()
