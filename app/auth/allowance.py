"""What a client, for a user or for itself, is granted when it asks for a scope."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from authlib.oauth2.rfc6749.errors import InvalidScopeError

from app.auth.scopes import Right, common, covers, words
from app.repository.tenants import Node
from app.vocabulary import TENANT_SCOPE_PREFIX, Scope


@dataclass(frozen=True)
class Grant:
    """What a token gives: rights within the subtree of a tenant, as the words of `scope`."""

    tenant: Node
    scope: str


@dataclass(frozen=True)
class Allowance:
    """What one party may have: scopes within the subtree of a tenant."""

    scopes: tuple[Scope, ...]
    tenant: Node


def together(parties: Iterable[Allowance]) -> Allowance:
    """What all of `parties`, at least one, may have. Raises InvalidScopeError when nothing is."""
    first, *others = parties
    scopes, tenant = first.scopes, first.tenant
    for other in others:
        scopes = common(scopes, other.scopes)
        tenant = other.tenant if tenant.holds(other.tenant) else tenant
    if not scopes or not all(party.tenant.holds(tenant) for party in (first, *others)):
        raise InvalidScopeError("Client and user may have nothing together.")
    return Allowance(scopes, tenant)


def granted(allowed: Allowance, scope: str, find: Callable[[UUID], Node | None]) -> Grant:
    """What who may have `allowed` gets when it asks for `scope`; "" asks for everything.

    The token's tenant is the one named when all of it is narrowed: then nothing above is in reach
    even of a reader that does not know narrowed words. Raises InvalidScopeError.
    """
    asked = words(scope)
    named = {*asked.tenants, *(right.tenant for right in asked.rights if right.tenant)}
    if asked.unknown or not all(covers(allowed.scopes, right.scope) for right in asked.rights):
        raise InvalidScopeError("More is asked for than may be granted.")
    if len(named) > 1:
        raise InvalidScopeError("Two tenants are named; a token is for one.")
    tenant = find(named.pop()) if named else allowed.tenant
    if tenant is None or not allowed.tenant.holds(tenant):
        raise InvalidScopeError("The tenant is not one for which tokens may be had.")
    rights = asked.rights or tuple(Right(row, None) for row in allowed.scopes)
    whole = not asked.tenants and any(right.tenant is None for right in rights)
    said = [right.word for right in rights]
    said += [f"{TENANT_SCOPE_PREFIX}{uuid}" for uuid in asked.tenants]
    return Grant(allowed.tenant if whole else tenant, " ".join(said))
