"""`flask backup` and `flask restore`: the whole database as one file."""

from pathlib import Path
from typing import Any

import click

from app.cli.doors import Command, any_database, open_database
from app.cli.output import json_option, show
from app.repository.maintenance import backups, schema
from app.repository.maintenance.importing.reindexing import recover

file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command("backup", cls=Command, examples=("flask backup tasks-monday.backup",))
@file_argument
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Copy the whole database to FILE while it is in use; FILE must not be there yet.

    What was accepted before the command began is in it. The secret key is not: keep it elsewhere.
    """
    with open_database() as database:
        size = saved(lambda: backups.save(database, file))
    show({"file": str(file), "bytes": size}, as_json, f"{file}: {size:,} bytes.")


@click.command("restore", cls=Command, examples=("flask restore tasks-monday.backup",))
@file_argument
@click.option("--replace", is_flag=True, help="Also when the database holds something: it is lost.")
@json_option
def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Make the database what a backup says. Stop all servers first."""
    with any_database() as database:
        saved(lambda: backups.put_back(database, file, replace))
        if current := schema.current(database):
            recover(database)
    words = f"The database is as {file} says."
    if not current:
        words += " It is not at the newest migration: run `flask db upgrade`."
    show({"file": str(file), "current": current}, as_json, words)


def saved(act: Any) -> Any:
    """What `act` answers. Ends the command with its one line where it is refused."""
    try:
        return act()
    except backups.BackupRefused as refusal:
        raise click.ClickException(f"{refusal}.") from None
