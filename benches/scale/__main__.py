"""`make scale`: how the service grows, on SQLite and on MariaDB -> docs/benchmarks.md.

    make scale                        100,000 and 1,000,000 tasks
    make scale SIZES=100k,1M,10M      these sizes; hours for the last, in as many runs as you like
    make scale ENGINES=sqlite         only this engine
    make scale PARTS='lists claims'   only these parts; what is kept of the others is shown too
    make scale ACTIVITIES=10M         up to this size tasks have three activities each (1M)
    make scale DOCS=elsewhere         the folder in which the page is written (docs)

What was finished is kept in build/scale: databases and results. A run that was cut goes on where it
was; a part whose code has changed is measured anew, and so is one whose file is deleted there.
"""

import fcntl
import os
import signal
import sys
import tempfile
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import mariadb

from benches.scale import kept, machine, mysqls, page
from benches.scale.parts import PARTS, Part
from benches.scale.place import Place
from benches.scale.stock import Stock
from benches.servers import ROOT

UNITS = {"k": 1_000, "M": 1_000_000}
ENGINES = ("sqlite", "mysql")


def number(text: str) -> int:
    """A size as people write it: 5000, 100k, 1M. Ends the process when it is none."""
    digits, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "")
    if not digits.isdecimal() or not int(digits):
        sys.exit(f"not a size: {text!r}; sizes are written 5000, 100k or 1M")
    return int(digits) * UNITS.get(unit, 1)


def chosen(name: str, default: str) -> list[str]:
    """The words of a variable of the environment, and so of make's command line."""
    return (os.environ.get(name) or default).replace(",", " ").split()


@dataclass
class Run:
    """What is asked for, and where it is kept."""

    sizes: list[int]
    engines: list[str]
    parts: list[str]
    activities: int
    folder: Path
    page: Path
    failures: list[str] = field(default_factory=list)

    def result(self, part: Part, engine: str, size: int) -> dict[str, Any] | None:
        """What is kept of a part; None: nothing."""
        return kept.result(self.folder, part.key(engine, size, self.sizes[0]))

    def needed(self) -> dict[str, list[int]]:
        """The sizes to be loaded on each engine: the smallest is asked in turn with every other."""
        missing = self.missing()
        return {
            engine: sorted({
                size for _, one, big in missing if one == engine for size in (big, self.sizes[0])
            })
            for engine in self.engines
        }  # fmt: skip

    def all(self) -> list[tuple[Part, str, int]]:
        """The parts that there are, each on every engine and size where it makes sense."""
        return [
            (part, engine, size)
            for engine in self.engines
            for size in self.sizes
            for part in PARTS
            if not (part.least and size != self.sizes[0])
            and not (part.activities and size > self.activities)
        ]

    def missing(self) -> list[tuple[Part, str, int]]:
        """Those that are asked for, and of which no result is kept."""
        return [
            (part, engine, size)
            for part, engine, size in self.all()
            if part.name in self.parts and self.result(part, engine, size) is None
        ]


def say(words: str) -> None:
    """A line of progress."""
    print(f"scale: {words}", file=sys.stderr, flush=True)


def asked() -> Run:
    """The run that the environment asks for. Ends the process when it cannot be."""
    engines, parts = chosen("ENGINES", " ".join(ENGINES)), chosen("PARTS", "")
    names = [part.name for part in PARTS]
    if unknown := [*(set(engines) - set(ENGINES)), *(set(parts) - set(names))]:
        sys.exit(
            f"unknown: {' '.join(unknown)}; engines: {' '.join(ENGINES)}; parts: {' '.join(names)}"
        )
    folder = Path(os.environ.get("SCALE_FOLDER") or kept.FOLDER).resolve()
    [activities] = chosen("ACTIVITIES", "1M")
    return Run(
        sorted({number(text) for text in chosen("SIZES", "100k,1M")}), engines, parts or names,
        number(activities), folder, Path(os.environ.get("DOCS") or ROOT / "docs"),
    )  # fmt: skip


def measure(run: Run, stock: Stock, room: Path) -> None:
    """Every missing part is measured and kept; one that fails does not hold up the others."""
    todo = run.missing()
    for at, (part, engine, size) in enumerate(todo, 1):
        words = f"{at} of {len(todo)}: {engine}, {size:,} tasks, {part.name}"
        place = Place(stock, engine, size, room, run.sizes[0])
        key = part.key(engine, size, run.sizes[0])
        try:
            found = kept.measured(run.folder, key, lambda: part.measure(place))  # noqa: B023
        except Exception as error:  # noqa: BLE001 - hours of other figures are not lost for it
            run.failures.append(f"{words}: {type(error).__name__}: {error}")
            say(f"FAILED: {run.failures[-1]}")
            traceback.print_exc()
        else:
            say(f"{words}: {found['seconds']} s")
            if note := found["told"].get("missing"):
                key.file(run.folder).unlink()
                run.failures.append(f"{words}: NOT MEASURED: {note}")
                say(run.failures[-1])


def results(run: Run) -> list[dict[str, Any]]:
    """All that is kept of these sizes and engines."""
    found = []
    for part, engine, size in run.all():
        result = run.result(part, engine, size)
        if result is not None:
            found.append({"part": part.name, "engine": engine, "size": size, **result})
    return found


def main() -> int:
    """Load, measure, write the page -> 0 when all was measured and every bound was kept."""
    run = asked()
    run.folder.mkdir(parents=True, exist_ok=True)
    version = None
    with ExitStack() as stack:
        lock = stack.enter_context((run.folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"another run is at work in {run.folder}")
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tasks-scale-")))
        server = None
        if "mysql" in run.engines:
            if mysqls.there():
                server = mysqls.Server(run.folder / "mysql")
                stack.callback(server.leave)
                server.start()
                version = mariadb.version(server.url)
            else:
                run.engines.remove("mysql")
                run.failures.append(f"MariaDB: NOT MEASURED: {mariadb.MISSING}")
        stock = Stock(run.folder, server, run.activities)
        stock.fill(run.needed())
        measure(run, stock, room)
    facts = {
        "Commit": machine.commit(),
        "Written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **machine.facts(version),
        "Load average": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }
    kept_all = page.write(run.page, results(run), facts, run.failures)
    say(f"{run.page / 'benchmarks.md'} is written; {len(run.failures)} parts failed")
    return 0 if kept_all and not run.failures else 1


if __name__ == "__main__":
    # So that what was started ends too, and what was written is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
