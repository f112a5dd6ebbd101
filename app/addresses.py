"""What `mysql://user:password@host1:3306,host2/name` says: an account, servers, a database."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

FORM = "mysql://user:password@host:port/name"
PORT = 3306


@dataclass(frozen=True)
class Address:
    """Where one server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in an address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Account:
    """A database on one server, or on several that hold the same, the preferred one first."""

    user: str
    password: str
    servers: tuple[Address, ...]
    name: str


def address(text: str) -> Address:
    """`host`, `host:port`, `[IPv6]` or `[IPv6]:port`. Raises ValueError."""
    parts = urlsplit(f"//{text}")
    if not text or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValueError(f"names no server in {text!r}: it takes host:port, separated by commas")
    try:
        port = PORT if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port:
        raise ValueError(f"has a port that is none in {text!r}")
    return Address(parts.hostname, port)


def account(url: str) -> Account:
    """What a `mysql://` address says. Raises ValueError with what is wrong with it."""
    parts = urlsplit(url)
    login, _, listed = parts.netloc.rpartition("@")
    if parts.scheme != "mysql" or not listed or len(parts.path) < 2:
        raise ValueError(f"must be {FORM}")
    user, _, password = login.partition(":")
    servers = tuple(address(text) for text in listed.split(","))
    twice = [one for one in servers if servers.count(one) > 1]
    if twice:
        raise ValueError(f"names {twice[0]} twice")
    return Account(unquote(user), unquote(password), servers, unquote(parts.path[1:]))
