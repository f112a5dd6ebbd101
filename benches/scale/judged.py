"""The bounds of a run's figures, and whether they were kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

Results = list[dict[str, Any]]
NAMES = {"sqlite": "SQLite", "mysql": "MariaDB"}
FLAT, WORST = 1.5, 60.0
"""Times that a full page may take longer at the largest size; milliseconds of the slowest."""
CLAIM = 1.3
ENQUEUE = 25.0
"""Per cent of the rate without indexes."""
PAGE = 1.4
FASTER = {"FastAPI": 4.5, "Django": 6.0}
"""How many times the pages of this service for each second of processor time."""


@dataclass(frozen=True)
class Verdict:
    """A figure beside its bound; `kept`: None where it is only reported."""

    words: str
    where: str
    figure: str
    bound: str
    kept: bool | None

    @property
    def verdict(self) -> str:
        """One word."""
        return {None: "", True: "ok", False: "**missed**"}[self.kept]


def said(words: str) -> str:
    """A request's words without what stands for no filter."""
    return words.replace(":  + ", ": ").removesuffix(":")


def p95(values: list[float]) -> float:
    """The value that 95 in 100 do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def short(size: int) -> str:
    """A size as people say it."""
    for unit, word in ((1_000_000, "M"), (1_000, "k")):
        if size % unit == 0:
            return f"{size // unit}{word}"
    return str(size)


def of(results: Results, part: str, engine: str) -> dict[int, Any]:
    """What a part told on an engine, by size, the smallest first."""
    found = {one["size"]: one["told"] for one in results
             if (one["part"], one["engine"]) == (part, engine)}  # fmt: skip
    return dict(sorted(found.items()))


def grown(results: Results, part: str, engine: str) -> tuple[str, Any] | None:
    """From where to where, and what the part told of the largest size; None without another."""
    by_size = of(results, part, engine)
    if not by_size or not (told := by_size[max(by_size)])["against"]:
        return None
    return f"{NAMES[engine]}, {short(told['against'])} to {short(max(by_size))}", told


def growth(told: Any) -> list[tuple[float, str, float, float]]:
    """Ratio, words and both p95 of each request whose pages are full at both ends, worst first."""
    found = []
    for row in told["requests"]:
        if row["comparable"]:
            low, high = p95(row["before"]), p95(row["ms"])
            found.append((high / low, row["words"], low, high))
    return sorted(found, reverse=True)


def lists(results: Results, part: str, engine: str) -> Iterator[Verdict]:
    """How pages grow, and the slowest of them."""
    by_size = of(results, part, engine)
    if not by_size:
        return
    what = "activities" if part == "activities" else "tasks"
    if found := grown(results, part, engine):
        where, told = found
        rows = growth(told)
        within = sum(ratio <= FLAT for ratio, *_ in rows)
        worst = f"worst {rows[0][0]:.2f} x ({said(rows[0][1])})" if rows else "no page is full"
        yield Verdict(
            f"p95 of full pages of {what} at the largest size against the smallest", where,
            f"{within} of {len(rows)} within; {worst}", f"<= {FLAT:g} x", within == len(rows),
        )  # fmt: skip
    slowest, words, size = max(
        (p95(row["ms"]), row["words"], size)
        for size, told in by_size.items() for row in told["requests"]
    )  # fmt: skip
    yield Verdict(
        f"slowest p95 of all pages of {what}", f"{NAMES[engine]}, {short(size)}",
        f"{slowest:.1f} ms ({said(words)})", f"<= {WORST:g} ms", slowest <= WORST,
    )  # fmt: skip


def claims(results: Results, engine: str) -> Iterator[Verdict]:
    """How claims grow."""
    if found := grown(results, "claims", engine):
        where, told = found
        ratio, words = max((row["us"] / row["before"], row["words"]) for row in told["callers"])
        figure = f"worst {ratio:.2f} x ({words})"
        yield Verdict("a claim at the largest size against the smallest", where, figure,
                      f"<= {CLAIM:g} x", ratio <= CLAIM)  # fmt: skip


def enqueueing(results: Results, engine: str) -> Iterator[Verdict]:
    """What the indexes leave of the rate."""
    for size, told in of(results, "enqueue", engine).items():
        share = told["bare"] / told["floor"] * 100
        words = f"rate of inserts in batches of 100 with all {told['indexes']} indexes against none"
        bound, kept = (f">= {ENQUEUE:g} %", share >= ENQUEUE) if engine == "sqlite" else ("", None)
        yield Verdict(words, f"{NAMES[engine]}, {short(size)}", f"{share:.0f} %", bound, kept)


def doors(results: Results, engine: str) -> Iterator[Verdict]:
    """A page against the floor and against the peers."""
    for size, told in of(results, "page", engine).items():
        yield Verdict("page of 100 over HTTP, processor time against the bare function",
                      f"{NAMES[engine]}, {short(size)}", f"{told['ratio']:.2f} x",
                      f"<= {PAGE:g} x", told["ratio"] <= PAGE)  # fmt: skip
    for size, told in of(results, "peers", engine).items():
        for row in told["peers"][1:]:
            least = next(least for name, least in FASTER.items() if row["words"].startswith(name))
            judged = row["words"].endswith("documented")
            yield Verdict(
                f"requests for each second of processor time against {row['words']}",
                f"{NAMES[engine]}, {short(size)}", f"{row['ratio']:.2f} x",
                f">= {least:g} x" if judged else "", row["ratio"] >= least if judged else None,
            )  # fmt: skip


def verdicts(results: Results) -> list[Verdict]:
    """All of a run."""
    return [
        verdict
        for engine in NAMES
        for found in (
            lists(results, "lists", engine), lists(results, "activities", engine),
            claims(results, engine), enqueueing(results, engine), doors(results, engine),
        )
        for verdict in found
    ]  # fmt: skip


def families(results: Results, engine: str) -> dict[str, dict[int, tuple[float, float]]]:
    """p50 and p95 of all draws of a family's requests, by size."""
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for part in ("lists", "activities"):
        for size, told in of(results, part, engine).items():
            draws: dict[str, list[float]] = {}
            for row in told["requests"]:
                draws.setdefault(row["family"], []).extend(row["ms"])
            for family, values in draws.items():
                found.setdefault(family, {})[size] = (median(values), p95(values))
    return found
