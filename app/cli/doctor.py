"""`flask doctor`: whether the database keeps what this program promises."""

from collections.abc import Iterator

import click

from app.cli.doors import Command, existing_database
from app.cli.output import json_option, show
from app.database import Database
from app.repository.maintenance import schema
from app.repository.maintenance.examining import Finding, at_one_moment, examined
from app.repository.maintenance.importing import reindexing

MIGRATIONS = "the database is at the newest migration"


def found(database: Database) -> Iterator[Finding]:
    """All findings; nothing else is looked at where the migrations are not current."""
    misfit = schema.misfit(database)
    yield Finding(MIGRATIONS, f"it {misfit}" if misfit else "")
    if not misfit:
        with at_one_moment(database):
            yield from examined(database)


@click.command("doctor", cls=Command, examples=("flask doctor", "flask doctor --mend"))
@click.option("--mend", is_flag=True, help="Count and measure anew what lists rely on, first.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, mend: bool, as_json: bool) -> None:
    """Look for what the database should hold and does not; status 1 when something is wrong.

    It may run while the service does, and reads every row.
    """
    shown = []
    with existing_database() as database:
        if mend and not schema.misfit(database):
            reindexing.mend(database)
        for finding in found(database):
            shown.append({"check": finding.name, "ok": not finding.wrong, "wrong": finding.wrong})
            if not as_json:
                click.echo(f"WRONG  {finding.name}: {finding.wrong}" if finding.wrong
                           else f"ok     {finding.name}")  # fmt: skip
    if as_json:
        show(shown, as_json, "")
    if not all(row["ok"] for row in shown):
        ctx.exit(1)
