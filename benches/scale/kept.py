"""What was measured already: one JSON file for each finished part of a size on an engine.

A file counts as long as the code that it measured is the same; to measure a part anew, delete it.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from benches.scale import machine
from benches.servers import ROOT

FOLDER = ROOT / "build" / "scale"
"""Where all that lasts longer than a run is: databases and results. git ignores it."""
MEASURED = ("app/**/*.py", "migrations/*.py", "benches/*.py")
"""What every result depends on."""
SHAPES = ("migrations/*.py", "app/catalog/indexes.py", "benches/data.py")
"""What a loaded database depends on."""


@dataclass(frozen=True)
class Key:
    """Which part, of which size on which engine; `code`: the digest of what it depends on."""

    engine: str
    size: int
    part: str
    code: str

    def file(self, folder: Path) -> Path:
        """Where its result is kept."""
        return folder / "results" / f"{self.engine}-{self.size}-{self.part}.json"


@cache
def digest(patterns: tuple[str, ...]) -> str:
    """A few letters that change when one of the files does."""
    found = sha256()
    for file in sorted({file for pattern in patterns for file in ROOT.glob(pattern)}):
        if file.is_file() and "__pycache__" not in file.parts:
            found.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return found.hexdigest()[:16]


def write(file: Path, content: str) -> None:
    """All of `content` is in `file`, or what was there before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(content)
    part.replace(file)


def result(folder: Path, key: Key) -> dict[str, Any] | None:
    """What was measured of `key`, by the code as it is; None: nothing."""
    file = key.file(folder)
    if not file.exists():
        return None
    found: dict[str, Any] = json.loads(file.read_text())
    return found if found["code"] == key.code else None


def measured(folder: Path, key: Key, act: Callable[[], Any]) -> dict[str, Any]:
    """What `act` tells, kept with when and beside what it was measured."""
    began = perf_counter()
    told = act()
    found = {
        "code": key.code, "commit": machine.commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(perf_counter() - began, 1),
        "load": round(os.getloadavg()[0], 2), "told": told,
    }  # fmt: skip
    write(key.file(folder), json.dumps(found, indent=1))
    return found
