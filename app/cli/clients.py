"""`flask clients`: programs that get tokens."""

from typing import Any
from uuid import UUID

import click

from app import clock
from app.cli.doors import Group, open_database, scope_option, tenant_at, tenant_option
from app.cli.output import json_option, moment, show, show_rows
from app.database import Database
from app.repository import credentials, tenants
from app.repository.credentials import ClientAccount
from app.vocabulary import Scope

clients = Group("clients", help="Programs that get access tokens with an id and a secret.")


def scope_text(scopes: tuple[Scope, ...]) -> str:
    """Scopes as a token's `scope` has them."""
    return " ".join(scope.value for scope in Scope if scope in scopes)


def tenant_text(database: Database, number: int) -> str | None:
    """The UUID of the tenant with this number."""
    node = tenants.by_ids(database, [number]).get(number)
    return str(node.uuid) if node and node.uuid else None


def described(database: Database, client: ClientAccount) -> dict[str, Any]:
    """A client as lists show it."""
    return {
        "client_id": client.client_id,
        "name": client.name,
        "tenant_id": tenant_text(database, client.tenant_id),
        "scope": scope_text(client.scopes),
        "created_at": moment(client.created_at),
        "disabled_at": moment(client.disabled_at),
    }


@clients.command(
    "create",
    examples=(
        "flask clients create --name dashboard --scope viewer",
        "flask clients create --name backup --scope issuer --scope consumer --tenant UUID --json",
    ),
)
@click.option("--name", required=True, help="What people call it.")
@tenant_option
@scope_option
@json_option
def create(name: str, tenant_uuid: UUID | None, scopes: tuple[Scope, ...], as_json: bool) -> None:
    """Make a client and show its secret, this once."""
    with open_database() as database:
        tenant = tenant_at(database, tenant_uuid)
        client_id, secret = credentials.create_client(
            database, name, tenant.id, scopes, clock.now()
        )
    made = {
        "client_id": client_id,
        "client_secret": secret,
        "tenant_id": str(tenant.uuid),
        "scope": scope_text(scopes),
    }
    show(made, as_json, f"client_id:     {client_id}\nclient_secret: {secret}  (shown this once)")


@clients.command("list")
@json_option
def list_clients(as_json: bool) -> None:
    """List all clients; secrets are never shown."""
    with open_database() as database:
        rows = [described(database, client) for client in credentials.clients(database)]
    show_rows(rows, as_json, "There are no clients.")


@clients.command("rename")
@click.argument("client_id")
@click.option("--name", required=True, help="Its new name.")
@json_option
def rename(client_id: str, name: str, as_json: bool) -> None:
    """Give a client another name."""
    with open_database() as database:
        credentials.rename_client(database, client_id, name)
    show({"client_id": client_id, "name": name}, as_json, f"Renamed {client_id}.")


@clients.command("disable")
@click.argument("client_id")
@json_option
def disable(client_id: str, as_json: bool) -> None:
    """A client gets no new token from now on; those it has expire by themselves."""
    with open_database() as database:
        credentials.disable_client(database, client_id, clock.now())
    show({"client_id": client_id, "disabled": True}, as_json, f"Disabled {client_id}.")


@clients.command("enable")
@click.argument("client_id")
@json_option
def enable(client_id: str, as_json: bool) -> None:
    """A disabled client gets tokens again."""
    with open_database() as database:
        credentials.enable_client(database, client_id)
    show({"client_id": client_id, "disabled": False}, as_json, f"Enabled {client_id}.")


@clients.command("delete")
@click.argument("client_id")
@json_option
def delete(client_id: str, as_json: bool) -> None:
    """Remove a client for good."""
    with open_database() as database:
        credentials.delete_client(database, client_id)
    show({"client_id": client_id, "deleted": True}, as_json, f"Deleted {client_id}.")


@clients.command("rotate-secret")
@click.argument("client_id")
@json_option
def rotate_secret(client_id: str, as_json: bool) -> None:
    """Give a client a new secret and show it, this once; the old one is void."""
    with open_database() as database:
        secret = credentials.rotate_secret(database, client_id)
    made = {"client_id": client_id, "client_secret": secret}
    show(made, as_json, f"client_secret: {secret}  (shown this once)")
