"""What is measured: the bound that each figure must keep, and what was measured before the service.

The anchors come from throw-away code of the same kind on a shared machine of two cores; absolute
figures swing by a factor of 1.5 to 3 there, so that only ratios of one run judge.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Anchor:
    """One figure: its words, unit, the most it may be, and the best known before (None: none)."""

    words: str
    unit: str
    most: float | None
    before: float | None = None


ANCHORS = {
    "page": Anchor("page of 100 tasks, CPU against the floor", "x", 1.6, 1.15),
    "page ms": Anchor("page of 100 tasks, CPU of the worker", "ms", None, 3.6),
    "floor ms": Anchor("the floor's, CPU of its worker", "ms", None, 3.2),
    "query": Anchor("three parameters, over an empty Flask request", "us", 150, 50),
    "query class": Anchor("the same against the library's default way", "x", 0.5, 0.15),
    "token new": Anchor("token never seen before", "us", 100),
    "token seen": Anchor("token seen before", "us", 20),
    "enqueue single": Anchor("enqueue by the repository, time against the floor", "x", 1.67),
    "enqueue bulk": Anchor("the same in bulk of 100", "x", 1.67),
    "indexes single": Anchor("all indexes against primary keys alone, the floor's", "x", None),
    "indexes bulk": Anchor("the same in bulk of 100", "x", None),
    "life single": Anchor("enqueue over HTTP, CPU against the floor", "x", 4),
    "life bulk": Anchor("the same, each of a bulk of 100", "x", 2),
    "life life": Anchor("enqueue, claim, start and complete over HTTP", "x", 4),
    "claim": Anchor("claim, long queue", "x", 1.5),
    "claim after few": Anchor("claim, much completed", "x", 1.5),
    "claim after many": Anchor("claim, long, much completed", "x", 1.5),
    "live": Anchor("page of 100, p95 under full write load against idle", "x", 2),
    "live beside": Anchor("the same while another server's database is written", "x", None),
    "waiting": Anchor("what 200 waiting claims add to p95 of /healthz", "ms", 50),
    "import": Anchor("import of 1,000,000 tasks and 3,000,000 activities", "min", 10),
    "import mysql": Anchor("import of 1,000,000 tasks and 3,000,000 activities", "min", 30),
    "import rate": Anchor("rows written", "thousand/s", None, 40),
    "import memory": Anchor("most memory of the import", "MiB", 300),
    "rest": Anchor("memory of a worker at rest", "MiB", 120),
    "filling": Anchor("and what the second half of the requests added to it", "MiB", None),
    "grow index": Anchor("an index is added to a table in use", "s", None),
    "grow index read": Anchor("the slowest page of 100 meanwhile", "ms", None),
    "grow index write": Anchor("the slowest enqueue meanwhile", "ms", None),
    "grow column": Anchor("a column is added to a table in use", "s", None),
    "grow column read": Anchor("the slowest page of 100 meanwhile", "ms", None),
    "grow column write": Anchor("the slowest enqueue meanwhile", "ms", None),
    "growth": Anchor("and what the second half of the requests added to it", "MiB", 2),
}


def line(name: str, value: float, note: str = "", of: str = "") -> str:
    """A figure beside its bound and its anchor, for people. `of`: words more of what it is."""
    anchor = ANCHORS[name]
    bound = "" if anchor.most is None else f"<= {anchor.most:g}"
    verdict = "" if anchor.most is None else ("ok" if value <= anchor.most else "OVER")
    before = "" if anchor.before is None else f"before: {anchor.before:g}"
    words = f"  {anchor.words + of:<55}{value:>9.2f} {anchor.unit:<11}"
    told = f"{words}{bound:<9}{verdict:<5}{before:<13}"
    return f"{told}{note}".rstrip()
