"""`flask users`: people who get tokens by password."""

import sys
from typing import Any
from uuid import UUID

import click

from app import clock
from app.cli.clients import scope_text, tenant_text
from app.cli.doors import Group, open_database, scope_option, tenant_at, tenant_option
from app.cli.output import json_option, moment, show, show_rows
from app.database import Database
from app.repository import credentials
from app.repository.credentials import UserAccount
from app.vocabulary import Scope

users = Group("users", help="People who get access tokens with a login and a password.")
LONGEST = 1024
"""Bytes of a password, line end included, beyond which nothing is read."""
password_option = click.option(
    "--password-stdin", is_flag=True,
    help="Read the password from standard input, one line; else it is asked for.",
)  # fmt: skip


def password_of(from_stdin: bool) -> str:
    """The password: a line of standard input, or asked for twice on the terminal."""
    if not from_stdin and not sys.stdin.isatty():
        raise click.UsageError(
            "There is no terminal to ask for the password: use --password-stdin."
        )
    if not from_stdin:
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    line = sys.stdin.buffer.readline(LONGEST)
    try:
        password = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException("The password is not UTF-8.") from None
    if not password or len(line) >= LONGEST:
        raise click.ClickException("A line with the password is expected on standard input.")
    return password


def described(database: Database, user: UserAccount) -> dict[str, Any]:
    """A user as lists show it."""
    return {
        "login": user.login,
        "tenant_id": tenant_text(database, user.tenant_id),
        "scope": scope_text(user.scopes),
        "created_at": moment(user.created_at),
        "disabled_at": moment(user.disabled_at),
    }


@users.command(
    "create",
    examples=(
        "flask users create --login anna --scope viewer",
        'echo "$PASSWORD" | flask users create --login anna --password-stdin --scope admin --json',
    ),
)
@click.option("--login", required=True, help="What the person logs in with.")
@password_option
@tenant_option
@scope_option
@json_option
def create(
    login: str, password_stdin: bool, tenant_uuid: UUID | None, scopes: tuple[Scope, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Make a user."""
    password = password_of(password_stdin)
    with open_database() as database:
        tenant = tenant_at(database, tenant_uuid)
        credentials.create_user(database, login, password, tenant.id, scopes, clock.now())
    made = {"login": login, "tenant_id": str(tenant.uuid), "scope": scope_text(scopes)}
    show(made, as_json, f"Made user {login}.")


@users.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List all users; passwords are never shown."""
    with open_database() as database:
        rows = [described(database, user) for user in credentials.users(database)]
    show_rows(rows, as_json, "There are no users.")


@users.command("rename", examples=("flask users rename anna --login anna.petrova",))
@click.argument("login")
@click.option("--login", "name", required=True, help="The new login.")
@json_option
def rename(login: str, name: str, as_json: bool) -> None:
    """Give a user another login."""
    with open_database() as database:
        credentials.rename_user(database, login, name)
    show({"login": name}, as_json, f"{login} logs in as {name} from now on.")


@users.command("set-password", examples=("flask users set-password anna",))
@click.argument("login")
@password_option
@json_option
def set_password(login: str, password_stdin: bool, as_json: bool) -> None:
    """Give a user another password."""
    password = password_of(password_stdin)
    with open_database() as database:
        credentials.set_password(database, login, password)
    show({"login": login}, as_json, f"{login} has a new password.")


@users.command("disable")
@click.argument("login")
@json_option
def disable(login: str, as_json: bool) -> None:
    """A user gets no new token from now on; those there are expire by themselves."""
    with open_database() as database:
        credentials.disable_user(database, login, clock.now())
    show({"login": login, "disabled": True}, as_json, f"Disabled {login}.")


@users.command("enable")
@click.argument("login")
@json_option
def enable(login: str, as_json: bool) -> None:
    """A disabled user gets tokens again."""
    with open_database() as database:
        credentials.enable_user(database, login)
    show({"login": login, "disabled": False}, as_json, f"Enabled {login}.")


@users.command("delete")
@click.argument("login")
@json_option
def delete(login: str, as_json: bool) -> None:
    """Remove a user for good."""
    with open_database() as database:
        credentials.delete_user(database, login)
    show({"login": login, "deleted": True}, as_json, f"Deleted {login}.")
