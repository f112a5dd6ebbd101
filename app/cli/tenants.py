"""`flask tenants`: the tree of those who own tasks."""

from typing import Any
from uuid import UUID

import click

from app import clock
from app.cli.doors import Group, UuidText, open_database, tenant_at
from app.cli.output import json_option, moment, show, show_rows
from app.repository import tenants as repository
from app.repository.maintenance import removing
from app.repository.tenants import Node

tenants = Group("tenants", help="The tree of tenants, who own tasks.")
uuid_argument = click.argument("tenant_uuid", type=UuidText(), metavar="UUID")


def described(node: Node) -> dict[str, Any]:
    """A tenant as the API shows it."""
    return {
        "id": str(node.id),
        "uuid": str(node.uuid) if node.uuid else None,
        "locator": node.locator,
        "name": node.name,
    }


@tenants.command(
    "create",
    examples=(
        "flask tenants create --name 'Northwind Partners'",
        "flask tenants create --name 'Site Berlin' --parent UUID --json",
    ),
)
@click.option("--name", required=True, help="What people call it.")
@click.option("--parent", type=UuidText(), metavar="UUID",
              help="The tenant above it. [default: the root]")  # fmt: skip
@json_option
def create(name: str, parent: UUID | None, as_json: bool) -> None:
    """Make a tenant."""
    with open_database() as database:
        node = repository.create(database, name, tenant_at(database, parent))
    words = f"Made tenant {node.uuid} ({node.locator}, {node.name})."
    show(described(node), as_json, words)


@tenants.command("list")
@click.option("--parent", type=UuidText(), metavar="UUID", help="Only it and those below it.")
@json_option
def list_tenants(parent: UUID | None, as_json: bool) -> None:
    """List tenants in the order of the tree."""
    with open_database() as database:
        nodes = repository.subtree(database, tenant_at(database, parent))
        since = repository.disabled(database)
    rows = [described(node) for node in nodes]
    for row, node in zip(rows, nodes, strict=True):
        row["disabled_at"] = moment(since.get(node.id))
    show_rows(rows, as_json, "There are no tenants.")


@tenants.command("rename")
@uuid_argument
@click.option("--name", required=True, help="Its new name.")
@json_option
def rename(tenant_uuid: UUID, name: str, as_json: bool) -> None:
    """Give a tenant another name."""
    with open_database() as database:
        node = repository.rename(database, tenant_at(database, tenant_uuid), name)
    show(described(node), as_json, f"Renamed {node.uuid}.")


@tenants.command("disable")
@uuid_argument
@json_option
def disable(tenant_uuid: UUID, as_json: bool) -> None:
    """Clients and users of a tenant, and of those below, get no new token from now on."""
    with open_database() as database:
        node = tenant_at(database, tenant_uuid)
        repository.disable(database, node, clock.now())
    show({**described(node), "disabled": True}, as_json, f"Disabled {node.uuid}.")


@tenants.command("enable")
@uuid_argument
@json_option
def enable(tenant_uuid: UUID, as_json: bool) -> None:
    """Clients and users of a disabled tenant get tokens again, unless disabled themselves."""
    with open_database() as database:
        node = tenant_at(database, tenant_uuid)
        repository.disable(database, node, None)
    show({**described(node), "disabled": False}, as_json, f"Enabled {node.uuid}.")


@tenants.command("delete")
@uuid_argument
@json_option
def delete(tenant_uuid: UUID, as_json: bool) -> None:
    """Remove a tenant that owns nothing: no tenants below it, no tasks, clients or users."""
    with open_database() as database:
        node = tenant_at(database, tenant_uuid)
        removing.delete(database, node)
    show({**described(node), "deleted": True}, as_json, f"Deleted {node.uuid}.")
