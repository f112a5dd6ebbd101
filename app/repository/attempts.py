"""Failed attempts to authenticate, counted in buckets that all servers of a deployment share."""

from collections.abc import Collection, Mapping
from functools import partial

from app.database import Database
from app.models import FailedAttempt

WINDOW = 60 * 10**9
"""How long a bucket counts from its first failure: a minute, in nanoseconds."""


def locked_until(database: Database, limits: Mapping[str, int], now: int) -> int:
    """When the last of the buckets that have reached their limit opens again; 0: none has.

    `limits`: bucket to the number of failures at which it closes.
    """
    query = FailedAttempt.select(
        FailedAttempt.bucket, FailedAttempt.began_at, FailedAttempt.failures
    ).where(FailedAttempt.bucket.in_(list(limits)), FailedAttempt.began_at > now - WINDOW)
    return max(
        (
            began_at + WINDOW
            for bucket, began_at, failures in database.select(query.tuples())
            if failures >= limits[bucket]
        ),
        default=0,
    )


def count(database: Database, buckets: Collection[str], now: int) -> None:
    """One failure more in each of `buckets`. Raises Unavailable."""
    for bucket in sorted(buckets):
        # One short transaction each: two failures at once then wait, but never deadlock.
        database.retried(partial(count_one, database, bucket, now))


def count_one(database: Database, bucket: str, now: int) -> None:
    """One failure more in `bucket`; a minute that has passed is forgotten first."""
    one_more = FailedAttempt.update(failures=FailedAttempt.failures + 1).where(
        FailedAttempt.bucket == bucket
    )
    with database.write_transaction():
        database.change(FailedAttempt.delete().where(FailedAttempt.began_at <= now - WINDOW))
        if not database.change(one_more):
            # Ignored where another server was first between our two statements.
            begun = FailedAttempt.insert(bucket=bucket, began_at=now, failures=0)
            database.change(begun.on_conflict_ignore())
            database.change(one_more)
