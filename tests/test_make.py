"""The Makefile, the README's tables and the locks, as a newcomer finds them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    "install run serve migrate seed test cover lint format docs bench scale drill check wheel lock"
    " help"
)
MOST = 45


def locked(name):
    """The packages that a lock pins -> {name: the lines that belong to it}."""
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text())
    return {block.partition("==")[0]: block for block in blocks if "==" in block}


def test_help_lists_every_command():
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = [line.split()[1] for line in told.stdout.splitlines()]
    assert set(COMMANDS.split()) <= set(listed)
    assert all(len(line.split()) > 3 for line in told.stdout.splitlines())


def test_the_tables_of_the_readme_are_current():
    subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "requirements-dev.txt", "requirements-mysql.txt",
     "benches/peers/requirements.txt"],
)  # fmt: skip
def test_every_package_is_pinned_with_hashes_and_no_address(name):
    assert all("--hash=sha256:" in block for block in locked(name).values())
    assert not re.search(
        r"https?://|file:|--(extra-)?index-url|--find-links", (ROOT / name).read_text()
    )


def test_the_locks_are_whole():
    """They are installed without a look at what packages need."""
    subprocess.run([sys.executable, "-m", "pip", "check"], check=True, capture_output=True)


def test_running_needs_few_packages():
    assert len(locked("requirements.txt")) <= MOST


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-mysql.txt"])
def test_the_locks_agree(name):
    runtime, other = locked("requirements.txt"), locked(name)
    assert {package: other.get(package, "").splitlines()[0] for package in runtime} == {
        package: block.splitlines()[0] for package, block in runtime.items()
    }
