"""Tenants that own nothing any more are removed."""

from app.database import Database
from app.errors import NotFound, TenantInUse
from app.models import Client, Task, Tenant, User
from app.repository import invariants
from app.repository.figures import tallying
from app.repository.tenants import GONE, Node

OWNED = (
    ("tenants below it", Tenant.id, Tenant.parent_id),
    ("tasks", Task.id, Task.tenant_id),
    ("clients", Client.client_id, Client.tenant_id),
    ("users", User.login, User.tenant_id),
)
"""What a tenant may own: in words, the row's key, and the column that names the owner."""


def delete(database: Database, node: Node) -> None:
    """The tenant is gone. Raises TenantInUse when it owns something, NotFound."""
    if node.root:
        raise TenantInUse(tenant=node.uuid, owned="everything, as the root")
    with database.write_transaction():
        owned = [
            words for words, key, owner in OWNED
            if database.select(key.model.select(key).where(owner == node.id).limit(1).tuples())
        ]  # fmt: skip
        if owned:
            raise TenantInUse(tenant=node.uuid, owned=", ".join(owned))
        if not database.change(Tenant.delete().where(Tenant.id == node.id)):
            raise NotFound(kind="tenant")
        tallying.settle(database, node)
        invariants.widen(database, {GONE: node.id})
        invariants.tenants_changed(database)  # an import may bring its number again
