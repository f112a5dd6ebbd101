"""The tables of the page, each as lines of Markdown; empty where nothing was measured."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from benches.scale import judged
from benches.scale.judged import NAMES, Results, Verdict, of, p95, said, short

WORST = 12
"""How many of the requests are named that grow the most."""


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A table, when it has rows; the first column is words, the others are aligned to the right."""
    made = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    if made:
        yield f"| {' | '.join(head)} |"
        yield f"|---|{'---:|' * (len(head) - 1)}"
        yield from (f"| {' | '.join(row)} |" for row in made)
        yield ""


def pairs(facts: dict[str, str]) -> Iterator[str]:
    """Facts as a table."""
    yield from table(("the run", ""), facts.items())


def when(results: Results) -> Iterator[str]:
    """When the parts were measured, and of which commits."""
    if not results:
        return
    commits = ", ".join(sorted({one["commit"] for one in results}))
    first, last = (some(one["at"] for one in results) for some in (min, max))
    loads = sorted(one["load"] for one in results)
    spent = sum(one["seconds"] for one in results) / 60
    yield (
        f"Measured from {first} to {last} at commit {commits}, {spent:.0f} minutes in all; the "
        f"load average after the parts lay between {loads[0]:.1f} and {loads[-1]:.1f}."
    )
    yield ""


def bounds(verdicts: list[Verdict]) -> Iterator[str]:
    """Figures beside their bounds."""
    yield from table(
        ("figure", "where", "measured", "bound", ""),
        [(one.words, one.where, one.figure, one.bound, one.verdict) for one in verdicts],
    )


def columns(results: Results, *parts: str) -> list[tuple[str, int]]:
    """Engines and sizes at which one of the parts was measured."""
    return [
        (engine, size)
        for engine in NAMES
        for size in sorted({size for part in parts for size in of(results, part, engine)})
    ]


def heads(some: list[tuple[str, int]]) -> list[str]:
    """The same as heads of columns."""
    return [f"{NAMES[engine]} {short(size)}" for engine, size in some]


def families(results: Results) -> Iterator[str]:
    """p50 and p95 of each family."""
    where = columns(results, "lists", "activities")
    both = {engine: judged.families(results, engine) for engine in NAMES}

    def cell(family: str, engine: str, size: int) -> str:
        found = both[engine].get(family, {}).get(size)
        return f"{found[0]:.2f} / {found[1]:.2f}" if found else ""

    names = dict.fromkeys(family for found in both.values() for family in found)
    yield from table(
        ("p50 / p95, ms", *heads(where)),
        [(family, *(cell(family, *one) for one in where)) for family in names],
    )


def slowest_to_grow(results: Results) -> Iterator[str]:
    """The requests with full pages that grow the most from the smallest size to the largest."""
    for engine in NAMES:
        grown = [
            one for part in ("lists", "activities")
            if (found := judged.grown(results, part, engine)) for one in judged.growth(found[1])
        ]  # fmt: skip
        yield from table(
            (f"{NAMES[engine]}: what grows the most", "p95 smallest", "p95 largest", "ratio"),
            [(said(words), f"{low:.2f}", f"{high:.2f}", f"{ratio:.2f}")
             for ratio, words, low, high in sorted(grown, reverse=True)[:WORST]],
        )  # fmt: skip


def peers(results: Results) -> Iterator[str]:
    """Processor time of a page, and how many times ours it is."""
    where = columns(results, "peers")
    found = [of(results, "peers", engine)[size]["peers"] for engine, size in where]
    yield from table(
        ("ms, and times this service's", *heads(where)),
        [(rows[0]["words"], *(f"{row['ms']:.2f} ({row['ratio']:.1f} x)" for row in rows))
         for rows in zip(*found, strict=True)],
    )  # fmt: skip


def doors(results: Results) -> Iterator[str]:
    """The page against the floor."""
    rows = [(engine, size, of(results, "page", engine)[size])
            for engine, size in columns(results, "page")]  # fmt: skip
    yield from table(
        ("", "service, ms", "floor, ms", "ratio"),
        [(f"{NAMES[engine]} {short(size)}", f"{told['service']:.2f}", f"{told['floor']:.2f}",
          f"{told['ratio']:.2f}") for engine, size, told in rows],
    )  # fmt: skip


def rates(results: Results) -> Iterator[str]:
    """Pages a second."""
    where = columns(results, "throughput")
    found = [of(results, "throughput", engine)[size]["rates"] for engine, size in where]
    yield from table(
        ("processes x threads", *heads(where)),
        [(f"{rows[0]['workers']} x {rows[0]['threads']}", *(f"{row['rate']:.0f}/s" for row in rows))
         for rows in zip(*found, strict=True)],
    )  # fmt: skip


def claims(results: Results) -> Iterator[str]:
    """A claim by each caller."""
    where = columns(results, "claims")
    found = [of(results, "claims", engine)[size]["callers"] for engine, size in where]
    yield from table(
        ("us", *heads(where)),
        [(rows[0]["words"], *(f"{row['us']:,}" for row in rows))
         for rows in zip(*found, strict=True)],
    )  # fmt: skip


def writes(results: Results) -> Iterator[str]:
    """A task of a batch."""
    rows = [(engine, size, of(results, "enqueue", engine)[size])
            for engine, size in columns(results, "enqueue")]  # fmt: skip
    yield from table(
        ("us of a task", "service", "its rows alone", "without indexes", "service's tasks/s"),
        [(f"{NAMES[engine]} {short(size)}", told["service"], told["floor"], told["bare"],
          f"{told['rate']:,}") for engine, size, told in rows],
    )  # fmt: skip


def counts(results: Results) -> Iterator[str]:
    """Each count."""
    where = columns(results, "counts")
    found = [of(results, "counts", engine)[size]["counts"] for engine, size in where]

    def cell(row: Any) -> str:
        return "given up" if row["ms"] is None else f"{row['ms']:.1f} ({row['rows']:,})"

    yield from table(
        ("ms (rows)", *heads(where)),
        [(said(rows[0]["words"]), *map(cell, rows)) for rows in zip(*found, strict=True)],
    )


def cold(results: Results) -> Iterator[str]:
    """Cold pages of each family: the median and the worst."""
    where = columns(results, "cold")
    told = {one: of(results, "cold", one[0])[one[1]] for one in where}
    for engine in NAMES:
        if how := next((told[one]["how"] for one in where if one[0] == engine), ""):
            yield from (f"{NAMES[engine]}: {how}.", "")

    def cell(family: str, one: tuple[str, int]) -> str:
        values = [row["ms"] for row in told[one]["requests"] if row["family"] == family]
        return f"{median(values):.1f} / {max(values):.1f}"

    names = dict.fromkeys(row["family"] for one in where for row in told[one]["requests"])
    yield from table(
        ("median / worst, ms", *heads(where)),
        [(family, *(cell(family, one) for one in where)) for family in names],
    )


def requests(results: Results) -> Iterator[str]:
    """All requests, folded up."""

    def cell(row: Any) -> str:
        mark = "" if row["full"] else " *"
        return f"{median(row['ms']):.2f} / {p95(row['ms']):.2f}{mark}"

    for part, title in (("lists", "Tasks"), ("activities", "Activities")):
        where = columns(results, part)
        found = [of(results, part, engine)[size]["requests"] for engine, size in where]
        rows = [(said(some[0]["words"]), *map(cell, some)) for some in zip(*found, strict=True)]
        if rows:
            yield from (f"<details><summary>{title}: {len(rows)} requests</summary>", "")
            yield from table(("request", *heads(where)), rows)
            yield from ("</details>", "")
