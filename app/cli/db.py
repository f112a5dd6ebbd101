"""`flask db`: the migrations."""

import click

from app.cli.doors import Group, any_database, existing_database, refuse
from app.cli.output import json_option, show, show_rows
from app.failures import BEHIND
from app.repository import indexing
from app.repository.maintenance import schema
from app.repository.maintenance.importing.reindexing import recover

db = Group("db", help="Bring the database to a migration, or show where it stands.")


@db.command("upgrade", examples=("flask db upgrade",))
@click.argument("migration", required=False)
@json_option
def upgrade(migration: str | None, as_json: bool) -> None:
    """Apply the pending migrations, or those up to MIGRATION; build missing indexes."""
    with any_database() as database:
        words = schema.misfit(database)
        refuse("" if words == BEHIND else words)
        applied = schema.upgrade(database, migration)
        built = recover(database) if schema.current(database) else []
    lines = [f"Applied {name}." for name in applied]
    lines += [f"Built the index {name}, which was missing." for name in built]
    words = "\n".join(lines) or "Nothing to do."
    facts = {"applied": applied} | ({"built": built} if built else {})
    show(facts, as_json, words)


@db.command("downgrade", examples=("flask db downgrade 0002_claims",))
@click.argument("migration", required=False)
@json_option
def downgrade(migration: str | None, as_json: bool) -> None:
    """Revert the newest migration, or all down through MIGRATION. Data may be lost."""
    with existing_database() as database:
        reverted = schema.downgrade(database, migration)
    words = "\n".join(f"Reverted {name}." for name in reverted) or "Nothing to do."
    show({"reverted": reverted}, as_json, words)


@db.command("status")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show each migration and when it was applied; status 1 when the database is not current."""
    with any_database() as database:
        rows = schema.status(database)
        lost = "" if database.missing else schema.lacks(indexing.lacking(database))
    shown = [
        {"migration": row.name, "applied": row.applied and row.applied.isoformat(sep=" ")}
        for row in rows
    ]
    show_rows(shown, as_json, "There are no migrations.")
    for words in filter(None, (schema.ahead(rows), lost)):
        click.echo(f"The database {words}.", err=True)
    if lost or schema.unfit(rows):
        ctx.exit(1)
