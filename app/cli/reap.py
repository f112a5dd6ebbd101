"""`flask reap`: upkeep by hand or by cron, where no server process does it."""

import click

from app import clock
from app.cli.doors import Command, open_database
from app.cli.output import json_option, show
from app.repository.timers import upkeep


@click.command("reap", cls=Command, examples=("flask reap --once",))
@click.option("--once", is_flag=True, required=True, help="Take one turn, and end.")
@json_option
def reap(once: bool, as_json: bool) -> None:
    """Fire the timers that are due, and make ready what has waited for its time."""
    with open_database() as database:
        done = upkeep.once(database, clock.now())
    told = {"fired": done.fired, "promoted": done.promoted, "spared": done.spared}
    words = f"{done.fired} timers fired, {done.promoted} tasks are ready, {done.spared} leases"
    show(told, as_json, f"{words} were spared.")
