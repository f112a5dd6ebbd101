"""The commands of `flask`: each a door that reads its arguments and calls an act.

`register` hangs them on an application. One group a file; what they share is in `doors` (errors,
database) and `output` (JSON, tables, progress).
"""

from collections.abc import Sequence

import click
from flask import Flask

from app.cli.backups import backup, restore
from app.cli.clients import clients
from app.cli.db import db
from app.cli.demo import demo
from app.cli.doctor import doctor
from app.cli.explain import explain_query
from app.cli.exporting import export
from app.cli.importing import import_files
from app.cli.keys import keys
from app.cli.purge import purge
from app.cli.reap import reap
from app.cli.settings import settings
from app.cli.tenants import tenants
from app.cli.users import users

COMMANDS = (
    backup, clients, db, demo, doctor, explain_query, export, import_files, keys, purge, reap,
    restore, settings, tenants, users,
)  # fmt: skip


def register(app: Flask) -> None:
    """Hang our commands on `app`, before Flask's own in `flask --help`."""
    for command in COMMANDS:
        app.cli.add_command(command)
    context = click.get_current_context(silent=True)
    if context:
        others = [command for command in app.cli.commands.values() if command not in COMMANDS]
        set_apart(context.find_root().command, others)


def set_apart(group: click.Command, others: Sequence[click.Command]) -> None:
    """Flask's own commands of `group`, and `others`, are listed after ours, in their own section.

    The list is being written when Flask loads the application: only what it reads later, whether
    a command is hidden and what stands at the end, can still be set.
    """
    if not isinstance(group, click.Group) or group.epilog:
        return
    own = [command for command in (*group.commands.values(), *others) if not command.hidden]
    lines = [f"  {command.name:<10} {command.get_short_help_str(60)}" for command in own]
    group.epilog = "\n".join(("\b", "Flask's own commands:", *lines))
    for command in own:
        command.hidden = True
