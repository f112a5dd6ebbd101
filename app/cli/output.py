"""What commands print: JSON for scripts, tables for people, progress on a terminal."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from app.catalog.times import written

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def as_json_text(value: Any) -> str:
    """`value` as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)


def show(value: Any, as_json: bool, words: str) -> None:
    """Print `value` as JSON, or `words` for people."""
    click.echo(as_json_text(value) if as_json else words)


def show_rows(rows: Sequence[dict[str, Any]], as_json: bool, nothing: str) -> None:
    """Print `rows` as a JSON list, or as a table; `nothing`: what people read of no rows."""
    show(list(rows), as_json, table(rows) if rows else nothing)


def cell(value: Any) -> str:
    """A value in a table."""
    return "" if value is None else str(value)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """`rows` under their names, in columns as wide as needed."""
    names = rows[0].keys()
    lines = [[name.upper() for name in names], *([cell(row.get(n)) for n in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def moment(nanoseconds: int | None) -> str | None:
    """A time as the contract writes it; None stays None."""
    return None if nanoseconds is None else written(nanoseconds)


class Progress:
    """A bar on the terminal's stderr, one label and length after another; nothing elsewhere."""

    def __init__(self) -> None:
        """Nothing is drawn before the first `begin`."""
        self.bar: Any = None
        self.drawn = 0

    def begin(self, label: str, length: int) -> None:
        """A new bar for `length` units of work."""
        self.end()
        self.drawn = 0
        if sys.stderr.isatty() and length > 0:
            self.bar = click.progressbar(length=length, label=f"{label:<20}", file=sys.stderr)
            self.bar.__enter__()

    def at(self, done: int) -> None:
        """`done` units of the running bar are behind us."""
        if self.bar:
            self.bar.update(done - self.drawn)
            self.drawn = done

    def say(self, line: str) -> None:
        """A line on stderr that the bar does not overwrite."""
        if self.bar:
            click.echo("\r\x1b[2K", err=True, nl=False)
        click.echo(line, err=True)

    def end(self) -> None:
        """The running bar is finished."""
        if self.bar:
            self.bar.__exit__(None, None, None)
            self.bar = None
