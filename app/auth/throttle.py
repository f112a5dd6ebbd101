"""Guessing is slow: after some failures in a minute, a name or an address has to wait.

Clients and users count apart, so that nobody locks a program out by trying a user of its name. A
right password is refused as well while its name waits: else the answer would tell that it is right.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address
from math import ceil

from app.database import Database
from app.errors import TooManyAttempts
from app.repository import attempts

LIMITS = {"client": 10, "user": 10, "address": 100}
"""Failures in a minute after which a bucket of this kind is closed."""
NETWORK_BITS = 64
"""One holder has all addresses of an IPv6 network of this size."""


@dataclass(frozen=True)
class Bucket:
    """What failures are counted for: a `kind` of LIMITS, and which one of it."""

    kind: str
    value: str

    def digest(self, key: bytes) -> str:
        """What is kept: it does not tell the name to whoever reads the table."""
        text = f"{self.kind}:{self.value}".encode()
        return blake2b(text, key=key, digest_size=32).hexdigest()


def address_buckets(address: str) -> list[Bucket]:
    """The bucket of a caller's address (of IPv6, of its network); none where it is unknown."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return []
    if isinstance(read, IPv6Address) and not read.ipv4_mapped:
        return [Bucket("address", f"{int(read) >> (128 - NETWORK_BITS):x}")]
    return [Bucket("address", str(getattr(read, "ipv4_mapped", None) or read))]


class Throttle:
    """Failed attempts of a deployment, counted in its database."""

    def __init__(self, database: Database, key: bytes) -> None:
        """`key`: 32 bytes under which names and addresses are digested."""
        self.database = database
        self.key = key

    def admit(self, buckets: Iterable[Bucket], now: int) -> None:
        """None of `buckets` is closed. Raises TooManyAttempts."""
        limits = {bucket.digest(self.key): LIMITS[bucket.kind] for bucket in buckets}
        until = attempts.locked_until(self.database, limits, now)
        if until:
            raise TooManyAttempts(seconds=max(1, ceil((until - now) / 10**9)))

    def failed(self, buckets: Iterable[Bucket], now: int) -> None:
        """Count one failure in each of `buckets`."""
        attempts.count(self.database, [bucket.digest(self.key) for bucket in buckets], now)
