"""What the figures were taken on."""

import os
import platform
import re
import sqlite3
import subprocess
from functools import cache
from pathlib import Path

from benches.servers import ROOT


@cache
def commit() -> str:
    """The commit that is measured; `-dirty` behind it when files were changed since."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def found(file: str, pattern: str) -> str:
    """The first thing that `pattern` finds in a file of the kernel's."""
    try:
        match = re.search(pattern, Path(file).read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1).strip() if match else "unknown"


def memory() -> str:
    """All memory, in GiB."""
    kilobytes = found("/proc/meminfo", r"^MemTotal:\s+(\d+)")
    return f"{int(kilobytes) / 2**20:.0f} GiB" if kilobytes.isdigit() else kilobytes


def facts(mariadb: str | None) -> dict[str, str]:
    """The machine, in words. `mariadb`: what its server says it is."""
    return {
        "Processor": found("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "Cores": str(len(os.sched_getaffinity(0))),
        "Memory": memory(),
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "MariaDB": mariadb or "not measured",
    }
