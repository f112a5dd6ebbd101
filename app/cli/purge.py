"""`flask purge`: what ended long ago is removed for good."""

import re
from typing import Any

import click

from app import clock
from app.catalog.times import FIRST
from app.cli.doors import Command, open_database
from app.cli.output import Progress, json_option, show
from app.repository.maintenance import purging

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SECOND = 1_000_000_000


class Age(click.ParamType[Any]):
    """How long ago: a number of days, hours, minutes or seconds."""

    name = "age"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Nanoseconds."""
        match = re.fullmatch(r"([0-9]{1,9})([dhms])", str(value))
        if match is None:
            self.fail(f"{value!r} is not an age such as 90d, 12h, 30m or 45s.", param, ctx)
        return int(match[1]) * UNITS[match[2]] * SECOND


@click.command("purge", cls=Command, examples=("flask purge --completed-before 90d",))
@click.option("--completed-before", "age", type=Age(), required=True, help="How long ago, as 90d.")
@click.option("--deleted", is_flag=True, help="Only tasks that were deleted.")
@json_option
def purge(age: int, deleted: bool, as_json: bool) -> None:
    """Remove tasks that ended long ago, with their activities, for good."""
    progress, purged = Progress(), 0
    with open_database() as database:
        # An age may reach back further than any time that can be kept.
        asked = purging.Purge(max(FIRST, clock.now() - age), deleted)
        progress.begin("Purging", purging.count(database, asked.before, deleted))
        for some in asked.run(database):
            purged += some
            progress.at(purged)
        progress.end()
    longest = round(asked.longest * 1000, 1)
    words = f"{purged} tasks were removed; no transaction took longer than {longest} ms."
    show({"purged": purged, "longestMilliseconds": longest}, as_json, words)
