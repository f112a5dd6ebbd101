"""`flask export`: everything there is, as lines of JSON that `flask import` takes back."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.doors import Command, open_database
from app.cli.output import Progress, as_json_text, json_option
from app.repository.maintenance import exporting
from app.repository.maintenance.backups import blaming

EVERY = 500
"""Objects between two looks at the progress bar."""


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or the file at `path`, which appears only when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with blaming(path):
        made = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with open(made, "wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@click.command(
    "export", cls=Command,
    examples=("flask export > everything.ndjson", "flask export --output everything.ndjson --json"),
)  # fmt: skip
@click.option(
    "--output", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write to FILE, which is replaced only by a whole export. [default: stdout]",
)  # fmt: skip
@json_option
def export(path: Path | None, as_json: bool) -> None:
    """Export all tasks and activities, deleted ones too, one object a line.

    Tasks come before their activities and parents before their children, at the level of detail
    `debug`, without leases: `flask import` takes it back without loss.
    """
    counts: Counter[str] = Counter()
    progress = Progress()
    with open_database() as database, output(path) as file:
        try:
            progress.begin("Exporting", exporting.total(database))
            for line in exporting.lines(database, lambda plural: counts.update((plural,))):
                file.write(line)
                if counts.total() % EVERY == 0:
                    progress.at(counts.total())
        finally:
            progress.end()
    tasks, activities = counts["tasks"], counts["activities"]
    told = as_json_text({"tasks": tasks, "activities": activities})
    words = f"Exported {tasks:,} tasks and {activities:,} activities."
    # Where the export itself goes to standard output, what is said of it must not.
    if as_json or path or sys.stderr.isatty():
        click.echo(told if as_json else words, err=path is None)
