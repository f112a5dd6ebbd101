"""`flask import`: objects in the API's own shape, from files or standard input."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

import click

from app import clock
from app.cli.doors import Command, UuidText, open_database, tenant_at
from app.cli.output import Progress, json_option, show
from app.errors import Fault
from app.repository.maintenance.importing.checking import Tally
from app.repository.maintenance.importing.documents import Documents
from app.repository.maintenance.importing.intake import Arrival, NothingImported, take

EVERY = 500
"""Objects between two looks at the progress bar."""
Origin = tuple[str, int, int | None]
"""File, line, and place in an array."""


@dataclass
class Source:
    """A file to import; `size`: bytes, 0 where it cannot be known."""

    name: str
    file: BinaryIO
    size: int


@contextmanager
def opened(names: Sequence[str]) -> Iterator[list[Source]]:
    """All the files, open: one that is missing is noticed before anything is read."""
    sources: list[Source] = []
    try:
        for name in names:
            file = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115
            size = 0 if name == "-" else os.fstat(file.fileno()).st_size
            sources.append(Source("<stdin>" if name == "-" else name, file, size))
        yield sources
    finally:
        for source in sources:
            source.file.close()


def arrivals(sources: Sequence[Source], progress: Progress) -> Iterator[Arrival]:
    """All objects of all files."""
    progress.begin("Checking", sum(source.size for source in sources))
    behind = 0
    for source in sources:
        documents = Documents(source.file)
        for number, found in enumerate(documents):
            yield (source.name, found.line, found.place), found.value, found.troubles
            if number % EVERY == 0:
                progress.at(behind + documents.bytes_read)
        behind += documents.bytes_read


def complaint(origin: Origin, faults: Sequence[Fault]) -> str:
    """A line for each fault, led by file and line."""
    name, line, index = origin
    item = "" if index is None else f"items[{index}]"
    lines = []
    for fault in faults:
        place = ".".join(part for part in (item, fault.parameter) if part)
        got = f" (not {fault.value})" if fault.value else ""
        lines.append(f"{name}:{line}: {place + ': ' if place else ''}{fault.message}{got}")
    return "\n".join(lines)


def counted(number: int, noun: str, nouns: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun if number == 1 else nouns}"


def summary(tally: Tally) -> str:
    """What became of all objects, for people."""
    tasks = counted(tally.tasks, "task", "tasks")
    activities = counted(tally.activities, "activity", "activities")
    met = tally.skipped + tally.replaced - tally.again
    rest = (
        (met, "replaced" if tally.replaced else "there already, skipped"),
        (tally.again, f"given again: the {'last' if tally.replaced else 'first'} is taken"),
        (tally.bad, "bad"),
    )
    more = "".join(f", {number:,} {words}" for number, words in rest if number)
    return f"Imported {tasks} and {activities}{more}."


def warn_of_ignored(tally: Tally, progress: Progress) -> None:
    """Say which members the API does not have, and how often they came."""
    for name, number in sorted(tally.ignored.items()):
        progress.say(
            f"Ignored {name!r}, which the API does not have: {counted(number, 'time', 'times')}."
        )


@click.command(
    "import",
    cls=Command,
    examples=(
        "flask import tasks.ndjson activities.ndjson",
        'curl -s "$URL/tasks?limit=1000" -H "Authorization: Bearer $T" | flask import -',
        "flask import --replace --skip-bad saved.json",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tenant", "tenant_uuid", type=UuidText(), metavar="UUID",
              help="Tenant of tasks that name none. [default: the root]")  # fmt: skip
@click.option("--replace", is_flag=True, help="Overwrite what is there by id; else it is skipped.")
@click.option("--skip-bad", is_flag=True, help="Leave bad objects out; else nothing is imported.")
@json_option
def import_files(
    files: tuple[str, ...], tenant_uuid: UUID | None, replace: bool, skip_bad: bool, as_json: bool
) -> None:
    """Import tasks and activities in the API's own shape. `-` reads standard input.

    A file holds one object a line, an array, or an answer saved from the API ({"items": [...]}).
    An object with a taskId is an activity; tasks come before their activities, parents before
    their children. Everything is checked before the first row is written, and a load is taken
    whole or not at all. With --skip-bad, --json counts the bad ones too.
    """
    progress = Progress()
    try:
        with opened(files) as sources, open_database() as database:
            tally = take(
                database, arrivals(sources, progress), tenant_at(database, tenant_uuid),
                clock.now(), replace=replace, skip_bad=skip_bad, watch=progress,
                report=lambda origin, faults: progress.say(complaint(origin, faults)),
            )  # fmt: skip
    except NothingImported as error:
        bad = counted(error.tally.bad, "object is", "objects are")
        raise click.ClickException(f"{bad} bad: nothing was imported.") from None
    finally:
        progress.end()
    warn_of_ignored(tally, progress)
    names = ("tasks", "activities", "skipped", "replaced", *["bad"] * skip_bad)
    show({name: getattr(tally, name) for name in names}, as_json, summary(tally))
