"""The words of `scope`: what a token is asked for, and what a token says that it may do.

A word is one of the four URNs, the same narrowed to a tenant's subtree, or one that narrows the
whole token: `urn:acronis.com:tenant-id:<uuid>`. Nothing here asks the database or knows of HTTP.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from app.repository.credentials import ROLES
from app.repository.tenants import Node
from app.vocabulary import SCOPE_PREFIX, SCOPE_SUFFIX, TENANT_SCOPE_PREFIX, Scope

HEXES = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
UUID_PATTERN = re.compile(HEXES)
RIGHT = re.compile(f"{SCOPE_PREFIX}({HEXES})?{SCOPE_SUFFIX}({'|'.join(ROLES)})")
NARROWING = re.compile(f"{TENANT_SCOPE_PREFIX}({HEXES})")
IGNORED = ("openid", "offline_access")
"""Words of OpenID Connect that clients send by habit."""


@dataclass(frozen=True)
class Right:
    """A scope, and the tenant to whose subtree it is narrowed (None: the token's own)."""

    scope: Scope
    tenant: UUID | None

    @property
    def word(self) -> str:
        """How it is written."""
        return self.scope.within(str(self.tenant)) if self.tenant else self.scope.value


@dataclass(frozen=True)
class Words:
    """What a `scope` says: rights, tenants that narrow the whole, and words that we do not know."""

    rights: tuple[Right, ...]
    tenants: tuple[UUID, ...]
    unknown: tuple[str, ...]


def words(text: str) -> Words:
    """The words of `text`, which are separated by blanks; a right said twice is there once."""
    rights: dict[Right, None] = {}
    tenants: dict[UUID, None] = {}
    unknown = []
    for word in text.split(" "):
        if match := RIGHT.fullmatch(word):
            rights[Right(ROLES[match[2]], UUID(match[1]) if match[1] else None)] = None
        elif match := NARROWING.fullmatch(word):
            tenants[UUID(match[1])] = None
        elif word and word not in IGNORED:
            unknown.append(word)
    return Words(tuple(rights), tuple(tenants), tuple(unknown))


def common(some: Collection[Scope], others: Collection[Scope]) -> tuple[Scope, ...]:
    """What two parties may have together; where one alone has admin, what the other may have."""
    return tuple(
        scope
        for scope in Scope
        if (scope in some and scope in others)
        or (scope in some and Scope.ADMIN in others and Scope.ADMIN not in some)
        or (scope in others and Scope.ADMIN in some and Scope.ADMIN not in others)
    )


def covers(allowed: Collection[Scope], scope: Scope) -> bool:
    """Whether who may have `allowed` may have `scope`."""
    return scope in allowed or Scope.ADMIN in allowed


@dataclass(frozen=True)
class InForce:
    """What a token may do for one call: in which subtree, and all its scopes there."""

    tenant: Node
    scopes: frozenset[Scope]


def in_force(
    said: Words, needed: Iterable[Scope], own: Node, find: Callable[[UUID], Node | None]
) -> InForce | None:
    """What of `said`, in a token of the tenant `own`, serves a call that needs one of `needed`.

    Of several subtrees in which it may be done, the widest. None: it may not be done anywhere.
    """
    base = reach(own, said.tenants, find)
    if base is None:
        return None
    held = [(right.scope, reach(base, named(right), find)) for right in said.rights]
    wanted = set(needed)
    tops = [tenant for scope, tenant in held if tenant and scope in wanted]
    if not tops:
        return None
    widest = min(tops, key=lambda tenant: len(tenant.locator))
    there = (scope for scope, tenant in held if tenant and tenant.holds(widest))
    return InForce(widest, frozenset(there))


def named(right: Right) -> tuple[UUID, ...]:
    """The tenant that `right` names, if any."""
    return (right.tenant,) if right.tenant else ()


def reach(own: Node, tenants: Iterable[UUID], find: Callable[[UUID], Node | None]) -> Node | None:
    """`own` narrowed to each of `tenants`; None when one of them is not within."""
    for uuid in tenants:
        tenant = own if uuid == own.uuid else find(uuid)
        if tenant is None or not own.holds(tenant):
            return None
        own = tenant
    return own
