"""`flask settings`: every setting, its value in force and what it means."""

import re
from typing import Any

import click

from app.cli.doors import Command
from app.cli.doors import settings as in_force
from app.cli.output import json_option, show
from app.config import SETTINGS, Setting, Settings

HIDDEN = "(hidden)"
PASSWORD = re.compile(r"(?<=://)([^/@]*?):[^/]*@")


def shown(row: Setting, values: Settings) -> Any:
    """The value of `row` in force; of a secret only that there is one, an address without it."""
    value = getattr(values, row.attribute)
    if not row.hidden or not value:
        return value
    return PASSWORD.sub(rf"\1:{HIDDEN}@", value) if "://" in value else HIDDEN


def words(row: Setting, value: Any) -> str:
    """A setting for people."""
    text = {True: "1", False: "0", "": "(none)"}.get(value, value)
    default = f" [default: {row.default}]" if row.default and not row.hidden else ""
    return f"{row.name} = {text}\n    {row.sentence}{default}"


@click.command("settings", cls=Command, examples=("flask settings", "flask settings --json"))
@json_option
def settings(as_json: bool) -> None:
    """Show every setting: its name, its value in force, what it means. Secrets are hidden.

    Each is an environment variable; NAME_FILE names a file that holds the value instead.
    """
    values = in_force()
    shown_rows = {row.name: shown(row, values) for row in SETTINGS}
    text = "\n".join(words(row, shown_rows[row.name]) for row in SETTINGS)
    show(shown_rows, as_json, text)
