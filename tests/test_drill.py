"""A short drill on each engine, and one on code with a fault: the drill must notice."""

import subprocess
import sys

import pytest
from services import ROOT, environment

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("drill")]
KILLED = 6
LATE = ("outcomes that a void lease has written", "calls accepted under a lease that had passed on")


def drill(**asked):
    """Exit status of a short drill, and how often each promise was broken."""
    command = [sys.executable, str(ROOT / "tests" / "drills" / "drill.py")]
    settings = environment(**{"TASKS": "200", "KILLS": str(KILLED), **asked})
    done = subprocess.run(
        command, env=settings, capture_output=True, text=True, timeout=900, cwd=ROOT
    )
    counts = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line[:1] == " "]
    assert counts, done.stderr
    return done.returncode, {name: int(count) for count, name in counts if count.isdigit()}


@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_nothing_is_lost_or_done_twice_while_everything_is_killed(engine, request):
    request.getfixturevalue(f"{engine}_engine")
    status, counts = drill(ENGINES=engine)
    assert status == 0, counts
    assert counts["enqueues accepted"] == counts["tasks in the database"] == 200
    # Who is killed between a completion and its answer has not seen that it was accepted.
    assert 200 - KILLED <= counts["completions accepted"] <= 200
    assert counts["void leases refused"] > 0


def test_without_transactions_the_drill_fails():
    status, counts = drill(ENGINES="sqlite", FAULT="transaction", TASKS="80", KILLS="4")
    assert status == 1
    assert counts["completions that are half written"] > 0


def test_with_transactions_a_death_between_two_writes_breaks_nothing():
    status, counts = drill(ENGINES="sqlite", FAULT="death", TASKS="80", KILLS="4")
    assert status == 0, counts


def test_without_the_check_of_the_fence_the_drill_fails():
    status, counts = drill(ENGINES="sqlite", FAULT="fence", WITHIN="120")
    assert status == 1
    assert sum(counts[name] for name in LATE) > 0
