"""The page that tells a run: docs/benchmarks.md, with its pictures beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benches.scale import judged, plots, tables
from benches.scale.judged import Results

FOLDER = "benchmarks"
HEAD = """# Benchmarks

Written by `make scale`; every figure is from the run that is described here. Milliseconds belong to
that machine, ratios travel better. SQLite is judged by processor time, which other work on the
machine hardly changes; MariaDB, whose work is done by another process, by the clock on the wall.
"""
LISTS = """Pages of 100 by the repository (`lod=short`), warm. Each request is asked with nine
values of its own, the same at each size; each counts with the fastest of three tries, so that p95
tells dear values rather than a busy machine. How a request grows is told from draws of the largest
size and of the smallest taken in turn. A picture shows all requests of a family together.
"""
CLAIMS = """Microseconds of one claim (median of 60) while a twentieth of the table waits that 99 in
100 callers may not take, and another twentieth that everybody may.
"""
WRITES = """Microseconds of a task in batches of 100, each a durable transaction
(`synchronous=full`, `innodb_flush_log_at_trx_commit=1`): by the service; the same rows by the bare
driver into the same tables; and into tables that have their primary keys alone. The picture: the
same rows into tables of at most 200,000 that are given one index after the other.
"""
DOORS = """Milliseconds of processor time of the one process that answers, median ratio of five
rounds; the floor is a bare WSGI function with the same SELECT (`benches/floor.py`).
"""
PEERS = """One page of 100 tasks of a type, 25 fields, newest first, on the same rows, with the same
RS256 token: without a good one all of them refuse, and all answer the same items, which is checked
before anything is timed. One process each, as their documentation starts it. *Documented* is what
their tutorials show (with eager joins; DRF with pagination that does not count); *tuned* takes
columns instead of objects, writes with orjson and remembers tokens. `benches/peers/`.
"""
COLD = """Milliseconds on the wall of each telling request when nothing is in memory: how a database
behaves after a start, or when it is much larger than memory.
"""
COUNTS = """Milliseconds on the wall of exact counts (`lod=count`), the fastest of three. A count
grows with what it counts; *given up* is what takes longer than the service allows.
"""
RATES = """Pages a second of the smallest size, given to eight clients that share the cores with the
service.
"""


def pictures(some: list[tuple[str, str]]) -> Iterator[str]:
    """Pictures, two in a line."""
    yield from (f'<img src="{FOLDER}/{file}" alt="{words}" width="49%">' for words, file in some)
    if some:
        yield ""


def section(title: str, words: str, *parts: Any) -> Iterator[str]:
    """A heading, words, and parts; nothing when no part has anything."""
    lines = [line for part in parts for line in part]
    if lines:
        yield from (f"## {title}", "", words, *lines)


def text(results: Results, facts: dict[str, str], failures: list[str], drawn: Any) -> str:
    """The whole page."""
    lines = [HEAD, *tables.pairs(facts), *tables.when(results)]
    if failures:
        lines += ["## Not measured", "", *(f"- {failure}" for failure in failures), ""]
    lines += ["## Bounds", "", *tables.bounds(judged.verdicts(results))]
    lines += section("Lists", LISTS, pictures(drawn["families"]), tables.families(results),
                     tables.slowest_to_grow(results))  # fmt: skip
    lines += section("Peers", PEERS, pictures(drawn["peers"]), tables.peers(results))
    lines += section("A page over HTTP", DOORS, tables.doors(results))
    lines += section("Throughput", RATES, pictures(drawn["rates"]), tables.rates(results))
    lines += section("Claims", CLAIMS, tables.claims(results))
    lines += section("Writing", WRITES, pictures(drawn["indexes"]), tables.writes(results))
    lines += section("Counts", COUNTS, tables.counts(results))
    lines += section("Cold", COLD, tables.cold(results))
    lines += section("Every request", "p50 / p95 in milliseconds; \\*: some page is not full.\n",
                     tables.requests(results))  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def write(docs: Path, results: Results, facts: dict[str, str], failures: list[str]) -> bool:
    """The page and its pictures are in `docs` -> whether every bound was kept."""
    drawn = plots.drawn(results, docs / FOLDER)
    (docs / "benchmarks.md").write_text(text(results, facts, failures, drawn))
    return all(verdict.kept is not False for verdict in judged.verdicts(results))
