"""What every command has in common: one clear line for what goes wrong, and the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
import peewee
from flask import current_app
from flask.cli import AppGroup, ScriptInfo
from playhouse.migrations import MigrationError

from app import database as databases
from app import failures
from app.catalog.kinds import UUID as UUID_FORM
from app.config import BadSetting, Settings
from app.database import Database
from app.errors import Refusal, Unavailable
from app.repository import tenants
from app.repository.maintenance import schema
from app.service import service_of
from app.vocabulary import Scope

REMEDIES = {failures.BEHIND: ": run `flask db upgrade` first"}


@contextmanager
def plainly() -> Iterator[None]:
    """What can be foreseen to go wrong ends the command with one line and status 1."""
    try:
        with failures.unlogged():
            yield
    except Unavailable as refusal:
        raise click.ClickException(failures.cause(refusal)) from None
    except (Refusal, BadSetting, MigrationError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None
    except peewee.IntegrityError:
        raise click.ClickException(
            "Somebody else changed the same rows meanwhile; nothing was changed: try again."
        ) from None
    except UnicodeEncodeError:
        # Python hands over bytes of the command line that are no text as lone surrogates.
        raise click.ClickException("What was given is not UTF-8.") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise click.ClickException(f"{error.strerror or error}{where}") from None


class Command(click.Command):
    """A command that shows examples, and ends with one clear line when it cannot do its work."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        """`examples`: command lines for its help."""
        super().__init__(*args, **options)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, as they are to be typed."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; foreseeable failures become messages."""
        if not current_app:
            app = ctx.ensure_object(ScriptInfo).load_app()
            ctx.with_resource(app.app_context())
        with plainly():
            return super().invoke(ctx)


class Group(AppGroup):
    """A group of such commands."""

    command_class = Command


def settings() -> Settings:
    """The settings of the application whose command this is."""
    return service_of(current_app).settings


@contextmanager
def any_database() -> Iterator[Database]:
    """The application's database, at whatever migration; no timeout cuts a long statement."""
    database = databases.connect(settings(), patient=True)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def existing_database() -> Iterator[Database]:
    """The same, for who only looks at it. Ends the command where it is not there."""
    with any_database() as database:
        if path := database.missing:
            raise click.ClickException(f"There is no database {path}: `flask db upgrade` makes it.")
        yield database


def refuse(words: str) -> None:
    """End the command where the database does not fit; `words` say why, if any."""
    if words:
        raise click.ClickException(f"The database {words}{REMEDIES.get(words, '')}.")


@contextmanager
def open_database() -> Iterator[Database]:
    """The application's database at the newest migration. Ends the command where it is not."""
    with existing_database() as database:
        refuse(schema.misfit(database))
        yield database


class Role(click.ParamType[Any]):
    """A scope by its last word, or by its URN."""

    name = "scope"

    def convert(self, value: Any, param: Any, ctx: Any) -> Scope:
        """The scope. Fails with the words that would do."""
        for scope in Scope:
            if value in (scope, scope.role, scope.value):
                return scope
        roles = ", ".join(scope.role for scope in Scope)
        return self.fail(f"{value!r} is none of {roles}.", param, ctx)


class UuidText(click.ParamType[Any]):
    """A UUID as the contract writes it."""

    name = "uuid"

    def convert(self, value: Any, param: Any, ctx: Any) -> UUID:
        """The UUID."""
        if isinstance(value, UUID):
            return value
        if not UUID_FORM.fullmatch(value):
            self.fail(f"{value!r} is not a UUID.", param, ctx)
        return UUID(value)


def tenant_at(database: Database, uuid: UUID | None) -> tenants.Node:
    """The tenant with this UUID, the root without one. Ends the command where there is none."""
    if uuid is None:
        return tenants.root(database)
    found = tenants.by_uuid(database, uuid)
    if found is None:
        raise click.ClickException(f"There is no tenant with the UUID {uuid}.")
    return found


scope_option = click.option(
    "--scope", "scopes", type=Role(), multiple=True, required=True,
    help="What it may do: viewer, issuer, consumer or admin (or the URN). May be repeated.",
)  # fmt: skip
tenant_option = click.option(
    "--tenant", "tenant_uuid", type=UuidText(), metavar="UUID",
    help="Tenant to whose subtree it is confined. [default: the root]",
)  # fmt: skip
