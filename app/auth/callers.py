"""Who calls: what a good token makes of the request that bears it."""

from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from app import clock
from app.database import Database
from app.repository import tenants
from app.repository.tenants import Node
from app.vocabulary import Scope

FRESH_SECONDS = 30.0
"""How long a process relies on what it has read of a tenant."""
REMEMBERED = 10_000


@dataclass(frozen=True)
class Caller:
    """The bearer of a token, for one call."""

    client_id: str
    subject: str
    """The user's login; for a client of its own, the client's id."""
    scopes: frozenset[Scope]
    """What it may do everywhere in `tenant`'s subtree."""
    tenant: Node


class Tenants:
    """The tenants that tokens name, as one process knows them."""

    def __init__(self, database: Database) -> None:
        """Nothing is read before the first need."""
        self.database = database
        self.known: dict[UUID, tuple[Node, float]] = {}
        self.lock = Lock()

    def find(self, uuid: UUID) -> Node | None:
        """The tenant with this UUID, or None. Raises Unavailable."""
        found = self.known.get(uuid)
        if found and clock.monotonic() < found[1]:
            return found[0]
        node = tenants.by_uuid(self.database, uuid)
        if node:
            with self.lock:
                if len(self.known) >= REMEMBERED:
                    self.known.clear()
                self.known[uuid] = node, clock.monotonic() + FRESH_SECONDS
        return node
